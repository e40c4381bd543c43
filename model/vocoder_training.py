"""Training of the neural vocoder on the corpus alone, and what it is measured by.

First the pitch network learns from labels by Praat, then the filter network learns to make the recordings' spectra.
Both count optimizer steps, and what a step draws depends only on the seed and the step.

Suffixes: b batch, t mel frames, h half frames (2t), m mel bands, p pitch classes, s samples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import parselmouth
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.errors import Refused
from common.progress import Report, silent
from configs.schema import Audio
from configs.schema import Vocoder as Settings
from model.state import States
from model.vocoder import PITCH_CEILING, PITCH_FLOOR, SourceFilterVocoder, griffin_lim, vocode

Array = npt.NDArray[np.float32]
WARMUP_STEPS = 100
GROSS_ERROR = 0.2
"""A pitch further than this from the true one, as a share of it, is an error and not an inaccuracy."""


class TooLittleToLearn(Refused):
    """The recordings are too few to train the vocoder on, or to measure it by."""


class VocoderExample(NamedTuple):
    """Waveform and log-mel of one recording, t = s // hop_length."""

    waveform_s: Array
    mel_tm: Array


def train_vocoder(
    examples: Sequence[VocoderExample],
    held_out: Sequence[VocoderExample],
    audio: Audio,
    settings: Settings,
    seed: int,
    threads: int,
    report: Report = silent,
    states: States | None = None,
) -> tuple[SourceFilterVocoder, dict[str, float]]:
    """A vocoder trained on `examples`, and its `vocoder_figures` for `held_out`.

    The steps of both networks are counted through from 1. The same examples, settings, seed and number of threads
    give the same weights, bit for bit. With `states`, the training goes on from the last of them, to those same
    weights, and keeps its own there. Raises `TooLittleToLearn`.
    """
    frames = sum(len(example.mel_tm) for example in examples)
    if frames < settings.segment_frames:
        raise TooLittleToLearn(
            f"vocoder.segment_frames = {settings.segment_frames}: the training clips have only {frames}"
        )
    if not held_out:
        raise TooLittleToLearn("there are no held-out clips to measure the vocoder by")
    all_steps = settings.pitch_steps + settings.filter_steps
    with _threads(threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vocoder = SourceFilterVocoder(audio)
        material = _Material.of(examples, audio)

        def pitch_loss(batch: _Batch) -> Tensor:
            logits_bhp, voicing_bh = vocoder.pitch_logits(batch.mel_btm)
            voiced_bh = batch.pitch_bh > 0
            distance_bhp = batch.pitch_bh.clamp_min(PITCH_FLOOR).log()[..., None] - vocoder.log_pitch_p
            target_bhp = (-0.5 * (distance_bhp / vocoder.log_pitch_p.diff().mean()).square()).softmax(-1)
            of_class_bh = -(target_bhp * logits_bhp.log_softmax(-1)).sum(-1)
            of_voicing = F.binary_cross_entropy_with_logits(voicing_bh, voiced_bh.float())
            return (of_class_bh * voiced_bh).sum() / voiced_bh.sum().clamp_min(1) + 2 * of_voicing

        def filter_loss(batch: _Batch) -> Tensor:
            made_bs = vocoder(batch.mel_btm, batch.pitch_bh, batch.noise_bs)
            return stft_distance(made_bs, batch.waveform_bs, audio)

        state = states.latest(all_steps) if states else None
        done = state.step if state else 0
        if state:
            state.restore_module(vocoder)
        before = 0
        for network, loss_of, steps in (
            (vocoder.pitch_network, pitch_loss, settings.pitch_steps),
            (vocoder.filter_network, filter_loss, settings.filter_steps),
        ):
            optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
            if state and before < done < before + steps:
                state.restore_optimizer(optimizer)
            for i in range(max(0, done - before), steps):
                step = before + i + 1
                fall = max(0.03, 1 - i / steps)
                optimizer.param_groups[0]["lr"] = settings.learning_rate * min(1.0, (i + 1) / WARMUP_STEPS) * fall
                loss = loss_of(material.batch(settings, seed, step))
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                report("training the vocoder", step, all_steps, {"loss": loss.item()})
                if states:
                    states.keep(step, {}, vocoder, optimizer)
            before += steps
    return vocoder, vocoder_figures(vocoder, held_out, seed)


@dataclass(frozen=True)
class _Batch:
    mel_btm: Tensor
    pitch_bh: Tensor
    waveform_bs: Tensor
    noise_bs: Tensor


@dataclass(frozen=True)
class _Material:
    """All examples one after another, frame by frame: mel, pitch of the two half frames, samples of the hop."""

    mel_tm: Tensor
    pitch_th: Tensor
    samples_ts: Tensor

    @classmethod
    def of(cls, examples: Sequence[VocoderExample], audio: Audio) -> _Material:
        hops = [example.waveform_s[: len(example.mel_tm) * audio.hop_length] for example in examples]
        return cls(
            torch.from_numpy(np.concatenate([example.mel_tm for example in examples])),
            torch.from_numpy(np.concatenate([pitch_labels(hop_s, audio) for hop_s in hops])).unflatten(0, (-1, 2)),
            torch.from_numpy(np.concatenate(hops)).unflatten(0, (-1, audio.hop_length)),
        )

    def batch(self, settings: Settings, seed: int, step: int) -> _Batch:
        """Random segments; some of the mels blurred and noisy, as those of a synthesis model are."""
        draw = torch.Generator().manual_seed(int(np.random.SeedSequence((seed, step)).generate_state(1)[0]))
        size, frames = settings.batch_size, settings.segment_frames
        start_b = torch.randint(len(self.mel_tm) - frames + 1, (size,), generator=draw)
        at_bt = start_b[:, None] + torch.arange(frames)

        mel_btm = self.mel_tm[at_bt]
        blurred_btm = F.avg_pool2d(F.pad(mel_btm, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        blur_b = 0.6 * torch.rand(size, generator=draw) * (torch.rand(size, generator=draw) < 0.4)
        noise_b = 0.05 * torch.rand(size, generator=draw)
        mel_btm = torch.lerp(mel_btm, blurred_btm, blur_b[:, None, None])
        mel_btm = mel_btm + noise_b[:, None, None] * torch.randn(mel_btm.shape, generator=draw)

        waveform_bs = self.samples_ts[at_bt].flatten(1)
        noise_bs = torch.randn(waveform_bs.shape, generator=draw)
        return _Batch(mel_btm, self.pitch_th[at_bt].flatten(1), waveform_bs, noise_bs)


def pitch_labels(waveform: Array, audio: Audio) -> Array:
    """Pitch in Hz by Praat's autocorrelation, 0 where there is no voice, at every half frame: (2t,)."""
    step = audio.hop_length / 2 / audio.sample_rate
    margin = 0.1
    silence = np.zeros(round(margin * audio.sample_rate))
    sound = parselmouth.Sound(np.concatenate([silence, waveform, silence]), audio.sample_rate)
    pitch = sound.to_pitch_ac(time_step=step, pitch_floor=PITCH_FLOOR, pitch_ceiling=PITCH_CEILING)
    half_frames = range(2 * (len(waveform) // audio.hop_length))
    # Interpolated between Praat's own frames, for these do not fall on ours; NaN where there is no voice.
    return np.nan_to_num(np.array([pitch.get_value_at_time(margin + step * h) for h in half_frames], dtype=np.float32))


def stft_distance(made_bs: Tensor, true_bs: Tensor, audio: Audio) -> Tensor:
    """Multi-resolution STFT distance: the mean over four windows, n_fft and below, of the difference in log magnitude
    and half of that in magnitude, as a share of the true sum and of the true energy."""
    distances = []
    for n_fft in (audio.n_fft, audio.n_fft // 2, audio.n_fft // 4, audio.n_fft // 8):
        window = torch.hann_window(n_fft, device=made_bs.device)
        made, true = (
            torch.stft(signal_bs, n_fft, n_fft // 4, window=window, return_complex=True).abs()
            for signal_bs in (made_bs, true_bs)
        )
        quiet = 2e-6 * n_fft
        log_difference = (made.clamp_min(quiet).log() - true.clamp_min(quiet).log()).abs().mean()
        share = (made - true).abs().sum() / true.sum().clamp_min(quiet)
        convergence = ((made - true).square().sum() / true.square().sum().clamp_min(quiet**2)).sqrt()
        distances.append(log_difference + 0.5 * share + 0.5 * convergence)
    return torch.stack(distances).mean()


def pitch_errors(made_h: Array, true_h: Array) -> dict[str, float]:
    """How far one pitch track is from another, both as `pitch_labels` gives them.

    `voicing_error`: share of half frames with a voice in one only; among those with a voice in both,
    `gross_pitch_error`: share that is off by more than a fifth, and `pitch_cents`: mean difference of the others.
    """
    made_voiced, true_voiced = made_h > 0, true_h > 0
    both = made_voiced & true_voiced
    ratio = made_h[both] / true_h[both]
    gross = np.abs(ratio - 1) > GROSS_ERROR
    cents = 1200 * np.abs(np.log2(ratio[~gross]))
    return {
        "voicing_error": float(np.mean(made_voiced != true_voiced)),
        "gross_pitch_error": float(gross.mean()) if gross.size else 0.0,
        "pitch_cents": float(cents.mean()) if cents.size else 0.0,
    }


def vocoder_figures(vocoder: SourceFilterVocoder, examples: Sequence[VocoderExample], seed: int) -> dict[str, float]:
    """Mean STFT distance to the recordings and `pitch_errors` of vocoded examples, and the same for Griffin-Lim.

    `real_time_factor`, the only figure that a clock decides, is seconds of work for a second of speech on one thread.
    """
    audio = vocoder.audio
    distances: dict[str, list[float]] = {"": [], "griffin_lim_": []}
    tracks: dict[str, list[Array]] = {"": [], "griffin_lim_": [], "true": []}
    seconds = 0.0
    with _threads(1):
        for example in examples:
            true_s = torch.from_numpy(example.waveform_s[: len(example.mel_tm) * audio.hop_length])
            mel_tm = torch.from_numpy(example.mel_tm)
            started = time.perf_counter()
            made_s = vocode(mel_tm, vocoder, seed)
            seconds += time.perf_counter() - started
            classic_s = griffin_lim(mel_tm, audio, seed)
            for kind, waveform_s in (("", made_s), ("griffin_lim_", classic_s)):
                distances[kind].append(stft_distance(waveform_s[None], true_s[None], audio).item())
                tracks[kind].append(pitch_labels(waveform_s.numpy(), audio))
            tracks["true"].append(pitch_labels(true_s.numpy(), audio))
    true_track = np.concatenate(tracks["true"])
    figures = {f"{kind}stft_distance": math.fsum(distances[kind]) / len(examples) for kind in distances}
    for kind in distances:
        errors = pitch_errors(np.concatenate(tracks[kind]), true_track)
        figures |= {f"{kind}{name}": error for name, error in errors.items()}
    samples = sum(len(example.mel_tm) for example in examples) * audio.hop_length
    return figures | {"real_time_factor": seconds * audio.sample_rate / samples}


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Work on `count` CPU threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
