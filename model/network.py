"""The network: text encoder, audio encoder and mel decoder. Shapes are named as in `model.layers`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from configs.schema import Model
from data.vocabulary import MODIFIERS
from model import HEAD_DIM
from model.layers import (
    CrossAttention,
    EncoderLayer,
    FeedForward,
    KeyValues,
    LayerList,
    Rotation,
    SelfAttention,
    StepCache,
    padding_bias,
    rotary,
)
from model.token_path import FEATURES, TokenPath, find_path


class TextEncoder(nn.Module):
    """Tokens and a speaker → memory for the decoder's cross-attention, and how long each token lasts."""

    def __init__(self, config: Model):
        super().__init__()
        dim = config.text_encoder_dim
        # Not `nn.Embedding`'s own normal draw: on the meta device that takes more than a second.
        self.symbol = nn.Embedding.from_pretrained(torch.empty(config.text_vocab_size, dim), freeze=False)
        self.modifier = nn.Linear(len(MODIFIERS), dim, bias=False)
        self.speaker = nn.Linear(config.speaker_embedding_dim, dim)
        self.convolution = nn.Conv1d(dim, dim, 3, padding=1)
        self.layers = LayerList[EncoderLayer](
            EncoderLayer(dim, config.text_encoder_heads, config.feed_forward_ratio, config.dropout)
            for _ in range(config.text_encoder_layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.duration = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Dropout(2 * config.dropout), nn.Linear(dim, 1))
        nn.init.uniform_(self.symbol.weight, -0.5, 0.5)
        nn.init.uniform_(self.modifier.weight, -0.5, 0.5)

    def forward(
        self, symbols_bn: Tensor, modifiers_bn: Tensor, mask_bn: Tensor, speaker_bd: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Memory (b, n, d) and log(1 + frames) of each token (b, n)."""
        bits = torch.arange(len(MODIFIERS), device=modifiers_bn.device)
        modifiers_bnd = ((modifiers_bn[..., None] >> bits) & 1).to(speaker_bd.dtype)
        x_bnd = self.symbol(symbols_bn) + self.modifier(modifiers_bnd) + self.speaker(speaker_bd)[:, None]
        x_bnd = x_bnd * mask_bn[..., None]
        x_bnd = x_bnd + F.gelu(self.convolution(x_bnd.transpose(1, 2)).transpose(1, 2))
        bias, rotation = padding_bias(mask_bn), rotary(torch.arange(mask_bn.shape[1], device=mask_bn.device))
        for layer in self.layers:
            x_bnd = layer(x_bnd, rotation, bias)
        memory_bnd = self.norm(x_bnd)
        return memory_bnd, self.duration(memory_bnd)[..., 0].float()


class AudioEncoder(nn.Module):
    """Reference mel → what the decoder may attend to, and one vector for the speaker."""

    def __init__(self, config: Model):
        super().__init__()
        dim = config.audio_encoder_dim
        self.patch = nn.Conv1d(config.n_mels, dim, 4, stride=4)
        self.layers = LayerList[EncoderLayer](
            EncoderLayer(dim, config.audio_encoder_heads, config.feed_forward_ratio, config.dropout)
            for _ in range(config.audio_encoder_layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.speaker = nn.Linear(dim, config.speaker_embedding_dim)

    def forward(self, reference_btm: Tensor) -> tuple[Tensor, Tensor]:
        """Frames (b, t // 4, d) and the speaker embedding (b, speaker_embedding_dim)."""
        x_bfd = self.patch(reference_btm.transpose(1, 2)).transpose(1, 2)
        rotation = rotary(torch.arange(x_bfd.shape[1], device=x_bfd.device))
        for layer in self.layers:
            x_bfd = layer(x_bfd, rotation)
        x_bfd = self.norm(x_bfd)
        return x_bfd, self.speaker(x_bfd.mean(1))


@dataclass
class DecoderCache:
    """What the decoder keeps between steps: the steps so far of each layer, and the rotations of all steps."""

    layers: list[StepCache]
    rotation: Rotation

    def next_rotation(self, steps: int) -> Rotation:
        """Rotations of the `steps` that follow those in the cache."""
        start = self.layers[0].length
        cos_sk, sin_sk = self.rotation
        return cos_sk[start : start + steps], sin_sk[start : start + steps]


@dataclass
class LayerMemory:
    """What one decoder layer attends to besides its own past: text, and the reference in the conditioned layers."""

    text: KeyValues
    reference: KeyValues | None


class DecoderLayer(nn.Module):
    """Pre-norm causal self-attention, cross-attention to text, to the reference if `hears_reference`, feed-forward."""

    def __init__(self, config: Model, hears_reference: bool):
        super().__init__()
        dim, heads = config.decoder_dim, config.decoder_heads
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads)
        self.text_norm = nn.LayerNorm(dim)
        self.text_attention = CrossAttention(dim, heads, config.text_encoder_dim)
        if hears_reference:
            self.reference_norm = nn.LayerNorm(dim)
            self.reference_attention: CrossAttention | None = CrossAttention(dim, heads, config.audio_encoder_dim)
        else:
            self.reference_attention = None
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, config.feed_forward_ratio, config.dropout)

    def remember(self, text_bnd: Tensor, reference_bfd: Tensor) -> LayerMemory:
        """Keys and values that stay the same for every step."""
        reference = None if self.reference_attention is None else self.reference_attention.remember(reference_bfd)
        return LayerMemory(self.text_attention.remember(text_bnd), reference)

    def forward(
        self, x_bsd: Tensor, memory: LayerMemory, bias: Tensor, rotation: Rotation, cache: StepCache | None = None
    ) -> Tensor:
        """All steps at once, or with a cache the steps that follow those in it."""
        normed = self.attention_norm(x_bsd)
        x_bsd = x_bsd + self.attention(normed, rotation, causal=cache is None, cache=cache)
        x_bsd = x_bsd + self.text_attention(self.text_norm(x_bsd), memory.text, bias)
        if self.reference_attention is not None and memory.reference is not None:
            x_bsd = x_bsd + self.reference_attention(self.reference_norm(x_bsd), memory.reference)
        out_bsd: Tensor = x_bsd + self.feed_forward(self.feed_forward_norm(x_bsd))
        return out_bsd


class MelDecoder(nn.Module):
    """Previous mel frames, text memory, path and speaker → next mel frames, `reduction_factor` of them a step."""

    def __init__(self, config: Model, gradient_checkpointing: bool = False):
        super().__init__()
        dim, width = config.decoder_dim, config.reduction_factor * config.n_mels
        self.n_mels, self.dropout = config.n_mels, config.prenet_dropout
        self.gradient_checkpointing = gradient_checkpointing
        self.first = nn.Parameter(torch.zeros(width))
        self.prenet = LayerList[nn.Linear](
            [nn.Linear(width, config.prenet_dim), nn.Linear(config.prenet_dim, config.prenet_dim)]
        )
        self.prenet_out = nn.Linear(config.prenet_dim, dim)
        self.speaker = nn.Linear(config.speaker_embedding_dim, dim)
        self.path = nn.Linear(FEATURES, dim)
        conditioned = config.voice_conditioning_layers if config.use_voice_conditioning else 0
        self.layers = LayerList[DecoderLayer](
            DecoderLayer(config, k < conditioned) for k in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, width)
        widths = [config.n_mels, config.postnet_dim, config.postnet_dim, config.n_mels]
        self.postnet = LayerList[nn.Conv1d](nn.Conv1d(a, b, 5, padding=2) for a, b in itertools.pairwise(widths))
        for parameter in list(self.postnet)[-1].parameters():  # at first it changes nothing
            nn.init.zeros_(parameter)

    def remember(self, text_bnd: Tensor, reference_bfd: Tensor) -> list[LayerMemory]:
        """What each layer attends to at every step."""
        return [layer.remember(text_bnd, reference_bfd) for layer in self.layers]

    def forward(
        self,
        previous_bsd: Tensor,
        conditions_bsd: Tensor,
        memory: list[LayerMemory],
        bias: Tensor,
        cache: DecoderCache | None = None,
    ) -> Tensor:
        """Frames (b, s, r·m) that follow `previous_bsd` (b, s, r·m); with a cache, those that follow what is in it.

        `conditions_bsd` is what `conditions` makes; `bias` the path's, (b, 1, s, n).
        """
        steps = previous_bsd.shape[1]
        rotation = cache.next_rotation(steps) if cache else rotary(torch.arange(steps, device=previous_bsd.device))
        x = previous_bsd
        for linear in self.prenet:
            x = F.dropout(F.relu(linear(x)), self.dropout, self.training)
        x_bsd = self.prenet_out(x) + conditions_bsd
        for k, layer in enumerate(self.layers):
            if self.gradient_checkpointing and self.training:
                x_bsd = checkpoint(layer, x_bsd, memory[k], bias, rotation, use_reentrant=False)
            else:
                x_bsd = layer(x_bsd, memory[k], bias, rotation, cache.layers[k] if cache else None)
        made_bsd: Tensor = self.out(self.norm(x_bsd))
        return made_bsd

    def conditions(self, path: TokenPath, speaker_bd: Tensor) -> Tensor:
        """What is added to the prenet's output at each step, (b, s, d)."""
        conditions_bsd: Tensor = self.path(path.features_bsd) + self.speaker(speaker_bd)[:, None]
        return conditions_bsd

    def refine(self, mel_btm: Tensor, mask_bt: Tensor) -> Tensor:
        """The postnet: sharpen finished frames by their neighbours on both sides; frames outside the mask are zero."""
        x_bmt, mask_b1t = mel_btm.transpose(1, 2), mask_bt[:, None]
        for k, convolution in enumerate(self.postnet):
            x_bmt = convolution(x_bmt * mask_b1t)
            if k + 1 < len(self.postnet):
                x_bmt = torch.tanh(x_bmt)
        return (mel_btm + x_bmt.transpose(1, 2)) * mask_bt[..., None]

    def new_cache(self, batch: int, steps: int) -> DecoderCache:
        """Empty buffers for `steps` decoder steps."""
        buffers = []
        for layer in self.layers:
            shape = (batch, layer.attention.heads, steps, HEAD_DIM)
            buffers.append(StepCache(self.first.new_empty(shape), self.first.new_empty(shape)))
        return DecoderCache(buffers, rotary(torch.arange(steps, device=self.first.device)))


@dataclass
class Prediction:
    """Normalised mel frames before and after the postnet, (b, t, m), and log(1 + frames) of each token, (b, n)."""

    mel_btm: Tensor
    refined_btm: Tensor
    log_duration_bn: Tensor


class VoiceCloner(nn.Module):
    """The whole model. Mels go in and come out as natural logarithms; inside they are normalised."""

    mel_mean_m: Tensor
    mel_std_m: Tensor
    default_reference_tm: Tensor

    def __init__(self, config: Model, gradient_checkpointing: bool = False):
        super().__init__()
        self.config = config
        self.text_encoder = TextEncoder(config)
        self.audio_encoder = AudioEncoder(config)
        self.mel_decoder = MelDecoder(config, gradient_checkpointing)
        self.register_buffer("mel_mean_m", torch.zeros(config.n_mels))
        self.register_buffer("mel_std_m", torch.ones(config.n_mels))
        self.register_buffer("default_reference_tm", torch.zeros(config.reference_frames, config.n_mels))

    def normalize(self, mel: Tensor) -> Tensor:
        """Log-mels (…, m) with mean 0 and deviation 1 in each band, over the training pieces."""
        return (mel - self.mel_mean_m) / self.mel_std_m

    def denormalize(self, mel: Tensor) -> Tensor:
        """Log-mels (…, m) of what `normalize` makes of them."""
        return mel * self.mel_std_m + self.mel_mean_m

    def forward(
        self,
        symbols_bn: Tensor,
        modifiers_bn: Tensor,
        token_mask_bn: Tensor,
        frames_bn: Tensor,
        mel_btm: Tensor,
        frame_mask_bt: Tensor,
        reference_btm: Tensor,
    ) -> Prediction:
        """Predict every frame of `mel_btm` from those before it (teacher forcing). t is a multiple of the reduction."""
        r = self.config.reduction_factor
        b, t, m = mel_btm.shape
        reference_bfd, speaker_bd = self.audio_encoder(self.normalize(reference_btm))
        text_bnd, log_duration_bn = self.text_encoder(symbols_bn, modifiers_bn, token_mask_bn, speaker_bd)
        path = find_path(frames_bn, token_mask_bn, r, t // r)
        steps_bsd = (self.normalize(mel_btm) * frame_mask_bt[..., None]).view(b, t // r, r * m)
        previous_bsd = torch.cat([self.mel_decoder.first.expand(b, 1, r * m), steps_bsd[:, :-1]], dim=1)
        made_bsd = self.mel_decoder(
            previous_bsd,
            self.mel_decoder.conditions(path, speaker_bd),
            self.mel_decoder.remember(text_bnd, reference_bfd),
            path.attention_bias(token_mask_bn, self.config.path_width),
        )
        made_btm = made_bsd.reshape(b, t, m) * frame_mask_bt[..., None]
        refined_btm = self.mel_decoder.refine(made_btm, frame_mask_bt)
        return Prediction(made_btm.float(), refined_btm.float(), log_duration_bn)
