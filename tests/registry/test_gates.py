"""What keeps a version from becoming the champion, and from speaking: each way to lie is refused by name."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from configs.outs import Outs
from configs.schema import GATES, ConfigError, TrainingConfig, load_config, parse_config
from evaluation.listening import COLUMNS
from evaluation.measures import CEILINGS
from model.checkpoint import CheckpointError, save_checkpoint
from model.loading import load_model, load_vocoder
from registry.champions import promote
from registry.evidence import FILES_TAG, TABLE, Evidence, fetched
from registry.gates import GateVerdict, judge, load_gates, upper_bound
from registry.identity import Identity, tag
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


MEASURED = {
    "mel_l1": 0.8,
    "diagonality": 0.8,
    "duration_ratio": 1.0,
    "rtf": 0.5,
    "ended": True,
    "characters": 20,
    "words": 4,
}
UNHEARD: dict[str, float | None] = {f"{rate}{kind}": None for rate in ("cer", "wer") for kind in ("", *CEILINGS)}


def evidence_of(folder: Path, **languages: dict[str, Any]) -> Evidence:
    """What is known of a version that was asked ten utterances in each language."""
    rows = [
        dict.fromkeys(COLUMNS, 0.02) | {"id": f"{name}{k}", "text": f"Text {k}.", "language": name} | MEASURED | columns
        for name, columns in languages.items()
        for k in range(10)
    ]
    path = folder / TABLE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"columns": COLUMNS, "data": [[row[name] for name in COLUMNS] for row in rows]}))
    return Evidence(1, Identity(asr=HEARD), {"hard_ended_percent": 100.0}, folder, {})


def asked(candidate: Evidence, champion: Evidence | None = None) -> dict[str, GateVerdict]:
    """The verdicts on figures by the default bounds."""
    gates, _ = load_gates("myxtts-anything")
    verdicts = {verdict.gate: verdict for verdict in judge(candidate, champion, gates)}
    return {name: verdicts[name] for name in verdicts if name not in ("identity", "commit", "files", "artifact")}


@pytest.mark.parametrize(
    ("cer", "vocoded", "recording", "passes"),
    [
        (0.05, 0.03, 0.02, True),
        (0.20, 0.03, 0.02, False),
        (0.50, 0.45, 0.45, True),
        (0.56, 0.45, 0.45, False),  # more than an eighth of the 55% that are understood of the ceiling
        (0.95, 0.90, 0.02, False),  # a vocoder that ruins everything
        (1.00, 1.00, 0.02, False),
    ],
)
def test_speech_is_to_be_understood_nearly_as_well_as_its_ceiling(
    tmp_path: Path, cer: float, vocoded: float, recording: float, passes: bool
) -> None:
    heard = {"cer": cer, "cer_vocoded": vocoded, "cer_recording": recording}
    verdicts = asked(evidence_of(tmp_path, fr=heard))
    assert list(verdicts) == ["ended_percent", "hard_ended_percent", "cer_above_vocoded", "rtf"]
    assert verdicts["cer_above_vocoded"].passed is passes


@pytest.mark.parametrize(
    ("rates", "why"),
    [
        (UNHEARD, "no recogniser for eo"),
        ({"cer_recording": 0.7, "cer": 0.7}, "its recogniser mishears 70% of the recordings in eo"),
    ],
)
@pytest.mark.parametrize(
    ("measured", "shut"),
    [
        ({}, []),
        ({"mel_l1": 1.3}, ["mel_l1"]),
        ({"diagonality": 0.3}, ["diagonality"]),
        ({"duration_ratio": 0.4}, ["duration_ratio"]),
        ({"duration_ratio": 2.0}, ["duration_ratio"]),
        ({"mel_l1": None}, ["mel_l1"]),
    ],
)
def test_where_nothing_can_hear_gates_ask_for_what_can_be_measured(
    tmp_path: Path, rates: dict[str, Any], why: str, measured: dict[str, Any], shut: list[str]
) -> None:
    verdicts = asked(evidence_of(tmp_path, eo=rates | measured))
    assert "cer_above_vocoded" not in verdicts
    assert [name for name, verdict in verdicts.items() if not verdict.passed] == shut
    assert {verdicts[name].source for name in ("mel_l1", "diagonality", "duration_ratio")} == {
        f"its table of utterances; {why}"
    }


def test_each_language_has_gates_of_its_own(tmp_path: Path) -> None:
    verdicts = asked(evidence_of(tmp_path, fr={}, it={"cer": 0.6}, eo=UNHEARD))
    assert [name for name, verdict in verdicts.items() if not verdict.passed] == ["cer_above_vocoded (it)"]
    assert {"cer_above_vocoded (fr)", "mel_l1 (eo)", "diagonality (eo)", "duration_ratio (eo)"} <= verdicts.keys()


def test_an_empty_table_opens_no_gate_on_what_is_heard(tmp_path: Path) -> None:
    assert not asked(evidence_of(tmp_path))["cer_above_vocoded"].passed


@pytest.mark.parametrize(("mel_l1", "passes"), [(0.7, True), (0.81, True), (0.9, False)])
def test_a_champion_that_nothing_can_hear_is_met_by_its_mels(tmp_path: Path, mel_l1: float, passes: bool) -> None:
    champion = evidence_of(tmp_path / "champion", eo=UNHEARD)
    verdict = asked(evidence_of(tmp_path / "mine", eo=UNHEARD | {"mel_l1": mel_l1}), champion)["against the champion"]
    assert verdict.passed is passes
    assert verdict.source == "mel_l1 of the utterances of versions 1 and 1; no recogniser for eo"


def test_a_champion_is_met_in_every_language(tmp_path: Path) -> None:
    gates, _ = load_gates("myxtts-anything")
    champion = evidence_of(tmp_path / "champion", eo=UNHEARD, fr={})
    for name, mine, passed in (
        ("same", {"eo": UNHEARD, "fr": {}}, [True, True]),
        ("misheard", {"eo": UNHEARD, "fr": {"cer": 0.1}}, [True, False]),
        ("blurred", {"eo": UNHEARD | {"mel_l1": 0.95}, "fr": {}}, [False, True]),
        ("fewer", {"fr": {}}, [False, True]),
    ):
        verdicts = [v for v in judge(evidence_of(tmp_path / name, **mine), champion, gates) if "champion" in v.gate]
        assert [verdict.passed for verdict in verdicts] == passed, name


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
