"""Judging by numbers and without a network: how much was misheard, and how good speech sounds to DNSMOS."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution

import jiwer
import librosa
import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from common.progress import Report, silent, watched
from data.audio import Waveform

_RATE = 16000  # what both judges were trained on, Hz
_WINDOW = 144160  # samples that DNSMOS hears at once; it moves on by a second
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)  # its polynomial from the network's output to the opinion score

_SPELT_ALIKE = {
    **dict.fromkeys(map(ord, "'’‘ʼ`\u00ad\u200b\u200c\u200d\u200e\u200f\u0640"), None),
    **dict.fromkeys(range(0x064B, 0x0653), None),  # Arabic's short vowels, which most texts leave out
    **dict.fromkeys((*range(0x0591, 0x05BE), *range(0x05BF, 0x05C8)), None),  # Hebrew's points
    **str.maketrans("ёşţيىكۀة", "еșțییکهه"),
    ord("œ"): "oe",
}
"""What a recogniser and a transcript may write differently though it sounds the same."""


def prepare(waveform: Waveform, sample_rate: int) -> Waveform:
    """Samples at the judges' rate, within [-1, 1] and at least one: no sound is heard as silence."""
    if len(waveform) == 0:
        return np.zeros(1, np.float32)
    if sample_rate != _RATE:
        waveform = librosa.resample(waveform, orig_sr=sample_rate, target_sr=_RATE)
    return waveform.clip(-1.0, 1.0)


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
    prepared = [prepare(waveform, sample_rate) for waveform in waveforms]
    with ThreadPoolExecutor(workers) as pool:
        return list(watched(pool.map(_quality, prepared), "judging quality", len(prepared), report))


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
    """Letters, their marks and digits; what one word is written in two ways by is written in one."""
    kept = []
    for character in unicodedata.normalize("NFC", text.casefold()).translate(_SPELT_ALIKE):
        kept.append(character if unicodedata.category(character)[0] in "LMN" else " ")
    return " ".join("".join(kept).split())
