"""Layers shared by the encoders and the decoder.

Shape legend of the whole package: b batch, n tokens, t mel frames, s decoder steps (of `reduction_factor` frames),
f reference frames, m mel bins, d width, h heads, k width of a head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import HEAD_DIM

Layer = TypeVar("Layer", bound=nn.Module)

Rotation = tuple[Tensor, Tensor]
"""What `rotary` makes of positions."""


class LayerList(nn.ModuleList, Generic[Layer]):
    """A `ModuleList` that knows what it holds."""

    def __iter__(self) -> Iterator[Layer]:
        return cast(Iterator[Layer], super().__iter__())


@dataclass
class KeyValues:
    """Keys and values of an attention memory, each (b, h, n, k)."""

    k_bhnk: Tensor
    v_bhnk: Tensor


@dataclass
class StepCache:
    """Keys and values of the decoder steps made so far, in buffers long enough for all of them."""

    k_bhsk: Tensor
    v_bhsk: Tensor
    length: int = 0

    def append(self, new: KeyValues) -> KeyValues:
        """Add one or more steps; returns all steps so far."""
        stop = self.length + new.k_bhnk.shape[2]
        self.k_bhsk[:, :, self.length : stop] = new.k_bhnk
        self.v_bhsk[:, :, self.length : stop] = new.v_bhnk
        self.length = stop
        return KeyValues(self.k_bhsk[:, :, :stop], self.v_bhsk[:, :, :stop])


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself, heads of 64. One product makes queries, keys and values."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(dim, 3 * heads * HEAD_DIM, bias=False)
        self.out = nn.Linear(heads * HEAD_DIM, dim, bias=False)

    def forward(
        self,
        x_bsd: Tensor,
        rotation: Rotation,
        bias: Tensor | None = None,
        causal: bool = False,
        cache: StepCache | None = None,
    ) -> Tensor:
        """Attend; `rotation` turns queries and keys, `bias` is as in `attend`; a cache holds the steps before these."""
        b, s, _ = x_bsd.shape
        projected = self.query_key_value(x_bsd).view(b, s, 3, self.heads, HEAD_DIM).permute(2, 0, 3, 1, 4)
        q_bhsk, k_bhsk = rotate(projected[:2], rotation)
        steps = KeyValues(k_bhsk, projected[2])
        if cache is not None:
            steps = cache.append(steps)
        out_bsd: Tensor = self.out(attend(q_bhsk, steps, bias, causal))
        return out_bsd


class CrossAttention(nn.Module):
    """Multi-head attention of `x_bsd` to a memory of width `memory_dim`, heads of 64."""

    def __init__(self, dim: int, heads: int, memory_dim: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, heads * HEAD_DIM, bias=False)
        self.key_value = nn.Linear(memory_dim, 2 * heads * HEAD_DIM, bias=False)
        self.out = nn.Linear(heads * HEAD_DIM, dim, bias=False)

    def remember(self, memory_bnd: Tensor) -> KeyValues:
        """Keys and values of a memory."""
        b, n, _ = memory_bnd.shape
        k_bhnk, v_bhnk = self.key_value(memory_bnd).view(b, n, 2, self.heads, HEAD_DIM).permute(2, 0, 3, 1, 4)
        return KeyValues(k_bhnk, v_bhnk)

    def forward(self, x_bsd: Tensor, memory: KeyValues, bias: Tensor | None = None) -> Tensor:
        """What `x_bsd` finds in the memory, (b, s, d); `bias` is as in `attend`."""
        out_bsd: Tensor = self.out(attend(self._queries(x_bsd), memory, bias))
        return out_bsd

    def weights(self, x_bsd: Tensor, memory: KeyValues, bias: Tensor) -> Tensor:
        """The attention weights that `forward` uses, (b, h, s, n)."""
        logits_bhsn: Tensor = self._queries(x_bsd) @ memory.k_bhnk.transpose(-1, -2) / HEAD_DIM**0.5
        return (logits_bhsn.float() + bias).softmax(-1)

    def _queries(self, x_bsd: Tensor) -> Tensor:
        b, s, _ = x_bsd.shape
        q_bshk: Tensor = self.query(x_bsd).view(b, s, self.heads, HEAD_DIM)
        return q_bshk.transpose(1, 2)


def attend(q_bhsk: Tensor, memory: KeyValues, bias: Tensor | None = None, causal: bool = False) -> Tensor:
    """What queries find in a memory, (b, s, d); `bias`, broadcast to (b, h, s, n), is added to the logits."""
    b, _, s, _ = q_bhsk.shape
    mask = None if bias is None else bias.to(q_bhsk.dtype)
    o_bhsk = F.scaled_dot_product_attention(q_bhsk, memory.k_bhnk, memory.v_bhnk, attn_mask=mask, is_causal=causal)
    return o_bhsk.transpose(1, 2).reshape(b, s, -1)


class FeedForward(nn.Module):
    """Two layers with a GELU between them, `ratio` times as wide inside."""

    def __init__(self, dim: int, ratio: int, dropout: float):
        super().__init__()
        self.up = nn.Linear(dim, ratio * dim)
        self.down = nn.Linear(ratio * dim, dim)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(…, d) → (…, d)."""
        return F.dropout(self.down(F.gelu(self.up(x), approximate="tanh")), self.dropout, self.training)


class EncoderLayer(nn.Module):
    """Pre-norm self-attention over the whole sequence, then feed-forward."""

    def __init__(self, dim: int, heads: int, ratio: int, dropout: float):
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, ratio, dropout)

    def forward(self, x_bnd: Tensor, rotation: Rotation, bias: Tensor | None = None) -> Tensor:
        """(b, n, d) → (b, n, d); `rotation` and `bias` are those of the attention."""
        x_bnd = x_bnd + self.attention(self.attention_norm(x_bnd), rotation, bias)
        out_bnd: Tensor = x_bnd + self.feed_forward(self.feed_forward_norm(x_bnd))
        return out_bnd


def rotary(positions: Tensor) -> Rotation:
    """Rotary position embedding (Su et al. 2021, RoFormer) of positions (s,): cosines and signed sines, each (s, k)."""
    half = HEAD_DIM // 2
    frequency = 1000.0 ** -(torch.arange(half, device=positions.device, dtype=torch.float32) / half)
    angle_sk = positions[:, None] * frequency
    sin_sk = angle_sk.sin()
    return angle_sk.cos().repeat(1, 2), torch.cat([-sin_sk, sin_sk], dim=-1)


def rotate(x_bhsk: Tensor, rotation: Rotation) -> Tensor:
    """Turn queries or keys by their positions: each pair is a number and the one half a head further on."""
    cos_sk, sin_sk = (part.to(x_bhsk.dtype) for part in rotation)
    return torch.addcmul(x_bhsk * cos_sk, x_bhsk.roll(HEAD_DIM // 2, -1), sin_sk)


def padding_bias(mask_bn: Tensor) -> Tensor:
    """Attention bias (b, 1, 1, n) that keeps every query from what the mask leaves out."""
    return torch.zeros(mask_bn.shape, device=mask_bn.device).masked_fill(~mask_bn, float("-inf"))[:, None, None]
