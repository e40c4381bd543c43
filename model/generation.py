"""Free-running generation: tokens and a reference in, log-mels out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from data.batches import pad_tokens
from data.vocabulary import Tokens
from model.layers import CrossAttention, KeyValues
from model.network import VoiceCloner
from model.token_path import find_path

LONGEST_TOKEN = 64.0
"""Mel frames beyond which a predicted duration is cut: no sentence runs on."""


def arrange_for_speaking(model: VoiceCloner) -> VoiceCloner:
    """Lay the decoder's matrices out column by column, in which a product with one vector is up to twice as fast.

    Values and shapes stay; only strides change.
    """
    for module in model.mel_decoder.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data = module.weight.data.t().contiguous().t()
    return model.eval()


@dataclass(frozen=True)
class Generated:
    """One spoken sentence."""

    mel_tm: Tensor  # natural logarithm
    frames_n: Tensor  # how long each token was to last
    ended: bool  # False if a duration had to be cut


@torch.inference_mode()
def generate(
    model: VoiceCloner, tokens: Sequence[Tokens], reference_btm: Tensor, speaking_rate: float = 1.0
) -> list[Generated]:
    """Speak a batch of sentences, each with its reference (b, t, m).

    The durations are predicted first, so every sentence has its length before a frame is made.
    """
    r, m = model.config.reduction_factor, model.config.n_mels
    symbols_bn, modifiers_bn, mask_bn = pad_tokens(tokens)
    reference_bfd, speaker_bd = model.audio_encoder(model.normalize(reference_btm))
    text_bnd, log_duration_bn = model.text_encoder(symbols_bn, modifiers_bn, mask_bn, speaker_bd)
    wanted_bn = log_duration_bn.expm1().clamp_min(0) * mask_bn / speaking_rate
    frames_bn = wanted_bn.clamp_max(LONGEST_TOKEN / speaking_rate)
    lengths = [max(r, round(float(frames)) // r * r) for frames in frames_bn.sum(1)]
    steps = max(lengths) // r
    path = find_path(frames_bn, mask_bn, r, steps)
    conditions_bsd = model.mel_decoder.conditions(path, speaker_bd)
    bias = path.attention_bias(mask_bn, model.config.path_width)
    memory = model.mel_decoder.remember(text_bnd, reference_bfd)
    cache = model.mel_decoder.new_cache(len(tokens), steps)
    made_bsd = torch.empty(len(tokens), steps, r * m)
    previous_b1d = model.mel_decoder.first.expand(len(tokens), 1, -1)
    for s in range(steps):
        previous_b1d = model.mel_decoder(
            previous_b1d, conditions_bsd[:, s : s + 1], memory, bias[:, :, s : s + 1], cache
        )
        made_bsd[:, s] = previous_b1d[:, 0]
    mask_bt = torch.arange(steps * r) < torch.tensor(lengths)[:, None]
    made_btm = made_bsd.view(len(tokens), -1, m) * mask_bt[..., None]
    mel_btm = model.denormalize(model.mel_decoder.refine(made_btm, mask_bt))
    return [
        Generated(mel_btm[k, :length], frames_bn[k, : len(tokens[k])], bool((wanted_bn[k] == frames_bn[k]).all()))
        for k, length in enumerate(lengths)
    ]


@torch.inference_mode()
def attention_along(
    model: VoiceCloner, tokens: Tokens, reference_tm: Tensor, spoken: Generated
) -> tuple[Tensor, Tensor]:
    """Cross-attention to the text while `spoken` is said, mean over layers and heads, (s, n); and the path, (s,)."""
    captured: list[Tensor] = []

    def capture(module: CrossAttention, args: tuple[Tensor, KeyValues, Tensor], _output: Tensor) -> None:
        captured.append(module.weights(*args))

    attentions = [layer.text_attention for layer in model.mel_decoder.layers]
    hooks = [attention.register_forward_hook(capture) for attention in attentions]
    symbols_bn, modifiers_bn, mask_bn = pad_tokens([tokens])
    try:
        model(
            symbols_bn,
            modifiers_bn,
            mask_bn,
            spoken.frames_n[None],
            spoken.mel_tm[None],
            torch.ones(1, len(spoken.mel_tm), dtype=torch.bool),
            reference_tm[None],
        )
    finally:
        for hook in hooks:
            hook.remove()
    r = model.config.reduction_factor
    path = find_path(spoken.frames_n[None], mask_bn, r, math.ceil(len(spoken.mel_tm) / r))
    return torch.stack(captured).mean(dim=(0, 2))[0], path.centre_bs[0]
