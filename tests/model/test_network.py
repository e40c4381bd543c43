"""Properties of the network: what may influence what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from configs.schema import Config
from data.batches import Batch, TrainingSet, pad_tokens
from data.features import Features
from data.text import phonemize
from model.generation import attention_along, generate
from model.network import VoiceCloner
from model.token_path import find_path

SENTENCES = ["Please leave your message after the tone.", "Thank you.", "Press one, or stay on the line; then hang up."]


@pytest.fixture(scope="module")
def features(smoke_features: Path) -> Features:
    return Features(smoke_features)


@pytest.fixture(scope="module")
def model(smoke: Config, features: Features) -> VoiceCloner:
    torch.manual_seed(3)
    model = VoiceCloner(smoke.model)
    model.mel_mean_m.copy_(features.mel_mean_m)
    model.mel_std_m.copy_(features.mel_std_m)
    for parameter in model.parameters():  # so that nothing is zero and every path counts
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, std=0.05)
    *_, last = model.mel_decoder.postnet
    torch.nn.init.normal_(last.weight, std=0.05)
    return model.eval()


@pytest.fixture(scope="module")
def batch(smoke: Config, features: Features) -> Batch:
    training = TrainingSet(features, "train", smoke)
    rows = training.pieces["frames"].argsort().tolist()
    return training.batch([rows[3], rows[len(rows) // 2], rows[-1]], np.random.default_rng(0))


def one_of(batch: Batch, row: int) -> Batch:
    """A row of a batch by itself, without padding but for the last decoder step."""
    tokens, frames = int(batch.token_mask_bn[row].sum()), -(-int(batch.frame_mask_bt[row].sum()) // 3) * 3
    pick = slice(row, row + 1)
    return Batch(
        batch.symbols_bn[pick, :tokens],
        batch.modifiers_bn[pick, :tokens],
        batch.token_mask_bn[pick, :tokens],
        batch.frames_bn[pick, :tokens],
        batch.mel_btm[pick, :frames],
        batch.frame_mask_bt[pick, :frames],
        batch.reference_btm[pick],
    )


@torch.no_grad()
def test_padding_changes_no_prediction(model: VoiceCloner, batch: Batch) -> None:
    together = model(**vars(batch))
    for row in range(3):
        alone = model(**vars(one_of(batch, row)))
        frames, tokens = alone.mel_btm.shape[1], alone.log_duration_bn.shape[1]
        torch.testing.assert_close(together.refined_btm[row, :frames], alone.refined_btm[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(
            together.log_duration_bn[row, :tokens], alone.log_duration_bn[0], atol=1e-4, rtol=1e-4
        )


@torch.no_grad()
@pytest.mark.parametrize("step", [1, 5, 12])
def test_later_frames_change_no_prediction(model: VoiceCloner, batch: Batch, step: int) -> None:
    frame = step * model.config.reduction_factor
    before = model(**vars(batch)).mel_btm
    changed = Batch(**vars(batch))
    changed.mel_btm = batch.mel_btm.clone()
    changed.mel_btm[:, frame:] += 1.0
    after = model(**vars(changed)).mel_btm
    # Frames from the change on are inputs of the steps after theirs.
    untouched = frame + model.config.reduction_factor
    torch.testing.assert_close(before[:, :untouched], after[:, :untouched])
    assert not torch.allclose(before[:, untouched:], after[:, untouched:])


@torch.no_grad()
def test_cached_decoding_is_the_full_pass(model: VoiceCloner, batch: Batch) -> None:
    tokens = phonemize(SENTENCES[:1], "en")
    spoken = generate(model, tokens, batch.reference_btm[:1])[0]
    symbols_bn, modifiers_bn, mask_bn = pad_tokens(tokens)
    reference_bfd, speaker_bd = model.audio_encoder(model.normalize(batch.reference_btm[:1]))
    text_bnd, _ = model.text_encoder(symbols_bn, modifiers_bn, mask_bn, speaker_bd)
    steps = len(spoken.mel_tm) // model.config.reduction_factor
    path = find_path(spoken.frames_n[None], mask_bn, model.config.reduction_factor, steps)
    conditions_bsd = model.mel_decoder.conditions(path, speaker_bd)
    memory = model.mel_decoder.remember(text_bnd, reference_bfd)
    bias = path.attention_bias(mask_bn, model.config.path_width)
    previous_bsd = torch.randn(1, steps, model.mel_decoder.first.shape[0], generator=torch.Generator().manual_seed(0))
    full = model.mel_decoder(previous_bsd, conditions_bsd, memory, bias)
    cache = model.mel_decoder.new_cache(1, steps)
    cached = [
        model.mel_decoder(
            previous_bsd[:, s : s + 1], conditions_bsd[:, s : s + 1], memory, bias[:, :, s : s + 1], cache
        )
        for s in range(steps)
    ]
    torch.testing.assert_close(torch.cat(cached, dim=1), full, atol=1e-4, rtol=1e-4)


def test_a_batch_is_spoken_as_one_by_one(model: VoiceCloner, batch: Batch) -> None:
    tokens = phonemize(SENTENCES, "en")
    together = generate(model, tokens, batch.reference_btm)
    for k, spoken in enumerate(together):
        alone = generate(model, tokens[k : k + 1], batch.reference_btm[k : k + 1])[0]
        assert alone.ended == spoken.ended
        torch.testing.assert_close(alone.mel_tm, spoken.mel_tm, atol=1e-4, rtol=1e-4)


def test_speech_is_as_long_as_its_durations(model: VoiceCloner, batch: Batch) -> None:
    tokens = phonemize(SENTENCES, "en")
    for rate in (0.5, 1.0, 2.0):
        for spoken in generate(model, tokens, batch.reference_btm, speaking_rate=rate):
            wanted = float(spoken.frames_n.sum())
            assert abs(len(spoken.mel_tm) - wanted) <= model.config.reduction_factor
            assert torch.isfinite(spoken.mel_tm).all()


def test_the_reference_is_heard(model: VoiceCloner, batch: Batch) -> None:
    tokens = phonemize(SENTENCES[:1], "en")
    one, other = (generate(model, tokens, batch.reference_btm[k : k + 1])[0] for k in (0, 2))
    frames = min(len(one.mel_tm), len(other.mel_tm))
    assert not torch.allclose(one.mel_tm[:frames], other.mel_tm[:frames], atol=1e-3)


def test_attention_stays_on_the_path(model: VoiceCloner, batch: Batch) -> None:
    tokens = phonemize(SENTENCES[:1], "en")[0]
    spoken = generate(model, [tokens], batch.reference_btm[:1])[0]
    attention_sn, path_s = attention_along(model, tokens, batch.reference_btm[0], spoken)
    assert attention_sn.shape == (len(spoken.mel_tm) // model.config.reduction_factor, len(tokens))
    torch.testing.assert_close(attention_sn.sum(1), torch.ones(len(attention_sn)), atol=1e-4, rtol=0)
    assert (path_s.diff() >= 0).all()


def test_the_path_visits_tokens_in_order_and_for_as_long_as_they_last() -> None:
    frames_bn = torch.tensor([[2.0, 10.0, 0.0, 6.0], [5.0, 5.0, 0.0, 0.0]])
    mask_bn = torch.tensor([[True] * 4, [True, True, False, False]])
    path = find_path(frames_bn, mask_bn, reduction_factor=2, steps=12)
    assert path.centre_bs[0].round().tolist()[:9] == [0, 1, 1, 1, 1, 1, 3, 3, 3]
    assert (path.centre_bs[1] <= 1.5).all()
    bias = path.attention_bias(mask_bn, 0.7)
    assert torch.isinf(bias[1, 0, :, 2:]).all()
    assert torch.isfinite(bias[0]).all()
