"""Mels to waveforms: whatever is the mel, the waveform has it again, as long and no louder than may be."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import torch

from configs.schema import Audio
from data.mel import log_mel
from model import vocoder as vocoder_module
from model.vocoder import SourceFilterVocoder, griffin_lim, vocode
from model.vocoder_training import VocoderExample, pitch_errors, pitch_labels
from tests.model.conftest import AUDIO, example_of, white_noise

WIDER = AUDIO.model_copy(update={"sample_rate": 22050})


class Sound(Protocol):
    def __call__(self, mel_tm: torch.Tensor, seed: int = 0) -> torch.Tensor: ...


@pytest.fixture(scope="module")
def mel_tm(examples: list[VocoderExample]) -> torch.Tensor:
    return torch.from_numpy(examples[0].mel_tm)


@pytest.fixture(scope="module")
def untrained() -> SourceFilterVocoder:
    """Its filters are the mel's envelope, and its pitch is whatever it is given."""
    torch.manual_seed(0)
    return SourceFilterVocoder(AUDIO)


@pytest.fixture(scope="module", params=["Griffin-Lim", "neural vocoder"])
def sound(request: pytest.FixtureRequest, untrained: SourceFilterVocoder) -> Sound:
    if request.param == "Griffin-Lim":
        return lambda mel_tm, seed=0: griffin_lim(mel_tm, AUDIO, seed)
    return lambda mel_tm, seed=0: vocode(mel_tm, untrained, seed)


def test_griffin_lim_makes_a_waveform_with_that_mel(mel_tm: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    def error() -> float:
        waveform_s = griffin_lim(mel_tm, AUDIO)
        assert len(waveform_s) == len(mel_tm) * AUDIO.hop_length
        assert waveform_s.abs().max() <= 1
        return float((log_mel(waveform_s[None], AUDIO)[0] - mel_tm).abs().mean())

    near = error()
    monkeypatch.setattr(vocoder_module, "GRIFFIN_LIM_ITERATIONS", 2)
    assert near < 0.18 < error()


def test_the_vocoder_makes_a_waveform_with_that_mel(
    examples: list[VocoderExample],
    mel_tm: torch.Tensor,
    untrained: SourceFilterVocoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = examples[0].waveform_s
    pitch_bh, noise_bs = torch.from_numpy(pitch_labels(samples, AUDIO))[None], white_noise(len(samples))

    def error() -> float:
        with torch.inference_mode():
            waveform_bs = untrained(mel_tm[None], pitch_bh, noise_bs)
        return float((log_mel(waveform_bs, AUDIO)[0] - mel_tm).abs().mean())

    matched = error()
    monkeypatch.setattr(vocoder_module, "LARGEST_CORRECTION", 0.0)
    assert matched < 0.7 * error()


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_waveforms_of_the_shortest_mels(mel_tm: torch.Tensor, sound: Sound, frames: int) -> None:
    waveform_s = sound(mel_tm[:frames])
    assert len(waveform_s) == frames * AUDIO.hop_length
    assert waveform_s.isfinite().all()


def test_the_seed_decides_the_waveform(mel_tm: torch.Tensor, sound: Sound) -> None:
    first, again, other = (sound(mel_tm, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


def test_the_waveform_of_a_loud_mel_does_not_clip(mel_tm: torch.Tensor, sound: Sound) -> None:
    waveform_s = sound(mel_tm + 1.0)
    assert waveform_s.abs().max() <= 1
    assert (waveform_s.abs() > 0.999).float().mean() < 0.01, "the gain falls, the peaks are not cut off"


@pytest.mark.parametrize("audio", [AUDIO, WIDER], ids=["16000 Hz", "22050 Hz"])
def test_the_vocoder_fits_any_sample_rate(paths: list[Path], audio: Audio) -> None:
    samples, mel = example_of(paths[0], audio)
    torch.manual_seed(0)
    vocoder = SourceFilterVocoder(audio)
    waveform_s = vocode(torch.from_numpy(mel), vocoder)
    assert waveform_s.dtype == torch.float32
    assert len(waveform_s) == len(samples)
    with torch.inference_mode():
        pitch_bh = torch.from_numpy(pitch_labels(samples, audio))[None]
        waveform_bs = vocoder(torch.from_numpy(mel)[None], pitch_bh, white_noise(len(samples)))
    assert 0.7 < waveform_bs.norm() / np.linalg.norm(samples) < 1.4, "untrained, it has the mel's loudness"


def test_what_follows_a_mel_changes_only_the_end_of_the_waveform(
    mel_tm: torch.Tensor, untrained: SourceFilterVocoder
) -> None:
    padded_tm = torch.cat([mel_tm, mel_tm.new_full((30, AUDIO.n_mels), -9.2)])
    unchanged = (len(mel_tm) - 32) * AUDIO.hop_length
    alone, padded = (vocode(mel, untrained)[:unchanged] for mel in (mel_tm, padded_tm))
    torch.testing.assert_close(alone, padded, atol=1e-3, rtol=0)


def test_mels_in_a_batch_of_the_vocoder_do_not_hear_each_other(
    examples: list[VocoderExample], untrained: SourceFilterVocoder
) -> None:
    mel_btm = torch.stack([torch.from_numpy(example.mel_tm[:40]) for example in examples])
    pitch_bh = torch.stack([torch.from_numpy(pitch_labels(e.waveform_s, AUDIO)[:80]) for e in examples])
    noise_bs = white_noise(40 * AUDIO.hop_length).expand(len(examples), -1)
    with torch.inference_mode():
        together = untrained(mel_btm, pitch_bh, noise_bs)
        one_by_one = zip(mel_btm.split(1), pitch_bh.split(1), noise_bs.split(1), strict=True)
        alone = torch.cat([untrained(*one) for one in one_by_one])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)


def test_the_pitch_given_to_the_vocoder_is_the_pitch_that_is_heard(untrained: SourceFilterVocoder) -> None:
    """A glide from 90 to 350 Hz, silence in the middle, through an even mel."""
    pitch_h = np.geomspace(90, 350, 400).astype(np.float32)
    pitch_h[180:220] = 0
    samples = 200 * AUDIO.hop_length
    with torch.inference_mode():
        made_bs = untrained(torch.full((1, 200, 80), -3.0), torch.from_numpy(pitch_h)[None], white_noise(samples))
    errors = pitch_errors(pitch_labels(made_bs[0].numpy(), AUDIO), pitch_h)
    assert errors["gross_pitch_error"] == 0
    assert errors["pitch_cents"] < 10
    assert errors["voicing_error"] < 0.03
