"""What keeps a version from becoming the champion, and from speaking: each way to lie is refused by name."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from configs.outs import Outs
from configs.schema import GATES, ConfigError, TrainingConfig, load_config, parse_config
from model.checkpoint import CheckpointError, save_checkpoint
from model.loading import load_model, load_vocoder
from registry.champions import promote
from registry.evidence import FILES_TAG, fetched
from registry.gates import judge, load_gates, upper_bound
from registry.identity import tag
from registry.isolated import CannotSpeak, speak_with
from registry.served_model import ServedVoice
from registry.store import store
from tests.registry.conftest import HEARD, NAME, PRESET, RECIPE, TINY, Registry, make_outs


def shut_gates(version: int) -> dict[str, str]:
    """Promote a version; the gates that stayed shut, with what they found."""
    entry = promote(PRESET, str(version))
    assert entry.decision is not None
    return {verdict.gate: str(verdict.found) for verdict in entry.decision.verdicts if not verdict.passed}


def flip_ten_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-10:] = (255 - byte for byte in content[-10:])
    path.write_bytes(content)


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": [1.0]}))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty_of_code(path: Path) -> None:
    path.write_text("import os\n")


def lay_beside(path: Path) -> None:
    path.with_name("sitecustomize.py").write_text("print('hello')\n")


@pytest.mark.parametrize(
    ("lie", "file", "finding"),
    [
        (flip_ten_bytes, "artifacts/smoke/model.safetensors", "artifacts/smoke/model.safetensors has SHA-256"),
        (flip_ten_bytes, "artifacts/smoke/vocoder.safetensors", "artifacts/smoke/vocoder.safetensors has SHA-256"),
        (truncate, "artifacts/smoke/model.safetensors", "artifacts/smoke/model.safetensors has SHA-256"),
        (write_pickle, "artifacts/smoke/model.safetensors", "artifacts/smoke/model.safetensors has SHA-256"),
        (Path.unlink, "artifacts/smoke/vocoder.safetensors", "artifacts/smoke/vocoder.safetensors is missing"),
        (empty_of_code, "code/model/synthesis.py", "code/model/synthesis.py has SHA-256"),
        (empty_of_code, "MLmodel", "MLmodel has SHA-256"),
        (lay_beside, "code/model/synthesis.py", "code/model/sitecustomize.py was not registered"),
    ],
)
def test_altered_files_are_neither_promoted_nor_heard(
    registry: Registry, lie: Callable[[Path], None], file: str, finding: str
) -> None:
    lie(registry.served(1) / file)
    assert finding in shut_gates(1)["files"]
    with pytest.raises(CannotSpeak, match="does not speak; its files are not those") as refusal:
        speak_with(PRESET, "1", [{"text": "Hello."}], int8=False)
    assert finding in str(refusal.value)


def test_a_swapped_checkpoint_is_neither_promoted_nor_loaded(registry: Registry) -> None:
    ours, theirs = (registry.checkpoint(v, "model.safetensors") for v in (1, registry.register(0.5)))
    loaded = SimpleNamespace(artifacts={"checkpoints": str(ours.parent)}, model_config={"int8": False, "sha256": {}})
    stated = store().get_model_version(NAME, "1").tags[tag("sha256.model.safetensors")]
    loaded.model_config["sha256"] = {"model.safetensors": stated}
    ServedVoice().load_context(loaded)
    ours.write_bytes(theirs.read_bytes())
    assert "model.safetensors has SHA-256" in shut_gates(1)["files"]
    with pytest.raises(ValueError, match=r"model\.safetensors has SHA-256 .* was registered"):
        ServedVoice().load_context(loaded)


@pytest.mark.usefixtures("registry")
def test_an_altered_table_of_utterances_measures_nothing() -> None:
    run = store().get_run(str(store().get_model_version(NAME, "1").run_id))
    table = Path(run.info.artifact_uri.removeprefix("file://")) / "listening/utterances.json"
    table.write_text(table.read_text().replace("1.01", "0.01"))
    shut = shut_gates(1)
    assert "listening/utterances.json has SHA-256" in shut["files"]
    assert shut["mel_l1"] == shut["ended_percent"] == "not measured"


@pytest.mark.usefixtures("registry")
def test_identity_gate_names_every_field_that_is_missing() -> None:
    missing = [tag("recipe.corpus"), FILES_TAG, tag("commit"), tag("asr")]
    for name in missing:
        store().delete_model_version_tag(NAME, "1", name)
    assert shut_gates(1)["identity"] == f"lacks {', '.join(missing)}"


@pytest.mark.usefixtures("registry")
def test_a_dirty_commit_is_named_with_what_was_uncommitted() -> None:
    store().set_model_version_tag(NAME, "1", tag("clean"), "false")
    store().set_model_version_tag(NAME, "1", tag("uncommitted"), "model/layers.py")
    assert shut_gates(1) == {"commit": "c0ffee with uncommitted model/layers.py"}


def test_a_candidate_cannot_relax_a_bound(registry: Registry, tmp_path: Path) -> None:
    outs = make_outs(tmp_path / "lax", 2.5, {})
    lax = GATES.read_text().replace("max_mel_l1: 2.0", "max_mel_l1: 99.0")
    (outs.reports / "listening" / "gates.yaml").write_text(lax)
    version = registry.register_outs(outs)
    store().set_model_version_tag(NAME, str(version), tag("max_mel_l1"), "99")
    assert list(shut_gates(version)) == ["mel_l1"]
    (registry.served(version) / "code/configs/gates.yaml").write_text(lax)
    shut = shut_gates(version)
    assert shut["files"] == "served/code/configs/gates.yaml was not registered"
    assert float(shut["mel_l1"]) == pytest.approx(2.51)


def test_a_pickle_is_not_registered_as_a_checkpoint(registry: Registry, tmp_path: Path) -> None:
    outs = make_outs(tmp_path / "pickled", 1.0, {})
    write_pickle(outs.checkpoints / "vocoder.safetensors")
    with pytest.raises(CheckpointError, match=r"vocoder\.safetensors: not a readable safetensors file"):
        registry.register_outs(outs)


def relabel(outs: Outs, **model: int) -> None:
    """Save the model with a header that has other settings."""
    path = outs.checkpoints / "model.safetensors"
    cloner, config = load_model(path)
    whole = config.model_dump()
    lying = parse_config(TrainingConfig, whole | {"model": whole["model"] | TINY | model}, "lying")
    save_checkpoint(cloner, lying, RECIPE, path)


def test_a_header_that_its_tensors_deny_is_named(registry: Registry, tmp_path: Path) -> None:
    outs = make_outs(tmp_path / "lying", 1.0, {})
    relabel(outs, decoder_dim=128)
    assert shut_gates(registry.register_outs(outs)) == {
        "artifact": "model.safetensors: decoder_dim is 64, its header says 128"
    }


def test_a_vocoder_for_other_mels_than_the_models_is_named(registry: Registry, tmp_path: Path) -> None:
    outs = make_outs(tmp_path / "lying", 1.0, {})
    path = outs.checkpoints / "vocoder.safetensors"
    audio = load_config(PRESET).audio
    vocoder = load_vocoder(path, audio)
    save_checkpoint(vocoder, audio.model_copy(update={"fmin": 60.0}), RECIPE, path)
    assert shut_gates(registry.register_outs(outs)) == {
        "artifact": "vocoder.safetensors: made for other mels than those of model.safetensors"
    }


@pytest.mark.usefixtures("registry")
def test_a_recipe_that_is_not_the_tags_is_named() -> None:
    store().set_model_version_tag(NAME, "1", tag("recipe.corpus"), "another")
    assert "its header's recipe has another corpus than the tags" in shut_gates(1)["artifact"]


@pytest.mark.parametrize(
    ("changes", "gate"),
    [({"ended": False}, "ended_percent"), ({"rtf": 11.0}, "rtf")],
)
def test_a_figure_beyond_its_bound_shuts_its_gate(registry: Registry, changes: dict[str, float], gate: str) -> None:
    assert list(shut_gates(registry.register(1.0, **changes))) == [gate]


@pytest.mark.parametrize(("mel_l1", "passes"), [(0.9, True), (1.015, True), (1.025, False)])
def test_a_challenger_may_be_worse_than_the_champion_by_the_margin(
    registry: Registry, mel_l1: float, passes: bool
) -> None:
    promote(PRESET, "1")
    shut = shut_gates(registry.register(mel_l1))
    assert list(shut) == ([] if passes else ["against the champion"])
    if not passes:
        assert float(shut["against the champion"]) == pytest.approx(mel_l1 - 1.0, abs=1e-4)


def test_versions_are_only_compared_by_the_same_judge_on_the_same_utterances(registry: Registry) -> None:
    promote(PRESET, "1")
    judged = registry.register(0.9)
    store().set_model_version_tag(NAME, str(judged), tag("asr"), "another recogniser")
    assert shut_gates(judged)["against the champion"].startswith(f"other recognisers: another recogniser and {HEARD}")
    for version in ("1", str(judged)):
        store().delete_model_version_tag(NAME, version, tag("asr"))
    assert shut_gates(judged)["against the champion"] == "other recognisers: none and none"
    store().set_model_version_tag(NAME, "1", tag("asr"), HEARD)
    heard = registry.register(0.9, text="Something else.")
    assert shut_gates(heard)["against the champion"] == "other utterances: 12 of 12 and 12 in common"


def test_error_rates_count_by_characters(registry: Registry) -> None:
    challenger = registry.register(1.0, cer=0.53)
    gates, _ = load_gates("myxtts-anything")
    versions = [store().get_model_version(NAME, str(v)) for v in (1, challenger)]
    with fetched(versions[0]) as theirs, fetched(versions[1]) as mine:
        last = judge(mine, theirs, gates)[-1]
    assert (last.gate, last.passed) == ("against the champion", False)
    assert last.found == pytest.approx(0.03)


@given(arrays.arrays(np.float64, 20, elements=st.floats(-1, 1)), st.floats(0.01, 1))
def test_the_upper_bound_is_the_same_for_the_same_and_moves_with_it(difference_n: np.ndarray, shift: float) -> None:
    weights_n = np.arange(1.0, 21.0)
    bound = upper_bound(difference_n, weights_n)
    assert bound == upper_bound(difference_n, weights_n)
    assert bound >= np.average(difference_n, weights=weights_n) - 0.05
    assert upper_bound(difference_n + shift, weights_n) == pytest.approx(bound + shift)
    assert upper_bound(np.full(20, shift), weights_n) == pytest.approx(shift)


def test_the_upper_bound_covers_the_mean_19_times_of_20() -> None:
    rng = np.random.default_rng(1)
    samples = rng.normal(0.3, 1.0, size=(300, 60))
    covered = np.mean([upper_bound(sample_n, np.ones(60)) >= 0.3 for sample_n in samples])
    assert 0.91 < covered < 0.98


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("default:", "defaults:", "expected a section `default`"),
        ("max_rtf: 1.0", "max_rtf: 0", "default: max_rtf = 0"),
        ("margin: 0.02", "margins: 0.02", "default: margins is not a setting; did you mean 'margin'?"),
        ("measure: mel_l1", "measure: wer", "myxtts-smoke: measure = 'wer'"),
    ],
)
def test_gates_that_cannot_be_read_are_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    path = tmp_path / "gates.yaml"
    assert before in GATES.read_text()
    path.write_text(GATES.read_text().replace(before, after))
    with pytest.raises(ConfigError) as refusal:
        load_gates("myxtts-smoke", path)
    assert message in str(refusal.value)
