from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from configs.schema import Bounds, Config, Data, Validation, load_config
from data.audio import read_pcm
from data.building import build_corpus
from data.corpus import read_corpus
from data.validation import Verdict, measure, validate


@pytest.fixture
def config() -> Config:
    return load_config("smoke")


def bring(folder: Path, corpus: Path) -> pd.DataFrame:
    build_corpus(Data(source="ljspeech", path=str(folder), languages=["en"], batch_size=4), corpus)
    return read_corpus(corpus)


def found(verdict: Verdict) -> dict[str, set[str]]:
    return {str(id): set(rows["column"]) for id, rows in verdict.failures.groupby("id")}


def test_good_recordings_pass(prompts: Path, config: Config, tmp_path: Path) -> None:
    verdict = validate(read_corpus(prompts), config.validation, 2, tmp_path / "report")
    assert verdict.passed and verdict.rows == 6 and verdict.errors == verdict.warnings == 0
    clips = pd.read_csv(tmp_path / "report" / "clips.csv")
    assert set(Validation.model_fields) < set(clips.columns) and len(clips) == 6
    pages = list((tmp_path / "report" / "data_docs").rglob("*.html"))
    assert tmp_path / "report" / "data_docs" / "index.html" in pages
    assert not any("great-expectations-web-assets" in page.read_text() for page in pages)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_every_fault_is_named_in_one_go(ljspeech: Path, config: Config, tmp_path: Path) -> None:
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
        "missing": "nobody said this",
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

    verdict = validate(bring(ljspeech, tmp_path / "corpus"), config.validation, 2, tmp_path / "report")
    assert not verdict.passed and verdict.rows == 19
    assert found(verdict) == {
        "truncated": {"readable"},
        "broken": {"readable"},
        "missing": {"readable"},
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
    by_id = verdict.failures.set_index(["id", "column"])
    assert by_id.loc[("missing", "readable"), "value"] == "no such file"
    assert by_id.loc[("truncated", "readable"), "value"].startswith("truncated: ")
    assert by_id.loc[("narrow", "sample_rate"), "value"] == "8000 Hz"
    assert by_id.loc[("narrow", "sample_rate"), "bound"] == ">= 16000 Hz"
    assert by_id.loc[("strange", "unknown_characters"), "value"] == "2 (字漢)"
    assert by_id.loc[("repeated", "duplicate_audio"), "value"] == "1 (clip-1)"
    assert by_id.loc[("wordy", "duplicate_text"), "value"] == "1 (clip-2)"
    assert set(verdict.failures["severity"][: verdict.errors]) == {"error"}  # errors come first
    assert set(verdict.failures["severity"][verdict.errors :]) == {"warning"}
    page = next((tmp_path / "report" / "data_docs" / "validations").rglob("*.html")).read_text()
    assert "truncated" in page and "duplicate_audio" in page
    assert "&lt;b&gt;wordless" in page and "<b>wordless" not in page


def test_bounds_and_severity_come_from_the_config(prompts: Path, config: Config) -> None:
    corpus = read_corpus(prompts)
    strict = Validation(duration=Bounds(max=0.1, severity="warning"), sample_rate=Bounds(min=None))
    verdict = validate(corpus, strict, 2)
    assert verdict.passed and verdict.warnings == 6 and found(verdict) == {id: {"duration"} for id in corpus["id"]}


def test_measures_of_a_known_signal(prompts: Path, tmp_path: Path) -> None:
    corpus = read_corpus(prompts)[:1]
    speech, rate = read_pcm(corpus["path"][0])
    padded = np.concatenate([np.zeros(2 * len(speech), np.int16), speech])
    sf.write(tmp_path / "padded.wav", padded, rate)
    plain = measure(corpus, workers=1).iloc[0]
    clip = measure(corpus.assign(path=[tmp_path / "padded.wav"]), workers=1).iloc[0]
    assert clip["duration"] == pytest.approx(3 * len(speech) / rate)
    assert clip["silence"] == pytest.approx((2 + plain["silence"]) / 3, abs=0.01)
    assert clip["loudness"] == pytest.approx(plain["loudness"], abs=0.1)
    assert clip["speech_rate"] == pytest.approx(plain["speech_rate"], rel=0.02)
    assert clip["peak"] == np.abs(speech / 32768).max() and clip["clipping"] == 0
    assert 5 < clip["speech_rate"] < 20
