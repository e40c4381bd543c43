"""The one log-mel of the project: training, synthesis, vocoding and evaluation all use this definition."""

from __future__ import annotations

import functools

import librosa
import numpy as np
import torch

from configs.schema import Audio

FLOOR = 1e-4
"""Smallest mel amplitude; its logarithm is the value of digital silence."""


def log_mel(audio_bs: torch.Tensor, audio: Audio) -> torch.Tensor:
    """Natural logarithm of mel amplitudes of waveforms, (b, samples) → (b, t, n_mels) with t = samples // hop_length.

    Frame t is centred on sample t · hop_length.
    """
    n_frames = audio_bs.shape[-1] // audio.hop_length
    spectrum_bft = torch.stft(
        audio_bs,
        audio.n_fft,
        audio.hop_length,
        window=torch.hann_window(audio.n_fft, device=audio_bs.device),
        center=True,
        return_complex=True,
    ).abs()[..., :n_frames]
    return log_mel_of(spectrum_bft, audio)


def log_mel_of(magnitude_bft: torch.Tensor, audio: Audio) -> torch.Tensor:
    """Log-mel (b, t, n_mels) of STFT magnitudes (b, n_fft // 2 + 1, t)."""
    mel_bmt = mel_filters(audio).to(magnitude_bft.device) @ magnitude_bft
    return mel_bmt.clamp_min(FLOOR).log().transpose(-1, -2).contiguous()


@functools.cache
def mel_filters(audio: Audio) -> torch.Tensor:
    """Area-normalised triangular filters on the Slaney mel scale, (n_mels, n_fft // 2 + 1)."""
    filters = librosa.filters.mel(
        sr=audio.sample_rate, n_fft=audio.n_fft, n_mels=audio.n_mels, fmin=audio.fmin, fmax=audio.fmax
    )
    return torch.from_numpy(filters.astype(np.float32))
