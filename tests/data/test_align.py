from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from data.align import align
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
    found = align(features, tokens, 2).frames
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

    alignment = align(features, tokens, 1, report)
    passes = len(reported)
    assert [(done, total) for done, total, _ in reported] == [(k, passes) for k in range(1, passes + 1)]
    assert reported[-1][2] == alignment.log_likelihood > reported[0][2]
    assert [int(frames.sum()) for frames in alignment.frames] == [60] * 5
