from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pytest

from data.align import FEWEST_FRAMES_A_PHONE, misfit, train_aligner
from data.vocabulary import Tokens


def test_alignment_finds_the_known_boundaries_of_a_made_up_language() -> None:
    rng = np.random.default_rng(0)
    sounds = {symbol: rng.normal(size=6) * 3 for symbol in (10, 11, 12, 13)}
    features, tokens, truth = [], [], []
    for _ in range(40):
        symbols = rng.choice(list(sounds), size=5).tolist()
        lengths = rng.integers(6, 20, size=7)
        frames = [np.full(6, -4.0)] * lengths[0]
        for symbol, length in zip(symbols, lengths[1:6], strict=True):
            frames += [sounds[symbol]] * length
        frames += [np.full(6, -4.0)] * lengths[6]
        noisy = np.stack(frames) + rng.normal(size=(len(frames), 6)) * 0.3
        loudness = np.where(np.arange(len(frames)) < lengths[0], -3.0, 3.0)
        loudness[len(frames) - lengths[6] :] = -3.0
        features.append(np.column_stack([loudness, noisy]).astype(np.float32))
        tokens.append(Tokens([1, *symbols, 2], [0] * 7))
        truth.append(lengths)
    aligner = train_aligner(features, tokens, sounds, 2)
    found = [aligner.align(*clip).frames_n for clip in zip(features, tokens, strict=True)]
    same_neighbours = [[a == b for a, b in zip(t.symbols, t.symbols[1:], strict=False)] for t in tokens]
    errors = [
        abs(int(a) - int(b))
        for lengths, frames, t, repeats in zip(truth, found, tokens, same_neighbours, strict=True)
        if not any(repeats)
        for a, b in zip(lengths, frames, strict=True)
    ]
    assert len(errors) > 20
    assert np.mean(errors) < 1


def test_alignment_reports_every_pass_and_grows_likelier() -> None:
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(60, 4)).astype(np.float32) for _ in range(5)]
    tokens = [Tokens([1, 10, 11, 12, 2], [0] * 5)] * 5
    reported: list[tuple[int, int, float]] = []

    def report(_what: str, done: int, total: int, figures: Mapping[str, float] = MappingProxyType({}), /) -> None:
        reported.append((done, total, figures["log_likelihood"]))

    aligner = train_aligner(features, tokens, (10, 11, 12), 1, report)
    passes = len(reported)
    assert [(done, total) for done, total, _ in reported] == [(k, passes) for k in range(1, passes + 1)]
    alignments = [aligner.align(*clip) for clip in zip(features, tokens, strict=True)]
    assert [int(aligned.frames_n.sum()) for aligned in alignments] == [60] * 5
    likelihood = sum(aligned.log_likelihood for aligned in alignments) / 300
    assert likelihood >= reported[-1][2] > reported[0][2]


def test_a_phone_that_was_not_learned_from_is_aligned_all_the_same() -> None:
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(60, 4)).astype(np.float32) for _ in range(5)]
    aligner = train_aligner(features, [Tokens([1, 10, 11, 2], [0] * 4)] * 5, (10, 11, 12), 1)
    aligned = aligner.align(features[0], Tokens([1, 10, 12, 2], [0] * 4))
    assert int(aligned.frames_n.sum()) == 60
    assert min(aligned.frames_n[1:3]) >= FEWEST_FRAMES_A_PHONE
    assert np.isfinite(aligned.log_likelihood)


@pytest.mark.parametrize(
    ("frames", "symbols", "found"),
    [
        (30, [1, *[10] * 10, 2], ""),
        (29, [1, *[10] * 10, 2], "10 phones in 29 half-frames"),
        (206, [1, *[10] * 258, 2], "258 phones in 206 half-frames"),
        (30, [1, *[10, 3] * 10, 2], ""),
        (0, [1, 10, 2], "1 phones in 0 half-frames"),
        (500, [1, 3, 2], "no phone to say"),
        (450_000, [1, *[10] * 40_000, 2], "40002 tokens in 450000 half-frames at once"),
    ],
)
def test_what_cannot_be_aligned_is_said(frames: int, symbols: list[int], found: str) -> None:
    assert misfit(frames, Tokens(symbols, [0] * len(symbols))) == found
