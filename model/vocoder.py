"""From log-mels to waveforms: a small neural vocoder, and Griffin-Lim, which needs no training, to compare it with.

The vocoder is a source-filter model. It reads pitch and voicing from the mel, makes a train of pulses at that
pitch and white noise, shapes both with filters that vary in time, and moves the level of every band of what comes out
to where the mel has it: whoever listens finds the mel again that went in. It stands in the family of DDSP (Engel et
al., 2020), the neural homomorphic vocoder (Liu et al., 2020) and neural source-filter models (Wang et al., 2019); its
networks are ConvNeXt blocks, as in Vocos (Siuzdak, 2023).
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from configs.schema import Audio
from data.mel import log_mel_of, mel_filters

GRIFFIN_LIM_ITERATIONS = 40
GRIFFIN_LIM_MOMENTUM = 0.99
INVERSION_UPDATES = 30
SMALLEST = 1e-8
"""Amplitude that stands for none, where one has to be divided by."""

LIMITER_REACH = 64
"""Samples before and after a peak over which the gain falls and rises."""

PITCH_FLOOR, PITCH_CEILING = 70.0, 400.0
"""Range of voices, Hz."""
TYPICAL_PITCH = 190.0
"""Hz; the filter network reads pitch relative to it."""
PITCH_CLASSES = 128
BLOCKS = 4
"""ConvNeXt blocks of each network."""
LOG_GAIN_RANGE = (-14.0, 5.0)
"""Keeps the filters finite, whatever the network says."""
CORRECTIONS = 2
"""How often the sound is held against the mel."""
LARGEST_CORRECTION = 2.0
"""By how much, as a logarithm, the level of a band is moved at most at once."""


@torch.no_grad()
def vocode(mel_tm: Tensor, vocoder: SourceFilterVocoder, seed: int = 0) -> Tensor:
    """Waveform (t · hop_length samples, within [-1, 1]) of a log-mel; the same mel and seed give the same waveform."""
    mel_btm = mel_tm.float()[None]
    # Drawn on the CPU, so that every device hears the same noise.
    noise_bs = torch.randn(1, mel_tm.shape[0] * vocoder.audio.hop_length, generator=torch.Generator().manual_seed(seed))
    waveform_bs: Tensor = vocoder(mel_btm, vocoder.track_pitch(mel_btm), noise_bs.to(mel_tm.device))
    return _limit_peak(waveform_bs[0])


def griffin_lim(mel_tm: Tensor, audio: Audio, seed: int = 0) -> Tensor:
    """Waveform (t · hop_length samples) whose log-mel is near `mel_tm`, by fast Griffin-Lim (Perraudin et al., 2013).

    The phase starts random, drawn from `seed`. Where the waveform would clip, its gain is lowered.
    """
    magnitude_ft = _linear_magnitude(mel_tm.float(), audio)
    # A frame is centred on the start of its hop, so the last hop needs one more.
    magnitude_ft = torch.cat([magnitude_ft, magnitude_ft[:, -1:]], dim=1)
    samples = mel_tm.shape[0] * audio.hop_length
    window = torch.hann_window(audio.n_fft, device=mel_tm.device)

    def to_waveform(spectrum_ft: Tensor) -> Tensor:
        return torch.istft(spectrum_ft, audio.n_fft, audio.hop_length, window=window, length=samples)

    generator = torch.Generator().manual_seed(seed)
    angle_ft = 2 * math.pi * torch.rand(magnitude_ft.shape, generator=generator).to(mel_tm.device)
    phase_ft = torch.polar(torch.ones_like(angle_ft), angle_ft)
    previous_ft = torch.zeros_like(phase_ft)
    for _ in range(GRIFFIN_LIM_ITERATIONS):
        consistent_ft = torch.stft(
            to_waveform(magnitude_ft * phase_ft),
            audio.n_fft,
            audio.hop_length,
            window=window,
            pad_mode="constant",
            return_complex=True,
        )
        ahead_ft = consistent_ft - GRIFFIN_LIM_MOMENTUM / (1 + GRIFFIN_LIM_MOMENTUM) * previous_ft
        phase_ft = ahead_ft / ahead_ft.abs().clamp_min(SMALLEST)
        previous_ft = consistent_ft
    return _limit_peak(to_waveform(magnitude_ft * phase_ft))


def _linear_magnitude(mel_tm: Tensor, audio: Audio) -> Tensor:
    """Non-negative STFT magnitudes (n_fft // 2 + 1, t) whose mel is nearest to `mel_tm`.

    Least squares, then Lee and Seung's multiplicative updates, which keep every magnitude positive.
    """
    filters_mf = mel_filters(audio).to(mel_tm.device)
    mel_mt = mel_tm.exp().T
    magnitude_ft: Tensor = (torch.linalg.pinv(filters_mf) @ mel_mt).clamp_min(SMALLEST)
    wanted_ft = filters_mf.T @ mel_mt
    for _ in range(INVERSION_UPDATES):
        magnitude_ft = magnitude_ft * wanted_ft / (filters_mf.T @ (filters_mf @ magnitude_ft)).clamp_min(SMALLEST)
    return magnitude_ft


def _limit_peak(waveform_s: Tensor) -> Tensor:
    """Lower the gain smoothly around the samples that would clip; what is further away stays as it is."""
    width = 2 * LIMITER_REACH + 1
    gain_1s: Tensor = 1 / F.max_pool1d(waveform_s.abs()[None], width, 1, LIMITER_REACH).clamp_min(1.0)
    gain_1s = F.avg_pool1d(gain_1s, width, 1, LIMITER_REACH, count_include_pad=False)
    return (waveform_s * gain_1s[0]).clamp(-1.0, 1.0)


class SourceFilterVocoder(nn.Module):
    """Mels to waveforms by shaping pulses and noise; made for one `audio` setting, from which all its sizes follow.

    Pitch is in Hz, 0 where there is no voice, given twice a frame. Suffixes: b batch, t mel frames, h half frames,
    m mel bands, p pitch classes, f frequency bins, s samples.
    """

    def __init__(self, audio: Audio) -> None:
        super().__init__()
        self.audio = audio
        self.n_fft = audio.n_fft // 2
        self.hop_length = audio.hop_length // 2
        self.bins = self.n_fft // 2 + 1
        self.pitch_network = _ConvNeXt(audio.n_mels, 2 * (PITCH_CLASSES + 1), width=128, expansion=2)
        self.filter_network = _ConvNeXt(audio.n_mels + 4, 2 * 3 * self.bins, width=256, expansion=3)
        # At first the filters are the envelope that the mel itself shows.
        nn.init.normal_(self.filter_network.output.weight, std=0.002)
        nn.init.zeros_(self.filter_network.output.bias)

        filters_mf = mel_filters(audio).numpy()
        area_m = filters_mf.sum(axis=1)
        band_m = filters_mf @ np.linspace(0, audio.sample_rate / 2, filters_mf.shape[1]) / area_m
        bin_f = np.linspace(0, audio.sample_rate / 2, audio.n_fft // 2 + 1)
        band_to_bin_mf = np.stack([np.interp(bin_f, band_m, one) for one in np.eye(audio.n_mels)])
        # White noise of power 1 has this root-mean-square amplitude in a bin of the mel's Hann window.
        unit_noise = math.sqrt(0.375 * audio.n_fft)
        self.band_to_bin_mf: Tensor
        self.unit_noise_m: Tensor
        self.window: Tensor
        self.log_pitch_p: Tensor
        self.register_buffer("band_to_bin_mf", torch.tensor(band_to_bin_mf, dtype=torch.float32), persistent=False)
        self.register_buffer("unit_noise_m", torch.from_numpy(np.log(area_m * unit_noise)).float(), persistent=False)
        self.register_buffer("window", torch.hann_window(self.n_fft), persistent=False)
        log_pitch_p = torch.linspace(math.log(PITCH_FLOOR), math.log(PITCH_CEILING), PITCH_CLASSES)
        self.register_buffer("log_pitch_p", log_pitch_p, persistent=False)

    def pitch_logits(self, mel_btm: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the pitch classes (b, h, p) and of there being a voice (b, h); h = 2t."""
        logits_bhp = self.pitch_network(_standardize(mel_btm)).unflatten(-1, (2, -1)).flatten(1, 2)
        return logits_bhp[..., 1:], logits_bhp[..., 0]

    def track_pitch(self, mel_btm: Tensor) -> Tensor:
        """Pitch (b, h), Hz: the mean around the likeliest class, smoothed by a median over three half frames."""
        logits_bhp, voicing_bh = self.pitch_logits(mel_btm)
        distance_bhp = torch.arange(PITCH_CLASSES, device=mel_btm.device) - logits_bhp.argmax(-1, keepdim=True)
        weight_bhp = logits_bhp.masked_fill(distance_bhp.abs() > 3, -math.inf).softmax(-1)
        pitch_bh = (weight_bhp @ self.log_pitch_p).exp() * (voicing_bh > 0)
        return F.pad(pitch_bh, (1, 1)).unfold(1, 3, 1).median(-1).values

    def forward(self, mel_btm: Tensor, pitch_bh: Tensor, noise_bs: Tensor) -> Tensor:
        """Waveforms (b, s), s = t · hop_length; `noise_bs` is white noise of power 1, of the same shape."""
        pulse_gain_bhf, phase_bhf, noise_gain_bhf = self._filters(mel_btm, pitch_bh)
        pulses_bfh = self._stft(self._pulses(pitch_bh))
        noise_bfh = self._stft(noise_bs)
        spectrum_bfh = pulses_bfh * torch.polar(pulse_gain_bhf.exp(), phase_bhf).mT
        spectrum_bfh = spectrum_bfh + noise_bfh * noise_gain_bhf.exp().mT
        # The last half hop needs one half frame more.
        spectrum_bfh = torch.cat([spectrum_bfh, spectrum_bfh[..., -1:]], dim=-1)
        made_bs = torch.istft(spectrum_bfh, self.n_fft, self.hop_length, window=self.window, length=noise_bs.shape[-1])
        for _ in range(CORRECTIONS):
            made_bs = self._correct(made_bs, mel_btm)
        return made_bs

    def _correct(self, waveform_bs: Tensor, mel_btm: Tensor) -> Tensor:
        """The waveforms with the level of every band moved towards that of the mel, frame by frame.

        Neighbouring bands move together, since the lowest are as narrow as a harmonic: speech from the smooth mels of
        a model then has the better DNSMOS, see benchmarks/README.md.
        """
        audio, samples = self.audio, waveform_bs.shape[-1]
        window = torch.hann_window(audio.n_fft, device=waveform_bs.device)
        padding = "reflect" if samples > audio.n_fft // 2 else "constant"  # as the mel's, if there is enough to reflect
        spectrum_bft = torch.stft(
            waveform_bs, audio.n_fft, audio.hop_length, window=window, pad_mode=padding, return_complex=True
        )
        made_btm = log_mel_of(spectrum_bft[..., :-1].abs(), audio)
        correction_btm = (mel_btm - made_btm).clamp(-LARGEST_CORRECTION, LARGEST_CORRECTION)
        correction_btm = F.avg_pool1d(correction_btm, 3, stride=1, padding=1, count_include_pad=False)
        gain_bft = (correction_btm @ self.band_to_bin_mf).exp().mT
        gain_bft = torch.cat([gain_bft, gain_bft[..., -1:]], dim=-1)  # the last hop needs one frame more
        return torch.istft(spectrum_bft * gain_bft, audio.n_fft, audio.hop_length, window=window, length=samples)

    def _filters(self, mel_btm: Tensor, pitch_bh: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log gain and phase for the pulses and log gain for the noise, each (b, h, f)."""
        voiced_bh = pitch_bh > 0
        height_bh = torch.where(voiced_bh, (pitch_bh.clamp_min(PITCH_FLOOR) / TYPICAL_PITCH).log(), 0.0)
        pitch_bth = torch.cat([half_bh.unflatten(-1, (-1, 2)) for half_bh in (height_bh, voiced_bh.float())], dim=-1)
        out_bthf = self.filter_network(torch.cat([_standardize(mel_btm), pitch_bth], dim=-1)).unflatten(-1, (2, 3, -1))
        pulse_bhf, phase_bhf, noise_bhf = out_bthf.flatten(1, 2).unbind(2)

        envelope_btf = (mel_btm - self.unit_noise_m) @ self.band_to_bin_mf[:, ::2]  # half as many bins as the mel's
        next_btf = torch.cat([envelope_btf[:, 1:], envelope_btf[:, -1:]], dim=1)
        envelope_bhf = torch.stack([envelope_btf, (envelope_btf + next_btf) / 2], dim=2).flatten(1, 2)
        return (
            (envelope_bhf + 4 * pulse_bhf).clamp(*LOG_GAIN_RANGE),
            3 * phase_bhf,
            (envelope_bhf - 1.5 + 4 * noise_bhf).clamp(*LOG_GAIN_RANGE),
        )

    def _pulses(self, pitch_bh: Tensor) -> Tensor:
        """Pulse trains (b, s) of power 1, with harmonics up to the Nyquist frequency; silent without a pitch."""
        voiced_bh = pitch_bh > 0
        # Next to a voice its pitch goes on, so that the pulses fade in and out at a steady pitch.
        before_bh, after_bh = F.pad(pitch_bh, (1, 0))[:, :-1], F.pad(pitch_bh, (0, 1))[:, 1:]
        beside_bh = torch.where(after_bh > 0, after_bh, before_bh).clamp_min(PITCH_FLOOR)
        pitch_bs = _interpolate(torch.where(voiced_bh, pitch_bh, beside_bh), self.hop_length)
        loudness_bs = _interpolate(voiced_bh.float(), self.hop_length)

        # Whole turns are dropped in double precision: a long utterance would use up the digits of a float.
        turns_bs = (pitch_bs.double() / self.audio.sample_rate).cumsum(-1).frac()
        phase_bs = (2 * math.pi * turns_bs).float()
        harmonics_bs = (0.49 * self.audio.sample_rate / pitch_bs).floor()
        # The sum of cos(k · phase) for k = 1 … harmonics, in closed form (Dirichlet's kernel).
        sine_bs = (phase_bs / 2).sin()
        flat_bs = sine_bs.abs() < 1e-4
        sum_bs = ((harmonics_bs + 0.5) * phase_bs).sin() / (2 * sine_bs.masked_fill(flat_bs, 1.0)) - 0.5
        return torch.where(flat_bs, harmonics_bs, sum_bs) * (2 / harmonics_bs).sqrt() * loudness_bs

    def _stft(self, waveform_bs: Tensor) -> Tensor:
        """Spectra (b, f, h) of waveforms, one for each half frame."""
        return torch.stft(
            waveform_bs, self.n_fft, self.hop_length, window=self.window, pad_mode="constant", return_complex=True
        )[..., :-1]


class _ConvNeXt(nn.Module):
    """Frames (b, t, inputs) to frames (b, t, outputs)."""

    def __init__(self, inputs: int, outputs: int, width: int, expansion: int) -> None:
        super().__init__()
        self.input = nn.Conv1d(inputs, width, 5, padding=2)
        self.blocks = nn.ModuleList([_ConvNeXtBlock(width, expansion) for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, outputs)

    def forward(self, x_bti: Tensor) -> Tensor:
        x_btd = self.input(x_bti.mT).mT
        for block in self.blocks:
            x_btd = block(x_btd)
        out_bto: Tensor = self.output(self.norm(x_btd))
        return out_bto


class _ConvNeXtBlock(nn.Module):
    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.across_time = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, expansion * width)
        self.contract = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.2))

    def forward(self, x_btd: Tensor) -> Tensor:
        hidden_btd = F.gelu(self.expand(self.norm(self.across_time(x_btd.mT).mT)), approximate="tanh")
        out_btd: Tensor = x_btd + self.scale * self.contract(hidden_btd)
        return out_btd


def _standardize(mel_btm: Tensor) -> Tensor:
    """Log-mels of speech at the usual levels, brought to about mean 0 and deviation 1."""
    return (mel_btm + 4.0) / 2.5


def _interpolate(value_bh: Tensor, factor: int) -> Tensor:
    """Linear interpolation, (b, h) → (b, h · factor): value h lies at sample h · factor, the last one is held."""
    next_bh = torch.cat([value_bh[:, 1:], value_bh[:, -1:]], dim=1)
    fraction_s = torch.arange(factor, device=value_bh.device) / factor
    return torch.lerp(value_bh[..., None], next_bh[..., None], fraction_s).flatten(1)
