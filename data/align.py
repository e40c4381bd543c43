"""Forced alignment of tokens to audio by a flat-start hidden Markov model.

Every phone is three states with one diagonal Gaussian each; pauses, word gaps and punctuation share one state that may
be skipped. Starting from an even division of the speech, Viterbi alignment and re-estimation take turns
(Young et al., The HTK Book, "flat start" and "Viterbi training"). No pretrained model, any language.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from common.progress import Report, silent
from data.vocabulary import SILENT, Tokens

_PASSES = 22
_STATES = 3
_IMPOSSIBLE = -1e30
_SMALLEST_VARIANCE = 0.05  # of features with unit variance
_PRIOR_FRAMES = 10.0  # weight of the global mean and variance in every state's estimate

Array = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


class Alignment(NamedTuple):
    """Which token is heard when."""

    frames: list[Indices]
    """For each clip the frames that each of its tokens lasts, (n,); they sum to t."""
    log_likelihood: float
    """Of a frame, on average."""


@dataclass(frozen=True)
class _Sentence:
    features_tc: Array  # normalised acoustic features
    state_s: Indices  # acoustic state of each position of the sentence's chain
    token_s: Indices  # token of each position
    optional_s: npt.NDArray[np.bool_]  # whether the position may be skipped


def align(features: Sequence[Array], tokens: Sequence[Tokens], workers: int, report: Report = silent) -> Alignment:
    """Align what is said to how it sounds, with so many threads.

    `features` are acoustic features of each clip, (t, c); `tokens` what is said in it.
    """
    everything = np.concatenate(features)
    mean_c, deviation_c = everything.mean(0), everything.std(0) + 1e-6
    acoustic = _acoustic_states(tokens)
    sentences = [
        _chain(((f - mean_c) / deviation_c).astype(np.float32), t, acoustic)
        for f, t in zip(features, tokens, strict=True)
    ]
    frames = np.concatenate([s.features_tc for s in sentences])
    paths = [_flat_path(s) for s in sentences]
    with ThreadPoolExecutor(workers) as pool:
        for k in range(_PASSES):
            labels = np.concatenate([s.state_s[p] for s, p in zip(sentences, paths, strict=True)])
            gaussians = _estimate(frames, labels, len(acoustic) * _STATES)
            results = list(pool.map(lambda s, g=gaussians: _best_path(s, *g), sentences))
            paths = [path for path, _ in results]
            log_likelihood = sum(score for _, score in results) / len(frames)
            report("aligning phonemes", k + 1, _PASSES, {"log_likelihood": log_likelihood})
    lasting = [np.bincount(s.token_s[p], minlength=len(t)) for s, p, t in zip(sentences, paths, tokens, strict=True)]
    return Alignment(lasting, log_likelihood)


def _acoustic_states(tokens: Sequence[Tokens]) -> dict[int, int]:
    """Number the phones that occur; all silent symbols are number 0."""
    phones = sorted({symbol for t in tokens for symbol in t.symbols} - set(SILENT))
    return dict.fromkeys(SILENT, 0) | {phone: k + 1 for k, phone in enumerate(phones)}


def _chain(features_tc: Array, tokens: Tokens, acoustic: dict[int, int]) -> _Sentence:
    states, token_of, optional = [], [], []
    for index, symbol in enumerate(tokens.symbols):
        silent = symbol in SILENT
        for k in range(1 if silent else _STATES):
            states.append(acoustic[symbol] * _STATES + k)
            token_of.append(index)
            optional.append(silent)
    return _Sentence(features_tc, np.array(states), np.array(token_of), np.array(optional))


def _flat_path(sentence: _Sentence) -> Indices:
    """Divide the loud frames evenly among the phones' states; what is quiet is silence at the nearest edge."""
    energy_t = sentence.features_tc[:, 0]
    loud = np.flatnonzero(energy_t > np.percentile(energy_t, 95) - 2.2)
    spoken = np.flatnonzero(~sentence.optional_s)
    path = np.zeros(len(energy_t), np.int64)
    if len(loud) < len(spoken) or not len(spoken):
        loud = np.arange(len(energy_t))
    path[loud[-1] + 1 :] = len(sentence.state_s) - 1
    if len(spoken):
        path[loud] = spoken[np.arange(len(loud)) * len(spoken) // len(loud)]
    return path


def _estimate(frames_tc: Array, labels_t: Indices, n_states: int) -> tuple[Array, Array, Array]:
    """Mean, inverse variance and log-determinant of each state's Gaussian, drawn towards the global ones."""
    count_s = np.bincount(labels_t, minlength=n_states)[:, None].astype(np.float64)
    sums_sc, squares_sc = (
        np.stack([np.bincount(labels_t, column, n_states) for column in (frames_tc**power).T], axis=1)
        for power in (1, 2)
    )
    mean_sc = sums_sc / (count_s + 0.2 * _PRIOR_FRAMES)
    variance_sc = (squares_sc + _PRIOR_FRAMES) / (count_s + _PRIOR_FRAMES)
    variance_sc = np.maximum(variance_sc - mean_sc**2 * count_s / (count_s + _PRIOR_FRAMES), _SMALLEST_VARIANCE)
    return (
        mean_sc.astype(np.float32),
        (1 / variance_sc).astype(np.float32),
        np.log(variance_sc).sum(1).astype(np.float32),
    )


def _best_path(sentence: _Sentence, mean_sc: Array, precision_sc: Array, log_det_s: Array) -> tuple[Indices, float]:
    """Viterbi path through the sentence's chain and its log-likelihood."""
    used, position = np.unique(sentence.state_s, return_inverse=True)
    mean, precision = mean_sc[used], precision_sc[used]
    f = sentence.features_tc
    distance_ts = f**2 @ precision.T - 2 * f @ (mean * precision).T + (mean**2 * precision).sum(1) + log_det_s[used]
    path: Indices
    path, log_likelihood = _viterbi(-0.5 * distance_ts, position, sentence.optional_s)
    return path, float(log_likelihood)


@numba.njit(nogil=True, cache=True)
def _viterbi(emission_tu, used_s, optional_s):  # type: ignore[no-untyped-def]  # numba infers the types
    n_frames, n_states = len(emission_tu), len(used_s)
    score = np.full(n_states, _IMPOSSIBLE)
    step = np.zeros((n_frames, n_states), np.int8)
    score[0] = emission_tu[0, used_s[0]]
    if optional_s[0] and n_states > 1:
        score[1] = emission_tu[0, used_s[1]]
    for t in range(1, n_frames):
        for s in range(n_states - 1, -1, -1):  # downwards, so that the scores on the left are still those of t - 1
            best, move = score[s], 0
            if s >= 1 and score[s - 1] > best:
                best, move = score[s - 1], 1
            if s >= 2 and optional_s[s - 1] and score[s - 2] > best:
                best, move = score[s - 2], 2
            score[s] = best + emission_tu[t, used_s[s]]
            step[t, s] = move
    s = n_states - 1
    if optional_s[s] and n_states > 1 and score[s - 1] > score[s]:
        s -= 1
    total = score[s]
    path = np.zeros(n_frames, np.int64)
    for t in range(n_frames - 1, -1, -1):
        path[t] = s
        s -= step[t, s]
    return path, total
