"""Judges that need no network: what a speech recogniser hears, and how good speech sounds to DNSMOS."""

from __future__ import annotations

import functools
import multiprocessing
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.metadata import distribution, version

import jiwer
import librosa
import numpy as np
from onnxruntime import InferenceSession, SessionOptions
from pocketsphinx import Decoder

from common.progress import Report, silent, watched
from data.audio import Waveform

ASR_LANGUAGE = "en"
"""The only language that the recogniser knows."""

_SETTINGS = {"fwdflat": False, "maxhmmpf": 5000}
"""Of the recogniser, where they are not its own defaults: the second search costs 40% and hears no better."""

_RATE = 16000  # what both judges were trained on, Hz
_WINDOW = 144160  # samples that DNSMOS hears at once; it moves on by a second
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)  # its polynomial from the network's output to the opinion score


def asr_identity() -> str:
    """Name and version of the recogniser and its model; error rates of different ones cannot be compared."""
    settings = ", ".join(f"{name}={value}" for name, value in _SETTINGS.items())
    return f"pocketsphinx {version('pocketsphinx')} (en-us, {settings})"


def transcribe(waveforms: Sequence[Waveform], sample_rate: int, workers: int, report: Report = silent) -> list[str]:
    """What an English speech recogniser hears in mono waveforms in [-1, 1]; "" where it hears nothing.

    Every waveform is heard by itself: neither its neighbours nor the number of worker processes change the result.
    """
    pcm = [(_prepare(waveform, sample_rate) * 32767).round().astype(np.int16).tobytes() for waveform in waveforms]
    if workers == 1:
        return list(watched(map(_hear, pcm), "recognising speech", len(pcm), report))
    # Processes, since the recogniser holds the interpreter's lock; spawned, since a fork of a process with torch's
    # threads can hang.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        return list(watched(pool.map(_hear, pcm), "recognising speech", len(pcm), report))


def error_rates(reference: str, hypothesis: str) -> tuple[float, float]:
    """Character and word error rate of what was heard; 1.0 if nothing was, above 1.0 if much more was.

    Both texts are to be normalised (digits spoken); punctuation and case do not count. Over a whole corpus, weigh
    the rates by `lengths` of the references. Raises `ValueError` if the reference has no word.
    """
    reference, hypothesis = _words_only(reference), _words_only(hypothesis)
    if not reference:
        raise ValueError("error rates need a reference with at least one word")
    return jiwer.cer(reference, hypothesis), jiwer.wer(reference, hypothesis)


def lengths(text: str) -> tuple[int, int]:
    """How many characters and words of a text `error_rates` counts."""
    words = _words_only(text)
    return len(words), len(words.split())


def dnsmos(waveforms: Sequence[Waveform], sample_rate: int, workers: int, report: Report = silent) -> list[float]:
    """Overall quality (OVRL) of mono waveforms as DNSMOS P.835 estimates it: 1 is bad, 5 is excellent."""
    prepared = [_prepare(waveform, sample_rate) for waveform in waveforms]
    with ThreadPoolExecutor(workers) as pool:
        return list(watched(pool.map(_quality, prepared), "judging quality", len(prepared), report))


def _prepare(waveform: Waveform, sample_rate: int) -> Waveform:
    """Samples at the judges' rate, within [-1, 1] and at least one: no sound is heard as silence."""
    if len(waveform) == 0:
        return np.zeros(1, np.float32)
    if sample_rate != _RATE:
        waveform = librosa.resample(waveform, orig_sr=sample_rate, target_sr=_RATE)
    return waveform.clip(-1.0, 1.0)


def _hear(pcm: bytes) -> str:
    decoder = _decoder()
    decoder.reinit_feat()  # forgets the channel estimate of the previous utterance, as a new decoder would
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


@functools.cache
def _decoder() -> Decoder:
    return Decoder(loglevel="FATAL", **_SETTINGS)  # with the wheel's acoustic and language model


def _quality(waveform: Waveform) -> float:
    """As `speechmos.dnsmos`, but without its second model and its busy threads.

    A short sound is repeated to fill one window instead of several, which costs a quarter and differs by 0.02.
    """
    if len(waveform) < _WINDOW:
        waveform = np.resize(waveform, _WINDOW)
    starts = range(0, max(_RATE, len(waveform) // _RATE * _RATE - _WINDOW), _RATE)
    windows = [waveform[None, start : start + _WINDOW] for start in starts]
    scores = [_dnsmos_session().run(None, {"input_1": window})[0][0, 2] for window in windows]
    return float(np.polyval(_OVERALL, scores).mean())


@functools.cache
def _dnsmos_session() -> InferenceSession:
    options = SessionOptions()
    options.intra_op_num_threads = 1
    model = distribution("speechmos").locate_file("speechmos/dnsmos_models/sig_bak_ovr.onnx")
    return InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _words_only(text: str) -> str:
    text = re.sub(r"['’]", "", text.lower())
    return " ".join(re.sub(r"[\W_]+", " ", text).split())
