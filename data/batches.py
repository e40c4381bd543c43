"""Training batches. What a batch holds depends only on the features, the seed and the batch's number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from configs.schema import Data, TrainingConfig
from data.features import Features
from data.vocabulary import Tokens

_LENGTH_NOISE = 30  # frames by which the order of lengths is shaken, so that batches differ between epochs


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
        # A reference is another recording of the same speaker, from the training split and long enough.
        long_enough = pieces[(pieces["split"] == "train") & (pieces["frames"] >= config.model.reference_frames)]
        long_enough = long_enough if len(long_enough) else pieces[pieces["split"] == "train"]
        self._references: dict[str, list[str]] = {}
        for speaker, piece in zip(long_enough["speaker"], long_enough["id"], strict=True):
            self._references.setdefault(speaker, []).append(piece)

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


def plan_batches(lengths: Sequence[int], data: Data, seed: int) -> Iterator[list[int]]:
    """Rows of one batch after another, for ever: like lengths together, in a new order every epoch."""
    epoch = 0
    while True:
        rng = np.random.default_rng([seed, epoch])
        order = np.argsort(np.asarray(lengths) + rng.random(len(lengths)) * _LENGTH_NOISE, kind="stable")
        batches = list(_fill(order.tolist(), lengths, data))
        for k in rng.permutation(len(batches)):
            yield batches[k]
        epoch += 1


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
