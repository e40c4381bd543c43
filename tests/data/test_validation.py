"""Faults made in real recordings, each alone and all at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import soundfile as sf

from configs.schema import Bounds, Config, Validation
from data.audio import FULL_SCALE, read_pcm
from data.bounds import broken as broken_by
from data.clip_measures import CLIP_COLUMNS, corpus_table, measure
from data.corpus import read_corpus
from data.dropping import kept
from data.problems import Finding, Kind
from data.sound_measures import SOUND_MEASURES
from data.validation import Inspection, validate
from data.verdict import Policy

Samples = npt.NDArray[np.float64]
Edit = Callable[[Samples], Samples]

RATE = 16000
STOP, DROP = Policy("stop", 20.0), Policy("drop", 20.0)


def tone(hertz: float, samples: Samples) -> Samples:
    wave: Samples = 0.02 * np.sin(2 * np.pi * hertz * np.arange(len(samples)) / RATE)
    return wave


def narrow(samples: Samples) -> Samples:
    wide: Samples = librosa.resample(
        librosa.resample(samples, orig_sr=RATE, target_sr=8000), orig_sr=8000, target_sr=RATE
    )
    return wide


def late(samples: Samples) -> Samples:
    return np.concatenate([np.zeros(4 * RATE), samples, np.zeros(4 * RATE)])


SOUND_FAULTS: dict[str, tuple[Edit, dict[str, str]]] = {
    "silent": (lambda x: np.zeros_like(x), {"peak": "0", "silence": "1", "loudness": "-120 dBFS"}),
    "clipped": (lambda x: np.clip(x * 20, -1, 1), {"clipping": "0.", "loudness": " dBFS"}),
    "clipped-earlier": (lambda x: np.clip(x * 10, -1, 1) * 0.4, {"clipping": "0."}),
    "faint": (lambda x: x * 0.01, {"peak": "0.00", "loudness": " dBFS"}),
    "short": (lambda x: x[8000:10000], {"duration": "0.125 s"}),
    "offset": (lambda x: x / 2 + 0.3, {"dc_offset": "0.3"}),
    "noisy": (lambda x: x + np.random.default_rng(0).normal(0, 0.05, len(x)), {"snr": " dB"}),
    "humming": (lambda x: x + tone(50, x), {"hum": " dB"}),
    "telephone": (narrow, {"bandwidth": " Hz"}),
    "late": (late, {"leading_silence": "4.", "trailing_silence": " s"}),
}
"""By id: what is done to a recording, and which bounds it then breaks with a part of the value that is told."""


@pytest.fixture(scope="module")
def clean(smoke_corpus: Path) -> pd.DataFrame:
    """Recordings that nothing is wrong with."""
    return corpus_table(read_corpus(smoke_corpus))


@pytest.fixture
def faulty(clean: pd.DataFrame, tmp_path: Path) -> pd.DataFrame:
    """Those recordings, and one with every fault; each has a row in a list."""
    path, text = max(zip(clean["path"], clean["text"], strict=True), key=lambda clip: Path(clip[0]).stat().st_size)
    speech = read_pcm(Path(path))[0][: 5 * RATE] / FULL_SCALE
    rows: list[dict[str, Any]] = []

    def add(id: str, text: str, samples: Samples | None, rate: int = RATE) -> Path:
        path = tmp_path / "wavs" / f"{id}.wav"
        path.parent.mkdir(exist_ok=True)
        if samples is not None:
            sf.write(path, samples, rate)
        rows.append({"id": id, "path": str(path), "file": f"wavs/{id}.wav", "text": text})
        return path

    for number, (id, (edit, _)) in enumerate(SOUND_FAULTS.items()):
        add(id, f"{text[:60]} {number}", edit(speech[number:]))
    add("slow-rate", "this came over a telephone line", speech[::2], 8000)
    whole = add("truncated", "one piece of text that was lost", speech[1:])
    whole.write_bytes(whole.read_bytes()[:20000])
    add("missing", "nobody has ever said this", None)
    add("<b>wordless", "...", speech[2:])
    add("strange", "what is 漢字 here, and in all the rest of it", speech[3:])
    add("hasty", "she sells sea shells on the sea shore, " * 8, speech[: 2 * RATE])
    add("repeated", "the same recording with another text at last", speech[4:])
    add("repeats", "the same recording with another text to it", speech[4:])
    more = pd.DataFrame(rows).assign(language="en", speaker=clean["speaker"][0])
    more["row"] = np.arange(1001.0, 1001 + len(more))
    first = clean.assign(row=np.arange(1.0, len(clean) + 1))
    return pd.concat([first, more], ignore_index=True)[list(CLIP_COLUMNS)]


def broken(inspection: Inspection) -> dict[str, set[str]]:
    """The bounds that each clip breaks."""
    found: dict[str, set[str]] = {}
    for problem in inspection.problems:
        for finding in problem.findings:
            found.setdefault(finding.id, set()).add(finding.kind.name)
    return found


def said(inspection: Inspection, id: str, kind: str) -> Finding:
    (found,) = (f for p in inspection.problems for f in p.findings if (f.id, f.kind.name) == (id, kind))
    return found


def test_good_recordings_pass_validation(clean: pd.DataFrame, smoke: Config, tmp_path: Path) -> None:
    inspection = validate(clean, [], smoke.validation, STOP, 2, tmp_path / "report")
    assert (len(inspection.clips), inspection.count("error"), inspection.count("warning")) == (40, 0, 0)
    assert inspection.refusal is None
    assert inspection.division.kept == list(clean["id"])
    table = pd.read_csv(tmp_path / "report" / "clips.csv")
    assert set(Validation.model_fields) < set(table.columns)
    assert len(table) == 40
    pages = list((tmp_path / "report" / "data_docs").rglob("*.html"))
    assert tmp_path / "report" / "data_docs" / "index.html" in pages
    assert not any("great-expectations-web-assets" in page.read_text() for page in pages)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert kept(tmp_path / "report") is None


def test_every_fault_is_named_by_one_validation(faulty: pd.DataFrame, smoke: Config, tmp_path: Path) -> None:
    inspection = validate(faulty, [], smoke.validation, STOP, 2, tmp_path / "report")
    found = broken(inspection)
    for id, (_, values) in SOUND_FAULTS.items():
        for kind, value in values.items():
            assert value in said(inspection, id, kind).found, id
    assert {"sample_rate", "rate_ratio"} <= found["slow-rate"]
    assert (found["truncated"], found["missing"]) == ({"cut_off"}, {"missing_audio"})
    assert "text_length" in found["<b>wordless"]
    assert "characters_outside_language" in found["strange"]
    assert {"phone_length", "speech_rate", "tempo"} <= found["hasty"]
    assert "duplicate_audio" in found["repeats"]
    assert "duplicate_audio" not in found.get("repeated", set())
    assert set(inspection.clips["id"][:40]) <= set(inspection.division.kept)

    assert said(inspection, "missing", "missing_audio").found == "no such file"
    assert said(inspection, "slow-rate", "sample_rate").found == "8000 Hz"
    assert said(inspection, "slow-rate", "sample_rate").expected == ">= 16000 Hz"
    assert "漢" in said(inspection, "strange", "characters_outside_language").found
    assert said(inspection, "repeats", "duplicate_audio").found == "1 (repeated)"
    noisy = said(inspection, "noisy", "snr")
    assert (noisy.file, noisy.row) == ("wavs/noisy.wav", 1007)
    assert noisy.kind.advice

    severities = [problem.kind.severity for problem in inspection.problems]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    table = pd.read_csv(tmp_path / "report" / "failures.csv")
    assert len(table) == sum(len(problem.findings) for problem in inspection.problems)
    (hum,) = (p for p in json.loads((tmp_path / "report" / "problems.json").read_text()) if p["kind"] == "hum")
    assert hum["severity"] == "warning"
    assert "humming" in {example["id"] for example in hum["examples"]}
    page = next((tmp_path / "report" / "data_docs" / "validations").rglob("*.html")).read_text()
    for part in ("truncated", "duplicate_audio", "&lt;b&gt;wordless"):
        assert part in page
    assert "<b>wordless" not in page


@pytest.mark.parametrize("id", SOUND_FAULTS)
def test_a_fault_alone_breaks_the_bounds_of_its_own(clean: pd.DataFrame, tmp_path: Path, id: str) -> None:
    edit, values = SOUND_FAULTS[id]
    clip = clean[clean["id"] == "en-vm-leavemsg"] if "en-vm-leavemsg" in set(clean["id"]) else clean[-1:]
    samples = read_pcm(Path(clip["path"].iloc[0]))[0] / FULL_SCALE
    sf.write(tmp_path / "one.wav", edit(samples), RATE)
    (measured,) = measure(clip.assign(path=str(tmp_path / "one.wav")), workers=1).to_dict("records")
    table = pd.DataFrame([measured])
    bounds = {column: getattr(Validation(), column) for column in SOUND_MEASURES}
    assert {column for column, bound in bounds.items() if len(broken_by(table, column, bound))} == set(values)


def test_texts_that_slipped_by_a_row_are_recognised(clean: pd.DataFrame, smoke: Config, tmp_path: Path) -> None:
    slipped = clean.assign(text=np.roll(clean["text"], 1), row=np.arange(1.0, len(clean) + 1))
    inspection = validate(slipped, [], smoke.validation, STOP, 2, tmp_path / "report")
    (shift,) = (problem for problem in inspection.problems if problem.kind.name == "row_shift")
    assert len(shift.findings) > 30
    assert "seem shifted" in str(inspection.refusal)
    (example,) = (finding for finding in shift.findings if finding.row == 7)
    assert example.found == "1 rows (row 8 fits)"
    assert str(inspection.refusal).count("\n") < 30


def test_bounds_and_severity_of_a_validation_are_those_given(clean: pd.DataFrame, tmp_path: Path) -> None:
    few = clean[:6]
    strict = Validation(duration=Bounds(max=0.1, severity="warning"), sample_rate=Bounds(min=None))
    inspection = validate(few, [], strict, STOP, 2, tmp_path / "report")
    assert inspection.refusal is None
    assert broken(inspection) == {id: {"duration"} for id in few["id"]}
    loose = Validation(duration=Bounds(max=0.1, severity="note"))
    assert validate(few, [], loose, STOP, 2, tmp_path / "report").count("note") == 6


def test_what_the_source_has_said_is_told_and_not_told_twice(
    faulty: pd.DataFrame, smoke: Config, tmp_path: Path
) -> None:
    cut_off = Finding(Kind("cut_off", "error", "Copy it again."), "1 of 5 s", "5 s", "truncated", "wavs/truncated.wav")
    note = Finding(Kind("repaired", "note", "Nothing."), "x", "y", row=3, file="metadata.csv")
    inspection = validate(faulty, [cut_off, note], smoke.validation, STOP, 2, tmp_path / "report")
    assert broken(inspection)["truncated"] == {"cut_off"}
    assert inspection.count("note") >= 1


def test_clips_with_errors_are_dropped_and_the_first_of_copies_is_kept(
    faulty: pd.DataFrame, smoke: Config, tmp_path: Path
) -> None:
    inspection = validate(faulty, [], smoke.validation, Policy("drop", 50.0), 2, tmp_path / "report")
    assert inspection.refusal is None
    ids = kept(tmp_path / "report")
    assert ids == set(inspection.division.kept)
    assert ids is not None
    assert {"repeated", "noisy", *faulty["id"][:40]} <= ids
    assert not ids & {"repeats", "truncated", "missing", "clipped", "strange", "hasty"}
    assert pd.read_csv(tmp_path / "report" / "dropped.csv", dtype=str)["id"].isin(inspection.division.dropped).all()


def test_a_corpus_of_clipped_recordings_names_what_would_do(clean: pd.DataFrame, smoke: Config, tmp_path: Path) -> None:
    paths = []
    for path in clean["path"]:
        samples, rate = sf.read(path)
        paths.append(str(tmp_path / f"{Path(path).stem}.wav"))
        sf.write(paths[-1], np.clip(samples * 6, -1, 1), rate)
    clipped = clean.assign(path=paths)
    refusal = str(validate(clipped, [], smoke.validation, DROP, 2, tmp_path / "report").refusal)
    assert "data.on_error=drop would leave nothing" in refusal
    assert refusal.count("error: clipping: 40") == 1
    (line,) = (line for line in refusal.splitlines() if "--set validation.clipping.max=" in line)
    assert "--set validation.clipping.severity=warning" in line
    advised = float(line.partition("max=")[2].split()[0])
    looser = smoke.validation.model_copy(update={"clipping": Bounds(max=advised)})
    assert validate(clipped, [], looser, DROP, 2, tmp_path / "report").refusal is None
