"""Training batches. What a batch holds depends only on the features, the seed and the batch's number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from configs.schema import Balance, Data, TrainingConfig
from data.features import Features
from data.vocabulary import Tokens

_LENGTH_NOISE = 30  # frames by which the order of lengths is shaken, so that batches differ between epochs
_BALANCE = 1  # names the draws of what an epoch holds, apart from those of its order
_BALANCED: Mapping[Balance, Sequence[str]] = {
    "clips": (),
    "speakers": ("speaker",),
    "languages": ("speaker", "language"),
}
"""The columns whose values are seen equally often, the last of them first."""

Shares = npt.NDArray[np.float64]


@dataclass
class Batch:
    """Padded examples; the masks say what is there. t is a multiple of the reduction factor."""

    symbols_bn: Tensor
    modifiers_bn: Tensor
    token_mask_bn: Tensor
    frames_bn: Tensor
    mel_btm: Tensor
    frame_mask_bt: Tensor
    reference_btm: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch in the memory of a device."""
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def reference_window(mel_tm: Tensor, frames: int, start: int = 0) -> Tensor:
    """`frames` frames of a reference from `start`, repeated from the front where it is too short."""
    repeats = -(-(start + frames) // len(mel_tm))
    return mel_tm.repeat(repeats, 1)[start : start + frames]


def pad_tokens(tokens: Sequence[Tokens]) -> tuple[Tensor, Tensor, Tensor]:
    """Symbols, modifiers and mask, each (b, n)."""
    n = max(map(len, tokens))
    symbols_bn = torch.zeros(len(tokens), n, dtype=torch.long)
    modifiers_bn = torch.zeros_like(symbols_bn)
    for row, sentence in enumerate(tokens):
        symbols_bn[row, : len(sentence)] = torch.tensor(sentence.symbols)
        modifiers_bn[row, : len(sentence)] = torch.tensor(sentence.modifiers)
    lengths_b = torch.tensor([len(sentence) for sentence in tokens])
    return symbols_bn, modifiers_bn, torch.arange(n) < lengths_b[:, None]


class TrainingSet:
    """The pieces of one split, batched by length."""

    def __init__(self, features: Features, split: str, config: TrainingConfig):
        pieces = features.pieces
        self._features, self._config = features, config
        self.pieces = pieces[pieces["split"] == split].reset_index(drop=True)
        # A reference is another recording of the same speaker, from the training split and long enough, if there is.
        training = pieces[pieces["split"] == "train"]
        long_enough = training[training["frames"] >= config.model.reference_frames]
        self._references: dict[str, list[str]] = {}
        for some in (long_enough, training, self.pieces):
            for speaker, own in some.groupby("speaker", sort=False)["id"]:
                self._references.setdefault(str(speaker), own.tolist())

    def batch(self, rows: Sequence[int], rng: np.random.Generator) -> Batch:
        """The pieces at `rows`, each with a randomly drawn reference window."""
        config, ids = self._config, [str(self.pieces["id"][row]) for row in rows]
        r, m = config.model.reduction_factor, config.audio.n_mels
        mels = [self._features.mel(piece) for piece in ids]
        symbols_bn, modifiers_bn, token_mask_bn = pad_tokens([self._features.tokens(piece) for piece in ids])
        t = -(-max(map(len, mels)) // r) * r
        mel_btm = torch.zeros(len(ids), t, m)
        frames_bn = torch.zeros(symbols_bn.shape)
        for k, (piece, mel_tm) in enumerate(zip(ids, mels, strict=True)):
            mel_btm[k, : len(mel_tm)] = mel_tm
            frames_n = self._features.frames(piece)
            frames_bn[k, : len(frames_n)] = frames_n
        lengths_b = torch.tensor([len(mel_tm) for mel_tm in mels])
        references = [self._reference(row, rng) for row in rows]
        return Batch(
            symbols_bn,
            modifiers_bn,
            token_mask_bn,
            frames_bn,
            mel_btm,
            torch.arange(t) < lengths_b[:, None],
            torch.stack(references),
        )

    def _reference(self, row: int, rng: np.random.Generator) -> Tensor:
        own = self.pieces["id"][row]
        choices = self._references[self.pieces["speaker"][row]]
        piece = choices[int(rng.integers(len(choices)))]
        if piece == own and len(choices) > 1:
            piece = choices[(choices.index(piece) + 1) % len(choices)]
        mel_tm, frames = self._features.mel(piece), self._config.model.reference_frames
        return reference_window(mel_tm, frames, int(rng.integers(max(1, len(mel_tm) - frames + 1))))


def plan_batches(pieces: pd.DataFrame, data: Data, seed: int) -> Iterator[list[int]]:
    """Rows of one batch after another, for ever: like lengths together, in a new order every epoch.

    In an epoch each piece is there once or, if speakers or languages are balanced, as often as that takes.
    """
    lengths, share = pieces["frames"].to_numpy(), _shares(pieces, data)
    epoch = 0
    while True:
        drawn = _draw(share, np.random.default_rng([seed, epoch, _BALANCE]))
        rng = np.random.default_rng([seed, epoch])
        order = drawn[np.argsort(lengths[drawn] + rng.random(len(drawn)) * _LENGTH_NOISE, kind="stable")]
        batches = list(_fill(order.tolist(), lengths.tolist(), data))
        for k in rng.permutation(len(batches)):
            yield batches[k]
        epoch += 1


def _shares(pieces: pd.DataFrame, data: Data) -> Shares:
    """Which part of an epoch each piece is."""
    share = np.ones(len(pieces))
    for column in _BALANCED[data.balance]:
        # What a value has in all is divided by its part of it, so that each has as much as any other.
        share /= pd.Series(share).groupby(pieces[column].to_numpy()).transform("sum").to_numpy()
    share /= share.sum()
    return share


def _draw(share: Shares, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """As many rows as there are, in their order, each as often as its share says, rounded up or down at random."""
    order = rng.permutation(len(share))
    edges = np.cumsum(share[order]) * len(share)
    rows: npt.NDArray[np.int64] = np.sort(order[np.searchsorted(edges, np.arange(len(share)) + 0.5)])
    return rows


def _fill(order: Sequence[int], lengths: Sequence[int], data: Data) -> Iterator[list[int]]:
    batch: list[int] = []
    longest = 0
    for row in order:
        longest = max(longest, lengths[row])
        full = (
            len(batch) == data.batch_size
            if data.batch_frames is None
            else longest * (len(batch) + 1) > data.batch_frames
        )
        if batch and full:
            yield batch
            batch, longest = [], lengths[row]
        batch.append(row)
    yield batch
