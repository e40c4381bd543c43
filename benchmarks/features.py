"""Log-mels beside librosa's on the same recordings, in turn, in one process, one thread.

myxtts run demo && python -m benchmarks.features
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import librosa
import numpy as np
import numpy.typing as npt
import torch

from configs.outs import Outs
from configs.schema import load_config
from data.audio import Waveform, read_audio
from data.corpus import read_corpus
from data.mel import FLOOR, log_mel

PRESET = "demo"
AUDIO = load_config(PRESET).audio
ROUNDS = 7

Mel = npt.NDArray[np.float32]


def by_librosa(samples: Waveform) -> Mel:
    """Log-mel (t, n_mels) as librosa's users take it."""
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
    mel_tm: Mel = np.log(np.maximum(mel_mt, FLOOR)).T
    return mel_tm


def by_us(samples: Waveform) -> Mel:
    """Log-mel (t, n_mels) as this project takes it."""
    mel_tm: Mel = log_mel(torch.from_numpy(samples)[None], AUDIO)[0].numpy()
    return mel_tm


def seconds_of(extract: Callable[[Waveform], Mel], recordings: list[Waveform]) -> float:
    """How long it takes to extract all recordings, s."""
    started = time.perf_counter()
    for samples in recordings:
        extract(samples)
    return time.perf_counter() - started


def main() -> None:
    """Print the ratio of speeds, a median of rounds, and the largest difference of the mels."""
    torch.set_num_threads(1)
    recordings = [read_audio(clip.path, AUDIO.sample_rate) for clip in read_corpus(Outs(PRESET).corpus)]
    difference = max(np.abs(by_us(r) - by_librosa(r)[: len(by_us(r))]).max() for r in recordings[:20])
    pairs = [(seconds_of(by_librosa, recordings), seconds_of(by_us, recordings)) for _ in range(ROUNDS)]
    minutes = sum(map(len, recordings)) / AUDIO.sample_rate / 60
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    print(f"{minutes:.1f} minutes of speech: {ratio:.2f} x librosa's speed; largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
