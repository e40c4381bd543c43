"""Measures of real recordings in which a fault of known size was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import pytest

from data.audio import FULL_SCALE, read_pcm
from data.corpus import read_corpus
from data.sound_measures import LEVEL_FLOOR, SOUND_MEASURES, measure_sound

Floats = npt.NDArray[np.floating[Any]]
RATE = 16000


@pytest.fixture(scope="module")
def recordings(smoke_corpus: Path) -> list[Floats]:
    """Recordings of different length, (n,) in [-1, 1]."""
    clips = sorted(read_corpus(smoke_corpus), key=lambda clip: clip.duration)
    return [read_pcm(clip.path)[0] / FULL_SCALE for clip in clips[::8]]


def measures(samples: Floats, rate: int = RATE) -> dict[str, float]:
    pcm = np.rint(samples * FULL_SCALE).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return measure_sound(pcm, rate)


def power(samples: Floats) -> float:
    return float(np.square(samples).mean())


def sine(frequency: float, samples: Floats, level: float) -> Floats:
    """A tone that lies by so many dB above the samples."""
    seconds = np.arange(len(samples)) / RATE
    tone: Floats = np.sqrt(2 * power(samples) * 10 ** (level / 10)) * np.sin(2 * np.pi * frequency * seconds + 1)
    return tone


def test_sound_measures_are_those_that_are_listed(recordings: list[Floats]) -> None:
    assert tuple(measures(recordings[0])) == SOUND_MEASURES


@pytest.mark.parametrize("snr", [20, 10, 5, 0])
def test_the_signal_to_noise_ratio_is_that_of_the_noise_that_was_added(recordings: list[Floats], snr: float) -> None:
    for speech in recordings:
        noise = np.random.default_rng(0).normal(size=len(speech)) * np.sqrt(power(speech) / 10 ** (snr / 10))
        assert measures(speech + noise)["snr"] == pytest.approx(snr, abs=2)
        assert measures(speech)["snr"] > 25


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("level", [-20, -10, 0])
def test_hum_is_measured_at_its_level_over_the_rest(recordings: list[Floats], mains: float, level: float) -> None:
    for speech in recordings:
        if len(speech) < 1.2 * RATE:
            continue
        assert measures(speech)["hum"] < -35
        assert measures(speech + sine(mains, speech, level))["hum"] == pytest.approx(level, abs=2)
        lines = sine(mains, speech, level - 3) + sine(3 * mains, speech, level - 3)
        assert measures(speech + lines)["hum"] == pytest.approx(level, abs=3)


def test_hum_is_not_looked_for_in_less_than_a_second(recordings: list[Floats]) -> None:
    assert np.isnan(measures(recordings[-1][: RATE // 2])["hum"])


def test_bandwidth_is_what_is_left_of_the_sound_at_whatever_rate_it_comes(recordings: list[Floats]) -> None:
    for speech in recordings:
        assert measures(speech)["bandwidth"] == RATE / 2
        narrow = librosa.resample(speech, orig_sr=RATE, target_sr=8000)
        wide = librosa.resample(narrow, orig_sr=8000, target_sr=22050)
        assert measures(wide, 22050)["bandwidth"] == pytest.approx(4000, abs=500)


def test_an_offset_is_measured_and_changes_nothing_else(recordings: list[Floats]) -> None:
    speech = recordings[-1] / 2
    plain, shifted = measures(speech), measures(speech + 0.3)
    assert shifted["dc_offset"] == pytest.approx(0.3, abs=0.001)
    for column in ("silence", "loudness", "leading_silence", "bandwidth"):
        assert shifted[column] == pytest.approx(plain[column], abs=0.1), column


@pytest.mark.parametrize("gain", [1.0, 0.4, 0.1])
def test_flat_tops_are_found_however_quiet_they_were_made(recordings: list[Floats], gain: float) -> None:
    for speech in recordings:
        assert measures(speech * gain)["clipping"] < 0.001
        assert measures(np.clip(speech * 8, -1, 1) * gain)["clipping"] > 0.05


def test_flat_tops_of_one_side_are_found(recordings: list[Floats]) -> None:
    assert measures(np.minimum(recordings[-1], 0.1))["clipping"] > 0.01


def test_silence_at_the_ends_is_measured_in_seconds(recordings: list[Floats]) -> None:
    speech = recordings[-1]
    plain, padded = measures(speech), measures(np.concatenate([np.zeros(4 * RATE), speech, np.zeros(2 * RATE)]))
    assert padded["leading_silence"] == pytest.approx(plain["leading_silence"] + 4, abs=0.02)
    assert padded["trailing_silence"] == pytest.approx(plain["trailing_silence"] + 2, abs=0.02)
    assert padded["snr"] == pytest.approx(plain["snr"], abs=3)


@pytest.mark.parametrize("length", [1, 2, 100, 1000, RATE])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_what_is_no_speech_at_all_is_measured_too(length: int, level: float) -> None:
    found = measures(np.full(length, level))
    assert found["loudness"] == LEVEL_FLOOR
    assert found["silence"] == 1
    assert found["duration"] == length / RATE
    click = np.zeros(length)
    click[length // 2] = level
    assert measures(click)["peak"] == pytest.approx(level, abs=1e-4)


@pytest.mark.parametrize("rate", [1, 100, 700, 2000, 4000, 192000])
def test_any_sample_rate_is_measured(recordings: list[Floats], rate: int) -> None:
    found = measures(recordings[0], rate)
    assert found["bandwidth"] <= rate / 2 or np.isnan(found["bandwidth"])
    assert found["sample_rate"] == rate
