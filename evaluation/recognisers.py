"""Speech recognisers that need no network: who listens, in which languages, and what is heard."""

from __future__ import annotations

import functools
import hashlib
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder

from common import ROOT
from common.cache import cache_folder
from common.files import digest, replacing
from common.progress import Report, silent, watched
from configs.schema import POCKETSPHINX, WHISPER_BASE
from data.audio import Waveform
from evaluation.judges import prepare
from evaluation.whisper import check_folder, hear, hears, load_whisper, whisper_identity

_SPHINX_SETTINGS = {"fwdflat": False, "maxhmmpf": 5000}
"""Where they are not its own defaults: the second search costs 40% and hears no better."""


_SILENCE = 1e-3
"""What never gets louder is not listened to: recognisers hear words in silence."""

Listen = Callable[[Waveform, str], str]


@dataclass(frozen=True)
class Recogniser:
    """A speech recogniser."""

    identity: str
    """Name, digest, versions and settings; error rates of different ones cannot be compared."""
    hears: Callable[[str], bool]
    """Whether it knows a language."""
    listen: Listen
    """The words in a waveform of 16 kHz in a language that it knows; "" where it hears none."""
    pool: Callable[[], Executor]
    """Its workers."""
    instead_of: str = ""
    """Why it listens, if another one was asked for."""


def folder_of(setting: str) -> Path | None:
    """The folder that `evaluation.recogniser` names, if it names one; a relative one lies in the checkout.

    Raises `WhisperError` if it is no model of faster-whisper's.
    """
    if setting in (WHISPER_BASE, POCKETSPHINX):
        return None
    folder = ROOT / Path(setting).expanduser()
    check_folder(folder)
    return folder


def recogniser(setting: str = WHISPER_BASE, workers: int = 1) -> Recogniser:
    """Who listens by the setting `evaluation.recogniser`, with so many workers.

    Where Whisper base is not installed pocketsphinx takes its place and says so. Raises `WhisperError` for a model
    that is missing or is not what it should be.
    """
    if setting == POCKETSPHINX:
        return _sphinx(workers)
    folder = folder_of(setting)
    try:
        model = load_whisper(folder, workers)
    except PackageNotFoundError as error:
        return _sphinx(workers, f"{error.name} is not installed: pocketsphinx listens, which knows English alone")
    return Recogniser(
        whisper_identity(folder),
        functools.cache(lambda language: hears(model, language)),
        lambda waveform, language: hear(model, waveform, language),
        lambda: ThreadPoolExecutor(workers),  # CTranslate2 works without the interpreter's lock
    )


def transcribe(
    judge: Recogniser,
    waveforms: Sequence[Waveform],
    languages: Sequence[str],
    sample_rate: int,
    report: Report = silent,
    known: Sequence[bool] | None = None,
) -> list[str]:
    """What a recogniser hears in mono waveforms in [-1, 1], each in its language; "" where it hears nothing.

    Every waveform is heard by itself: neither its neighbours nor the number of workers change the result. Those that
    are `known`, because no training changes them, are heard once and looked up in this user's cache from then on.
    """
    sounds = list(zip(waveforms, languages, known or [False] * len(waveforms), strict=True))
    with judge.pool() as pool:
        coming: list[str | Future[str]] = []
        for waveform, language, again in sounds:
            kept = _kept(judge, waveform, language, sample_rate) if again else None
            if kept and kept.is_file():
                coming.append(kept.read_text(encoding="utf-8"))
            else:
                coming.append(pool.submit(_listen, judge.listen, waveform, language, sample_rate, kept))
        whole = watched(coming, "recognising speech", len(coming), report)
        return [text if isinstance(text, str) else text.result() for text in whole]


def _listen(hear: Listen, waveform: Waveform, language: str, sample_rate: int, kept: Path | None) -> str:
    sound = prepare(waveform, sample_rate)
    text = hear(sound, language) if np.abs(sound).max() >= _SILENCE else ""
    if kept:
        with replacing(kept) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return text


def _kept(judge: Recogniser, waveform: Waveform, language: str, sample_rate: int) -> Path | None:
    """Where it is kept what a recogniser heard; None where nothing can be kept."""
    folder = cache_folder("heard")
    sound = hashlib.sha256(np.ascontiguousarray(waveform, np.float32).tobytes()).hexdigest()
    return folder and folder / f"{digest([judge.identity, language, sample_rate, sound])}.txt"


def _sphinx(workers: int, instead_of: str = "") -> Recogniser:
    settings = ", ".join(f"{name}={value}" for name, value in _SPHINX_SETTINGS.items())
    # Processes, since it holds the interpreter's lock; spawned, since a fork with torch's threads can hang.
    return Recogniser(
        f"pocketsphinx {version('pocketsphinx')} (en-us, {settings})",
        lambda language: language.partition("-")[0] == "en",
        _listen_as_sphinx,
        lambda: ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")),
        instead_of,
    )


def _listen_as_sphinx(waveform: Waveform, language: str) -> str:
    decoder = _decoder(language)
    decoder.reinit_feat()  # forgets the channel estimate of the previous utterance, as a new decoder would
    decoder.start_utt()
    decoder.process_raw((waveform * 32767).round().astype(np.int16).tobytes(), full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


@functools.cache
def _decoder(language: str) -> Decoder:
    if language.partition("-")[0] != "en":
        raise ValueError(f"pocketsphinx knows English alone, not {language!r}")
    return Decoder(loglevel="FATAL", **_SPHINX_SETTINGS)  # with the wheel's acoustic and language model
