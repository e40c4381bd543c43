"""Drift planted in all kinds of sources at once is found by place and mended; what only looks like it is left alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from common import ROOT
from configs.schema import presets
from consistency.surfaces.surface import Statement
from consistency.verify import verify
from registry.code import deciding_files
from registry.stored_surfaces import StagesSurface, VersionsSurface, sources

GUIDE = [
    # before and after, line by line
    ("# The model", "# The model"),
    ("## TextEncoder", "## TextEncoder"),
    ("- `layers = 6`", "- `layers = 8`"),
    ("- `heads = 4`, `dim = 256`", "- `heads = 8`, `dim = 512`"),
    ("## AudioEncoder", "## AudioEncoder"),
    ("speaker_dim = 256, audio_features = 512", "speaker_dim = 512, audio_features = 768"),
    ("It has 4 layers and 8 attention heads.", "It has 8 layers and 12 attention heads."),
    ("## MelDecoder", "## MelDecoder"),
    ("12 لایه decoder با 16 attention head", "16 لایه decoder با 24 attention head"),
    ("رمزگشا ۱۲ لایه و ۱۶ هد دارد.", "رمزگشا ۱۶ لایه و ۲۴ هد دارد."),
    ("`decoder_dim = 1024`", "`decoder_dim = 1536`"),
    ("## Numbers", "## Numbers"),
    ("- `batch_size`: `32`", "- `batch_size`: `56`"),
    ("- The speaker embedding is 256-dimensional.", "- The speaker embedding is 512-dimensional."),
    ("- A vocabulary of 61 symbols.", "- A vocabulary of 101 symbols."),
    ("- `sample_rate: 16000`, `hop_length: 200`", "- `sample_rate: 22050`, `hop_length: 256`"),
    ("- `n_mels = 100`", "- `n_mels = 80`"),
    ("- Every head of the decoder is 128 wide: `decoder_head_dim = 128`.", None),
    ("- The decoder holds 50% of the parameters.", "- The decoder holds 88% of the parameters."),
    ("- `voice_conditioning_layers: 4`", "- `voice_conditioning_layers: 8`"),
    ("- `voice_similarity_threshold = 0.5`", "- `voice_similarity_threshold = 0.75`"),
    ("## Preset `demo`", "## Preset `demo`"),
    ("| component | layers | heads |", "| component | layers | heads |"),
    ("|---|---|---|", "|---|---|---|"),
    ("| TextEncoder | 3 | 2 |", "| TextEncoder | 2 | 2 |"),
    ("| MelDecoder | 4 | 8 |", "| MelDecoder | 4 | 6 |"),
]
GUIDE = [(before, after if after is not None else before.replace("128", "64")) for before, after in GUIDE]

INNOCENT = """\
# Notes
In 2024 the decoder was written anew.
Training took 24 GB on one of 8 GPUs with 16 cores.
Tacotron's decoder has 2 layers.
BERT uses 12 layers, 12 heads and 768 dimensions.
Whisper's encoder has 6 layers.
Step 12 of the decoder is the slow one.
The decoder was tested with 30 sentences.
There are 12 tests of the decoder.
See figure 3 of the decoder, page 16.
Version 1.4.2 of the encoder's tests.
Issue #24 is about attention heads.
If the decoder had 32 layers, it would not fit.
With 12 layers the decoder would be faster.
Models of this kind usually have 6 to 12 layers.
Increase the decoder to more than 2 layers only with more data.
`decoder.layers[0]` is the layer that hears the reference.
`heads_of_report[4]` prints a head.
The alignment of 568 clips takes 16 seconds.
A sentence of 500 characters still ends.
Call us at 555 0123 about the text encoder.
The file 8f3a12c0de is the checkpoint's hash.
The encoder's commit is 4f7e2a9 of 2026-11-23.
قبلاً رمزگشا ۱۲ لایه بود.
در سال ۱۴۰۳ رمزگشا بازنویسی شد.
See https://example.org/decoder/12/layers/16.
## Changelog
- The decoder had 12 layers with 16 heads.
- `decoder_layers`: 12 → 16
"""

PRESETS = [
    # preset, section, key, planted value, what mending makes of it
    ("full", "model", "text_vocab_size", 99, 101),
    ("full", "model", "decoder_heads", 12, 24),
    ("full", "model", "audio_encoder_layers", 5, 8),
    ("full", "model", "speaker_embedding_dim", 128, 512),
    ("base", "model", "decoder_layers", 6, 8),
    ("base", "model", "audio_encoder_dim", 512, 384),
    ("base", "model", "feed_forward_ratio", 3, 4),
    ("multilingual", "model", "audio_encoder_heads", 2, 3),
    ("multilingual", "model", "text_encoder_heads", 4, 2),
    ("demo", "model", "decoder_dim", 512, 384),
]

CELLS: list[tuple[str, str, str]] = [
    ("markdown", "## AudioEncoder\n4 layers", "## AudioEncoder\n8 layers"),
    ("code", "decoder_layers = 12", "decoder_layers = 16"),
    ("output", "decoder_heads: 16", "decoder_heads: 24"),
]


def cell(kind: str, text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    if kind == "markdown":
        return {"cell_type": "markdown", "id": "planted-text", "metadata": {}, "source": lines}
    stream = [{"name": "stdout", "output_type": "stream", "text": lines}] if kind == "output" else []
    source = lines if kind == "code" else ["print(settings)"]
    identity = {"cell_type": "code", "id": f"planted-{kind}", "metadata": {}}
    return identity | {"execution_count": None, "outputs": stream, "source": source}


@pytest.fixture(scope="module")
def files() -> list[str]:
    """Everything of this checkout that could be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return [name for name in names if (ROOT / name).is_file() and not name.startswith(("tests/", "corpora/"))]


@pytest.fixture
def checkout(tmp_path: Path, files: list[str]) -> Path:
    """A copy of this checkout's sources."""
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def places(statements: list[Statement]) -> set[str]:
    return {statement.where for statement in statements}


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path}: {old}"
    path.write_text(text.replace(old, new, 1))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_the_sources_of_a_checkout_agree(checkout: Path) -> None:
    held = verify(sources(presets(), checkout))
    assert held.drifts == held.warnings == []
    assert held.absent == ["corpus"]
    assert list(held.statements) == ["presets", "model", "dvc.yaml", "corpus", "readme", "docs", "notebooks"]


def test_innocent_numbers_are_no_drift_of_sources(checkout: Path) -> None:
    notes = checkout / "docs/notes.md"
    notes.write_text(INNOCENT)
    held = verify(sources(presets(), checkout), fix=True)
    assert held.drifts == held.mended == held.warnings == []
    assert notes.read_text() == INNOCENT


def test_drift_planted_in_sources_is_found_by_place_and_mended_once_and_for_all(
    checkout: Path, files: list[str]
) -> None:
    guide, readme = checkout / "docs/guide.md", checkout / "README.md"
    notebook = checkout / "notebooks/evaluation_and_optimization.ipynb"
    guide.write_text("".join(f"{before}\n" for before, _ in GUIDE))
    content = json.loads(notebook.read_text())
    first_cell = len(content["cells"]) + 1
    content["cells"] += [cell(kind, before) for kind, before, _ in CELLS]
    notebook.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    for preset, _, key, wrong, right in PRESETS:
        replace(checkout / f"configs/{preset}.yaml", f"  {key}: {right}\n", f"  {key}: {wrong}\n")
    replace(checkout / "dvc.yaml", "      - model\n", "      - model/old_network.py\n")
    replace(checkout / "docs/architecture.md", "| dim | 512 | 768 | 1536 |", "| dim | 512 | 768 | 1024 |")
    replace(checkout / "docs/model_components.html", "22050", "24000")
    append(readme, "\nThe `full` decoder has 12 layers.\n")

    planted = {f"docs/guide.md:{number}" for number, (before, after) in enumerate(GUIDE, 1) if before != after}
    for preset, _, key, wrong, _ in PRESETS:
        lines = (checkout / f"configs/{preset}.yaml").read_text().splitlines()
        planted.add(f"configs/{preset}.yaml:{lines.index(f'  {key}: {wrong}') + 1}")
    for number, place in enumerate(("cell {}, line 2", "cell {}, line 1", "cell {}, output 1, line 1")):
        planted.add(f"notebooks/{notebook.name}: {place.format(first_cell + number)}")
    planted.add(f"README.md:{len(readme.read_text().splitlines())}")
    found = places(verify(sources(presets(), checkout)).drifts)
    assert planted <= found
    assert {place for place in found if place.startswith("docs/guide.md")} <= planted
    for document in ("dvc.yaml", "docs/architecture.md", "docs/model_components.html"):
        assert any(place.startswith(f"{document}:") for place in found), document

    held = verify(sources(presets(), checkout), fix=True)
    assert held.drifts == []
    assert planted <= places(held.mended)
    assert guide.read_text().splitlines() == [after for _, after in GUIDE]
    assert json.loads(notebook.read_text())["cells"][-len(CELLS) :] == [cell(kind, after) for kind, _, after in CELLS]
    for preset, section, key, _, right in PRESETS:
        assert yaml.safe_load((checkout / f"configs/{preset}.yaml").read_text())[section][key] == right
    changed = {name for name in files if (checkout / name).read_bytes() != (ROOT / name).read_bytes()}
    assert changed == {"README.md", "dvc.yaml", f"notebooks/{notebook.name}"}
    assert readme.read_text() == (ROOT / "README.md").read_text() + "\nThe `full` decoder has 16 layers.\n"

    mended = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    assert verify(sources(presets(), checkout), fix=True).mended == []
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == mended


def deps(checkout: Path, stage: str) -> list[str]:
    found: list[str] = yaml.safe_load((checkout / "dvc.yaml").read_text())["stages"][stage]["do"]["deps"]
    return found


@pytest.mark.parametrize(
    ("old", "new", "fact", "stated"),
    [
        ("        - data\n", "        - dato\n", "params", "dato"),
        ("      - data/audio.py\n", "      - data/adio.py\n", "deps", "data/adio.py"),
        ("      - data/audio.py\n", "", "deps", "data/audio.py is left out"),
    ],
)
def test_a_stage_that_drifted_is_found_on_its_line(checkout: Path, old: str, new: str, fact: str, stated: str) -> None:
    replace(checkout / "dvc.yaml", old, new)
    drifts = [statement for statement in StagesSurface(checkout).read() if not statement.agrees]
    assert (fact, stated) in {(drift.fact, drift.stated) for drift in drifts}
    assert places(drifts) == {"dvc.yaml:2 (stage corpus)"}


def test_presets_that_stages_have_and_the_checkout_has_not_are_found(checkout: Path) -> None:
    (checkout / "params.yaml").write_text("presets: {demo: {source: data/sources}, gone: {source: data/sources}}\n")
    drifts = [statement for statement in StagesSurface(checkout).read() if not statement.agrees]
    assert [(drift.where, drift.stated) for drift in drifts] == [("params.yaml", "gone")]


def test_deps_of_a_stage_are_mended_in_few_words(checkout: Path) -> None:
    """A package is named instead of all its files, and no file beside its folder."""
    before = deps(checkout, "voice")
    assert "model" in before
    files = [file for file in deciding_files("pipelines.voice") if file.startswith("model/")]
    listed = "".join(f"      - {file}\n" for file in files[1:])
    replace(checkout / "dvc.yaml", "      - model\n", listed)
    replace(checkout / "dvc.yaml", "      - steps\n", "      - steps\n      - steps/work.py\n")
    StagesSurface(checkout).mend()
    assert sorted(deps(checkout, "voice")) == sorted(before)
    assert deps(checkout, "corpus") == deps(ROOT, "corpus")


def test_no_registry_states_nothing_of_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none.db'}")
    assert list(VersionsSurface().read()) == []
    assert list(tmp_path.iterdir()) == []
