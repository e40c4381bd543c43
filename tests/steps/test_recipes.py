"""What is made again after an edit of the code: the files that decide each step's result, and single edits of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common import ROOT
from configs.schema import Config
from pipelines import plan as planning
from pipelines.plan import NEEDS, plan
from registry import code

DECIDING = {
    "validate_dataset": """
        common/files.py
        configs/languages.py
        data/audio.py
        data/bounds.py
        data/cleaning.py
        data/clip_measures.py
        data/containers/base.py
        data/containers/boxes.py
        data/containers/chunks.py
        data/containers/mp3.py
        data/containers/ogg.py
        data/corpus.py
        data/decoding.py
        data/dropping.py
        data/espeak.py
        data/languages.py
        data/problems.py
        data/sound_measures.py
        data/text.py
        data/text_faults.py
        data/transcript_fit.py
        data/validation.py
        data/validation_page.html.j2
        data/validation_page.py
        data/verdict.py
        data/vocabulary.py
        steps/validate_dataset.py
        steps/work.py
    """,
    "extract_features": """
        common/files.py
        configs/languages.py
        data/align.py
        data/audio.py
        data/cepstra.py
        data/cleaning.py
        data/cluster.py
        data/containers/base.py
        data/containers/boxes.py
        data/containers/chunks.py
        data/containers/mp3.py
        data/containers/ogg.py
        data/corpus.py
        data/decoding.py
        data/dropping.py
        data/espeak.py
        data/extraction.py
        data/features.py
        data/languages.py
        data/measurements.py
        data/measuring.py
        data/mel.py
        data/pieces.py
        data/problems.py
        data/splits.py
        data/sufficiency.py
        data/text.py
        data/vocabulary.py
        steps/extract_features.py
        steps/work.py
    """,
    "train_model": """
        common/files.py
        data/batches.py
        data/features.py
        data/vocabulary.py
        model/checkpoint.py
        model/layers.py
        model/network.py
        model/state.py
        model/token_path.py
        model/training.py
        steps/train_model.py
        steps/work.py
    """,
    "train_vocoder": """
        common/files.py
        data/audio.py
        data/containers/base.py
        data/containers/boxes.py
        data/containers/chunks.py
        data/containers/mp3.py
        data/containers/ogg.py
        data/decoding.py
        data/features.py
        data/mel.py
        data/problems.py
        data/recordings.py
        data/vocabulary.py
        model/checkpoint.py
        model/state.py
        model/vocoder.py
        model/vocoder_training.py
        steps/train_vocoder.py
        steps/work.py
    """,
    "evaluate_model": """
        common/cache.py
        common/files.py
        configs/languages.py
        data/audio.py
        data/batches.py
        data/cleaning.py
        data/containers/base.py
        data/containers/boxes.py
        data/containers/chunks.py
        data/containers/mp3.py
        data/containers/ogg.py
        data/corpus.py
        data/decoding.py
        data/espeak.py
        data/features.py
        data/languages.py
        data/mel.py
        data/problems.py
        data/recordings.py
        data/splits.py
        data/text.py
        data/vocabulary.py
        evaluation/far_sentences.txt
        evaluation/hard_sentences.txt
        evaluation/judges.py
        evaluation/listening.py
        evaluation/measures.py
        evaluation/page.html.j2
        evaluation/page.py
        evaluation/pictures.py
        evaluation/recognisers.py
        evaluation/sentences.py
        evaluation/utterances.py
        evaluation/whisper.py
        model/checkpoint.py
        model/generation.py
        model/layers.py
        model/loading.py
        model/network.py
        model/sizes.py
        model/synthesis.py
        model/token_path.py
        model/vocoder.py
        steps/evaluate_model.py
        steps/work.py
    """,
}
"""The files, apart from `__init__.py`, that can change what a step makes; one more, and more is made again."""

CORPUS = "0123456789abcdef0123456789abcdef.dir"
BY_FEATURES = {"extract_features", "train_model", "train_vocoder", "evaluate_model"}
BY_MODEL = {"train_model", "evaluate_model"}
BY_VOCODER = {"train_vocoder", "evaluate_model"}


def added(line: str) -> Callable[[str], str]:
    return lambda text: f"{text}\n{line}\n"


def replaced(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        return text.replace(old, new)

    return edit


EDITS: dict[str, tuple[str, Callable[[str], str], set[str]]] = {
    "a source of speech": ("data/sources/debian/voices.py", added("ADDED = 1"), set()),
    "the model card": ("registry/card.py", added("ADDED = 1"), set()),
    "the digests of code": ("registry/code.py", added("ADDED = 1"), set()),
    "the rules": ("consistency/rules.py", added("ADDED = 1"), set()),
    "the verifying step": ("steps/verify_consistency.py", added("ADDED = 1"), set()),
    "the registering step": ("steps/register_model.py", added("ADDED = 1"), set()),
    "what sizes are read from shapes": ("model/sizes.py", added("ADDED = 1"), {"evaluate_model"}),
    "progress": (
        "common/progress.py",
        replaced("_SECONDS_BETWEEN_LINES = 15.0", "_SECONDS_BETWEEN_LINES = 1.0"),
        set(),
    ),
    "a comment of the aligner": ("data/align.py", added("# a comment"), set()),
    "a comment of a step": ("steps/train_model.py", added("# a comment"), set()),
    "a docstring of the network": (
        "model/network.py",
        replaced('"""What each layer attends to at', '"""All it hears at'),
        set(),
    ),
    "a docstring of the loss": ("model/training.py", replaced('"""L1 and a quarter', '"""Mean and a quarter'), set()),
    "a docstring of a value": ("data/mel.py", replaced('"""Smallest mel amplitude', '"""The least amplitude'), set()),
    "the layout of the loss": (
        "model/training.py",
        replaced("sum(l1) + 0.25 * sum(l2)", "(sum(l1)) + 0.25 * (sum(l2))"),
        set(),
    ),
    "the network": (
        "model/network.py",
        replaced("self.symbol.weight, -0.5, 0.5", "self.symbol.weight, -0.4, 0.4"),
        BY_MODEL,
    ),
    "the loss": ("model/training.py", replaced("0.25 * sum(l2)", "0.3 * sum(l2)"), BY_MODEL),
    "the batches": ("data/batches.py", replaced("_LENGTH_NOISE = 30", "_LENGTH_NOISE = 31"), BY_MODEL),
    "the mel": ("data/mel.py", replaced("FLOOR = 1e-4", "FLOOR = 1e-5"), BY_FEATURES),
    "the aligner": ("data/align.py", replaced("PASSES = 21", "PASSES = 22"), BY_FEATURES),
    "the vocoder": ("model/vocoder.py", replaced("INVERSION_UPDATES = 30", "INVERSION_UPDATES = 31"), BY_VOCODER),
    "the vocoder's training": (
        "model/vocoder_training.py",
        replaced("WARMUP_STEPS = 100", "WARMUP_STEPS = 99"),
        BY_VOCODER,
    ),
    "generation": ("model/generation.py", replaced("LONGEST_TOKEN = 64.0", "LONGEST_TOKEN = 65.0"), {"evaluate_model"}),
    "the judges": ("evaluation/recognisers.py", replaced('"maxhmmpf": 5000', '"maxhmmpf": 5001'), {"evaluate_model"}),
    "a hard sentence": ("evaluation/hard_sentences.txt", added("One more."), {"evaluate_model"}),
    "what is measured of a clip": (
        "data/sound_measures.py",
        replaced("LEVEL_FLOOR = -120.0", "LEVEL_FLOOR = -110.0"),
        {"validate_dataset"},
    ),
}
"""An edit of a file, and the steps that are carried out again for it."""


@pytest.mark.parametrize("step", NEEDS)
def test_files_that_decide_a_recipe(step: str) -> None:
    files = [file for file in code.deciding_files(f"steps.{step}") if not file.endswith("__init__.py")]
    assert files == DECIDING[step].split()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all code that a run has to do with."""
    folder = tmp_path_factory.mktemp("checkout")
    for file in {*code.source_files("pipelines.voice"), *code.source_files("pipelines.corpus")}:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, folder / file)
    return folder


@pytest.fixture
def checkout(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The copy, of whose code recipes are made."""
    monkeypatch.setattr(code, "ROOT", copy)
    monkeypatch.setattr(planning, "corpus_digest", lambda _: CORPUS)
    forget()
    yield copy
    forget()


def forget() -> None:
    """Have the code read anew."""
    code.code_digest.cache_clear()
    code._closure.cache_clear()


def recipes(config: Config) -> dict[str, str]:
    return {step: job.recipe["id"] for step, job in plan("smoke", config).items()}


@pytest.fixture(scope="module")
def before(smoke: Config) -> dict[str, str]:
    """The recipes of the code as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "corpus_digest", lambda _: CORPUS)
        return recipes(smoke)


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_changes_the_recipes_of_the_steps_that_it_decides(
    before: dict[str, str], checkout: Path, smoke: Config, what: str
) -> None:
    file, edit, expected = EDITS[what]
    path = checkout / file
    text = path.read_text(encoding="utf-8")
    path.write_text(edit(text), encoding="utf-8")
    try:
        after = recipes(smoke)
    finally:
        path.write_text(text, encoding="utf-8")
    assert {step for step in NEEDS if before[step] != after[step]} == expected
