"""What the aligner hears: cepstra and how they change."""

from __future__ import annotations

import librosa
import numpy as np
import numpy.typing as npt

from data.audio import Waveform

CEPSTRA = 13

Array = npt.NDArray[np.float32]


def cepstra(samples: Waveform, sample_rate: int, hop_length: int) -> Array:
    """Cepstra (1 + n // hop_length, 13) of n samples; frame t is centred on sample t · hop_length."""
    window = round(0.025 * sample_rate)
    emphasised = np.append(samples[:1], samples[1:] - 0.97 * samples[:-1])
    mel_ct = librosa.feature.melspectrogram(
        y=emphasised,
        sr=sample_rate,
        n_fft=max(512, 1 << (window - 1).bit_length()),
        win_length=window,
        hop_length=hop_length,
        n_mels=40,
        fmin=60,
    )
    cepstra_tc: Array = librosa.feature.mfcc(S=np.log(mel_ct + 3e-4), n_mfcc=CEPSTRA).T
    return cepstra_tc


def with_differences(cepstra_tc: Array) -> Array:
    """Cepstra with their first and second differences, (t, 39)."""
    cepstra_ct = cepstra_tc.T
    deltas = [librosa.feature.delta(cepstra_ct, width=5, order=order, mode="nearest") for order in (1, 2)]
    return np.concatenate([cepstra_ct, *deltas]).T.astype(np.float32)
