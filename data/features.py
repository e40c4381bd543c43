"""What training reads of a corpus, piece by piece: log-mels, tokens and how many frames each token lasts.

A *piece* is what one training example is made of: a trimmed clip, or a part of a long clip cut at pauses, see
`data.pieces`. `data.extraction` makes these files.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from safetensors import safe_open

from data.vocabulary import Tokens

FEATURES, PIECES = "features.safetensors", "pieces.csv"

_TEXTS = dict.fromkeys(("id", "clip", "split", "text", "language", "speaker", "path"), str)
"""Columns of `pieces.csv` that are texts, even where they look like numbers: a clip may be called 0001."""


class Place(NamedTuple):
    """Where a piece was cut from: the clip's file in the corpus folder, its first frame and how many."""

    path: str
    start: int
    frames: int


class Features:
    """The features of a corpus, read piece by piece."""

    def __init__(self, folder: Path):
        self._tensors = safe_open(folder / FEATURES, framework="pt")
        self.pieces = pd.read_csv(folder / PIECES, keep_default_na=False, dtype=_TEXTS)
        places = self.pieces[["path", "start", "frames"]].itertuples(index=False, name=None)
        self._places = {piece: Place(*row) for piece, row in zip(self.pieces["id"], places, strict=True)}
        self.mel_mean_m = self._tensor("mel_mean")
        self.mel_std_m = self._tensor("mel_std")

    def mel(self, piece: str) -> torch.Tensor:
        """Log-mel, (t, n_mels)."""
        return self._tensor(f"{piece}/mel")

    def tokens(self, piece: str) -> Tokens:
        """What is said in it, n tokens."""
        symbols, modifiers = self._tensor(f"{piece}/tokens").tolist()
        return Tokens(symbols, modifiers)

    def frames(self, piece: str) -> torch.Tensor:
        """Mel frames that each token lasts, (n,); they sum to t."""
        return self._tensor(f"{piece}/frames")

    def place(self, piece: str) -> Place:
        """Where it was cut from."""
        return self._places[piece]

    def _tensor(self, name: str) -> torch.Tensor:
        tensor: torch.Tensor = self._tensors.get_tensor(name)
        return tensor
