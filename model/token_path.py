"""The path: which token each decoder step speaks, known from the durations before anything is decoded.

Attention along it cannot skip, repeat or run on. In the spirit of the monotonic alignments of
Glow-TTS (Kim et al. 2020) and of Gaussian upsampling (Shen et al. 2020, Non-Attentive Tacotron).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FEATURES = 4
_FARTHEST = -60.0  # smallest bias of a token that is there, so that every token stays in reach of the gradient


@dataclass(frozen=True)
class TokenPath:
    """`centre_bs` is the token that each decoder step is in, `features_bsd` (…, 4) where in the token that is."""

    centre_bs: Tensor
    features_bsd: Tensor

    def attention_bias(self, mask_bn: Tensor, width: float) -> Tensor:
        """Gaussian bias (b, 1, s, n) of cross-attention logits around the path; `mask_bn` says which tokens exist."""
        tokens = torch.arange(mask_bn.shape[1], device=mask_bn.device)
        bias_bsn = -((tokens - self.centre_bs[..., None]) ** 2) / (2 * width**2)
        return bias_bsn.clamp_min(_FARTHEST).masked_fill(~mask_bn[:, None], float("-inf"))[:, None]


def find_path(frames_bn: Tensor, mask_bn: Tensor, reduction_factor: int, steps: int) -> TokenPath:
    """Lay `steps` decoder steps of `reduction_factor` frames along tokens that last `frames_bn` frames.

    Steps after the end stay on the last token.
    """
    frames_bn = frames_bn * mask_bn
    end_bn = frames_bn.cumsum(1)
    middle_s = (torch.arange(steps, device=frames_bn.device) + 0.5) * reduction_factor
    middle_bs = middle_s.expand(len(frames_bn), steps).contiguous()
    last_b = mask_bn.sum(1) - 1
    token_bs = torch.searchsorted(end_bn.contiguous(), middle_bs, right=True).minimum(last_b[:, None])
    length_bs = frames_bn.gather(1, token_bs)
    end_bs = end_bn.gather(1, token_bs)
    elapsed_bs = middle_bs - (end_bs - length_bs)
    fraction_bs = (elapsed_bs / length_bs.clamp_min(1e-3)).clamp(0, 1)
    features_bsd = torch.stack(
        [
            2 * fraction_bs - 1,
            torch.log1p(length_bs) - 1.5,
            torch.log1p((end_bs - middle_bs).clamp_min(0)) - 1,
            torch.log1p(elapsed_bs.clamp_min(0)) - 1,
        ],
        dim=-1,
    )
    return TokenPath(token_bs + fraction_bs - 0.5, features_bsd)
