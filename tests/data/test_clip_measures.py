from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import data.text
from data.audio import read_pcm
from data.clip_measures import corpus_table, measure
from data.corpus import CorpusClip, read_corpus


def measured(*clips: CorpusClip) -> pd.DataFrame:
    return measure(corpus_table(clips), workers=1)


def test_measures_of_a_known_signal(prompts: Path, tmp_path: Path) -> None:
    clip = read_corpus(prompts)[0]
    speech, rate = read_pcm(clip.path)
    padded = tmp_path / "padded.wav"
    sf.write(padded, np.concatenate([np.zeros(2 * len(speech), np.int16), speech]), rate)
    plain, longer = measured(clip, replace(clip, path=padded)).to_dict("records")
    assert longer["duration"] == pytest.approx(3 * len(speech) / rate)
    assert longer["silence"] == pytest.approx((2 + plain["silence"]) / 3, abs=0.01)
    assert longer["loudness"] == pytest.approx(plain["loudness"], abs=0.1)
    assert longer["speech_rate"] == pytest.approx(plain["speech_rate"], rel=0.02)
    assert longer["phone_length"] == pytest.approx(3 * plain["phone_length"])
    assert longer["peak"] == np.abs(speech / 32768).max()
    assert longer["clipping"] == 0
    assert 5 < longer["speech_rate"] < 20


def test_measures_are_of_the_files_and_not_of_what_manifests_say(prompts: Path) -> None:
    clip = read_corpus(prompts)[0]
    pd.testing.assert_frame_equal(measured(clip), measured(replace(clip, duration=1e6, sample_rate=1, num_samples=1)))


def test_measures_need_each_text_read_once(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = read_corpus(prompts)
    read: list[str] = []
    speak_digits, espeak = data.text._speak_digits, data.text._espeak

    def watch_digits(text: str, language: str) -> str:
        read.append(text)
        return speak_digits(text, language)

    def watch_espeak(words: str, language: str) -> list[str]:
        read.append(words)
        return espeak(words, language)

    monkeypatch.setattr(data.text, "_speak_digits", watch_digits)
    monkeypatch.setattr(data.text, "_espeak", watch_espeak)
    measured(*clips)
    assert len(read) == 2 * len(clips)


def test_a_recording_of_another_rate_than_the_speakers_others_stands_out(prompts: Path, tmp_path: Path) -> None:
    clips = read_corpus(prompts)
    samples, rate = read_pcm(clips[0].path)
    sf.write(tmp_path / "other.wav", samples, 2 * rate)
    table = measured(replace(clips[0], path=tmp_path / "other.wav"), *clips[1:])
    assert table["rate_ratio"].tolist() == [2, 1, 1, 1, 1, 1]


def test_measures_do_not_depend_on_how_many_clips_there_are(prompts: Path) -> None:
    clips = read_corpus(prompts)
    alone, together = measured(clips[3]), measured(*clips)
    for column in ("snr", "duration", "speech_rate", "hum"):
        assert alone[column][0] == pytest.approx(together[column][3], nan_ok=True), column


def test_of_no_clips_nothing_is_measured() -> None:
    assert len(measure(corpus_table([]), workers=1)) == 0
