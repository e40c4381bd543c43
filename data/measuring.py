"""What features are made of, clip by clip: its log-mel, its cepstra and what is said in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from configs.schema import Audio
from data.audio import trimmed_audio
from data.cepstra import CEPSTRA, cepstra, with_differences
from data.corpus import CorpusClip
from data.mel import log_mel
from data.pieces import Spoken, read_texts, sentences_of
from data.vocabulary import Tokens

Array = npt.NDArray[np.float32]
Tensors = Mapping[str, npt.NDArray[np.generic]]

_ESPEAK = threading.Lock()  # it knows one thread only


@dataclass(frozen=True)
class Measured:
    """A clip as it was measured; a clip that is shorter than half a Fourier window has no frames."""

    mel_tm: Array
    cepstra_tc: Array
    """Thirteen at half the hop; one frame more than twice as many as those of the mel."""
    spoken: Spoken

    @property
    def half_frames(self) -> int:
        """How many frames there are to align to."""
        return 2 * len(self.mel_tm)

    def acoustic_tc(self) -> Array:
        """The cepstra with their first and second differences, (half_frames, 39)."""
        return with_differences(self.cepstra_tc)[: self.half_frames]

    def as_tensors(self) -> Tensors:
        """All of it that its text doesn't say."""
        tokens = self.spoken.tokens
        return {
            "mel": self.mel_tm,
            "cepstra": self.cepstra_tc,
            "tokens": np.array([tokens.symbols, tokens.modifiers], np.int32),
            "ends": np.array(self.spoken.ends, np.int32),
        }

    @classmethod
    def of(cls, tensors: Tensors, text: str) -> Measured:
        """What `as_tensors` was made of, with the clip's text."""
        symbols, modifiers = tensors["tokens"].tolist()
        spoken = Spoken(Tokens(symbols, modifiers), sentences_of(text), tensors["ends"].tolist())
        return cls(np.asarray(tensors["mel"], np.float32), np.asarray(tensors["cepstra"], np.float32), spoken)


Spread = Callable[[Iterable[Sequence[CorpusClip]]], Iterator[list[Measured]]]
"""Measures batches of clips, some of which may be empty, and gives the results in their order."""


def spread_here(workers: int, audio: Audio) -> Spread:
    """Measure on this machine, with so many threads."""
    return lambda batches: (measure(clips, audio, workers) for clips in batches)


def measure(clips: Sequence[CorpusClip], audio: Audio, workers: int = 1) -> list[Measured]:
    """Measure clips with so many threads. Raises `AudioError`, which names the file, where one cannot be read."""
    with _ESPEAK:
        spoken = read_texts(clips)
    with ThreadPoolExecutor(workers) as pool:
        sounds = pool.map(lambda clip: _sound(clip.path, audio), clips)
        return [Measured(*sound, said) for sound, said in zip(sounds, spoken, strict=True)]


def _sound(path: Path, audio: Audio) -> tuple[Array, Array]:
    samples = trimmed_audio(path, audio)
    if len(samples) <= audio.n_fft // 2:  # nothing to reflect at its ends
        return np.zeros((0, audio.n_mels), np.float32), np.zeros((0, CEPSTRA), np.float32)
    mel_tm = log_mel(torch.from_numpy(samples)[None], audio)[0].numpy()
    return mel_tm, cepstra(samples, audio.sample_rate, audio.hop_length // 2)
