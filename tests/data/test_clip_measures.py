from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import data.text
from data.audio import read_pcm
from data.clip_measures import measure
from data.corpus import read_corpus


def test_measures_of_a_known_signal(prompts: Path, tmp_path: Path) -> None:
    clip = read_corpus(prompts)[0]
    speech, rate = read_pcm(clip.path)
    padded = tmp_path / "padded.wav"
    sf.write(padded, np.concatenate([np.zeros(2 * len(speech), np.int16), speech]), rate)
    (plain,) = measure([clip], workers=1).to_dict("records")
    (measured,) = measure([replace(clip, path=padded)], workers=1).to_dict("records")
    assert measured["duration"] == pytest.approx(3 * len(speech) / rate)
    assert measured["silence"] == pytest.approx((2 + plain["silence"]) / 3, abs=0.01)
    assert measured["loudness"] == pytest.approx(plain["loudness"], abs=0.1)
    assert measured["speech_rate"] == pytest.approx(plain["speech_rate"], rel=0.02)
    assert measured["peak"] == np.abs(speech / 32768).max()
    assert measured["clipping"] == 0
    assert 5 < measured["speech_rate"] < 20


def test_measures_are_of_the_files_and_not_of_what_manifests_say(prompts: Path) -> None:
    clip = read_corpus(prompts)[0]
    (true,) = measure([clip], workers=1).to_dict("records")
    (same,) = measure([replace(clip, duration=1e6, sample_rate=1, num_samples=1)], workers=1).to_dict("records")
    assert true == same


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
    measure(clips, workers=1)
    assert len(read) == 2 * len(clips)
