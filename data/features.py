"""What training reads of a corpus, piece by piece: log-mels, tokens and how many frames each token lasts.

A *piece* is what one training example is made of: a trimmed clip, or a part of a long clip cut at pauses, see
`data.pieces`. `data.extraction` makes these files.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from safetensors import safe_open

from data.vocabulary import Tokens

PIECES, STATISTICS = "pieces.csv", "statistics.safetensors"

COLUMNS = ("id", "clip", "split", "frames", "text", "start", "language", "speaker", "path", "shard")
"""Of `pieces.csv`: `path` is the clip's file in the corpus folder, `start` the piece's first frame in the clip."""

_NUMBERS = ("frames", "start", "shard")
_MOST_OPEN = 256  # shards


def shard_name(number: int) -> str:
    """The file with the tensors of some pieces: `<id>/mel` (t, n_mels), `<id>/tokens` (2, n) and `<id>/frames` (n,).

    The rows of tokens are symbols and modifiers.
    """
    return f"features-{number:05}.safetensors"


class Place(NamedTuple):
    """Where a piece was cut from: the clip's file in the corpus folder, its first frame and how many."""

    path: str
    start: int
    frames: int


class Features:
    """The features of a corpus, read piece by piece."""

    def __init__(self, folder: Path):
        # A clip may be called 0001, and a speaker nan.
        kinds = {column: int if column in _NUMBERS else str for column in COLUMNS}
        self.pieces = pd.read_csv(folder / PIECES, keep_default_na=False, dtype=kinds)
        self._rows, self._shards = pd.Index(self.pieces["id"]), self.pieces["shard"].to_numpy(int)
        self._shard = functools.lru_cache(_MOST_OPEN)(lambda name: safe_open(folder / name, framework="pt"))
        self.mel_mean_m: torch.Tensor = self._shard(STATISTICS).get_tensor("mel_mean")
        self.mel_std_m: torch.Tensor = self._shard(STATISTICS).get_tensor("mel_std")

    def mel(self, piece: str) -> torch.Tensor:
        """Log-mel, (t, n_mels)."""
        return self._tensor(piece, "mel")

    def tokens(self, piece: str) -> Tokens:
        """What is said in it, n tokens."""
        symbols, modifiers = self._tensor(piece, "tokens").tolist()
        return Tokens(symbols, modifiers)

    def frames(self, piece: str) -> torch.Tensor:
        """Mel frames that each token lasts, (n,); they sum to t."""
        return self._tensor(piece, "frames")

    def place(self, piece: str) -> Place:
        """Where it was cut from."""
        row = self.pieces.loc[self._rows.get_loc(piece)].to_dict()
        return Place(row["path"], row["start"], row["frames"])

    def _tensor(self, piece: str, name: str) -> torch.Tensor:
        shard = self._shard(shard_name(int(self._shards[self._rows.get_loc(piece)])))
        tensor: torch.Tensor = shard.get_tensor(f"{piece}/{name}")
        return tensor
