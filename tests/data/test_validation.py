from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf

from configs.schema import Bounds, Config, Data, Validation
from data.building import build_corpus
from data.corpus import CorpusClip, read_corpus
from data.validation import Inspection, validate


def bring(folder: Path, corpus: Path) -> list[CorpusClip]:
    build_corpus(Data(source="recordings", path=str(folder), languages=["en"], batch_size=4), corpus)
    return read_corpus(corpus)


def found(inspection: Inspection) -> dict[str, set[str]]:
    return {str(id): set(rows["column"]) for id, rows in inspection.failures.groupby("id")}


def test_good_recordings_pass_validation(prompts: Path, smoke: Config, tmp_path: Path) -> None:
    inspection = validate(read_corpus(prompts), smoke.validation, 2, tmp_path / "report")
    assert inspection.passed
    assert (inspection.clips, inspection.errors, inspection.warnings) == (6, 0, 0)
    clips = pd.read_csv(tmp_path / "report" / "clips.csv")
    assert set(Validation.model_fields) < set(clips.columns)
    assert len(clips) == 6
    pages = list((tmp_path / "report" / "data_docs").rglob("*.html"))
    assert tmp_path / "report" / "data_docs" / "index.html" in pages
    assert not any("great-expectations-web-assets" in page.read_text() for page in pages)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_every_fault_is_named_by_one_validation(ljspeech: Path, smoke: Config, tmp_path: Path) -> None:
    wavs = ljspeech / "wavs"
    samples, rate = sf.read(wavs / "clip-1.wav")
    (wavs / "truncated.wav").write_bytes((wavs / "clip-1.wav").read_bytes()[:20000])
    sf.write(wavs / "whole.flac", samples, rate)
    (wavs / "broken.flac").write_bytes((wavs / "whole.flac").read_bytes()[:9000])
    (wavs / "whole.flac").unlink()
    sf.write(wavs / "silent.wav", np.zeros(16000), rate)
    sf.write(wavs / "clipped.wav", np.clip(samples * 20, -1, 1), rate)
    sf.write(wavs / "narrow.wav", samples[::2], 8000)
    sf.write(wavs / "faint.wav", samples * 0.01, rate)
    sf.write(wavs / "short.wav", samples[8000:10000], rate)
    sf.write(wavs / "<b>wordless.wav", samples[1:], rate)
    sf.write(wavs / "strange.wav", samples[2:], rate)
    sf.write(wavs / "repeated.wav", samples, rate)
    sf.write(wavs / "hasty.wav", samples[: len(samples) // 2], rate)
    rows = {
        "truncated": "one piece of text",
        "broken": "another piece",
        "silent": "quiet as a mouse",
        "clipped": "this one is too loud",
        "narrow": "this came over a telephone line",
        "faint": "this is very faint",
        "short": "no",
        "<b>wordless": "...",
        "strange": "what is 漢字 here",
        "repeated": "the same recording with another text",
        "hasty": "she sells sea shells on the sea shore, " * 20,
    }
    first = (ljspeech / "metadata.csv").read_text().splitlines()[1].split("|")[1]
    rows["wordy"] = first  # the text of clip-2, and no audio of its own
    sf.write(wavs / "wordy.wav", samples[3:], rate)
    with (ljspeech / "metadata.csv").open("a") as metadata:
        metadata.writelines(f"{id}|{text}\n" for id, text in rows.items())

    inspection = validate(bring(ljspeech, tmp_path / "corpus"), smoke.validation, 2, tmp_path / "report")
    assert not inspection.passed
    assert inspection.clips == 18
    assert found(inspection) == {
        "truncated": {"readable"},
        "broken": {"readable"},
        "silent": {"peak", "silence", "loudness"},
        "clipped": {"clipping", "loudness"},
        "narrow": {"sample_rate"},
        "faint": {"peak", "loudness"},
        "short": {"duration"},
        "<b>wordless": {"text_length"},
        "strange": {"unknown_characters"},
        "repeated": {"duplicate_audio"},
        "hasty": {"speech_rate"},
        "wordy": {"duplicate_text"},
    }
    said = {(row["id"], row["column"]): (row["value"], row["bound"]) for row in inspection.failures.to_dict("records")}
    assert said["truncated", "readable"][0].startswith("cut off: ")
    assert said["narrow", "sample_rate"] == ("8000 Hz", ">= 16000 Hz")
    assert said["strange", "unknown_characters"][0] == "2 (字漢)"
    assert said["repeated", "duplicate_audio"][0] == "1 (clip-1)"
    assert said["wordy", "duplicate_text"][0] == "1 (clip-2)"
    assert set(inspection.failures["severity"][: inspection.errors]) == {"error"}  # errors come first
    assert set(inspection.failures["severity"][inspection.errors :]) == {"warning"}
    page = next((tmp_path / "report" / "data_docs" / "validations").rglob("*.html")).read_text()
    for part in ("truncated", "duplicate_audio", "&lt;b&gt;wordless"):
        assert part in page
    assert "<b>wordless" not in page


def test_bounds_and_severity_of_a_validation_are_those_given(prompts: Path, tmp_path: Path) -> None:
    corpus = read_corpus(prompts)
    strict = Validation(duration=Bounds(max=0.1, severity="warning"), sample_rate=Bounds(min=None))
    inspection = validate(corpus, strict, 2, tmp_path / "report")
    assert inspection.passed
    assert inspection.warnings == 6
    assert found(inspection) == {clip.id: {"duration"} for clip in corpus}
