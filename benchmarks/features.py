"""Log-mels beside librosa's on the same recordings, in turn, in one process, one thread.

myxtts run demo && python -m benchmarks.features
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import librosa
import numpy as np
import torch

from common import ROOT
from configs.schema import load_config
from data.audio import Waveform, read_audio
from data.corpus import read_corpus
from data.mel import FLOOR, log_mel

AUDIO = load_config("demo").audio
ROUNDS = 7


def by_librosa(samples: Waveform) -> np.ndarray:
    mel_mt = librosa.feature.melspectrogram(
        y=samples,
        sr=AUDIO.sample_rate,
        n_fft=AUDIO.n_fft,
        hop_length=AUDIO.hop_length,
        n_mels=AUDIO.n_mels,
        fmin=AUDIO.fmin,
        fmax=AUDIO.fmax,
        power=1.0,
        pad_mode="reflect",
    )
    return np.log(np.maximum(mel_mt, FLOOR)).T


def by_us(samples: Waveform) -> np.ndarray:
    return log_mel(torch.from_numpy(samples)[None], AUDIO)[0].numpy()


def seconds_of(extract: Callable[[Waveform], np.ndarray], recordings: list[Waveform]) -> float:
    started = time.perf_counter()
    for samples in recordings:
        extract(samples)
    return time.perf_counter() - started


def main() -> None:
    torch.set_num_threads(1)
    clips = read_corpus(ROOT / "corpora/demo")["path"]
    recordings = [read_audio(path, AUDIO.sample_rate) for path in clips]
    difference = max(np.abs(by_us(r) - by_librosa(r)[: len(by_us(r))]).max() for r in recordings[:20])
    pairs = [(seconds_of(by_librosa, recordings), seconds_of(by_us, recordings)) for _ in range(ROUNDS)]
    minutes = sum(map(len, recordings)) / AUDIO.sample_rate / 60
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    print(f"{minutes:.1f} minutes of speech: {ratio:.2f} x librosa's speed; largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
