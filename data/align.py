"""Forced alignment of tokens to audio by a flat-start hidden Markov model.

Every phone is three states with one diagonal Gaussian each; pauses, word gaps and punctuation share one state that may
be skipped. Starting from an even division of the speech, Viterbi alignment and re-estimation take turns
(Young et al., The HTK Book, "flat start" and "Viterbi training"). No pretrained model, any language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from common.progress import Report, silent
from data.vocabulary import SILENT, Tokens

FEWEST_FRAMES_A_PHONE = 3
"""A path through a clip's phones needs a frame for each of their states."""

STATES = FEWEST_FRAMES_A_PHONE
"""That a phone goes through, one after the other."""

_PASSES = 21
_MOST_CELLS = 1 << 30  # of the table of a clip's paths: six minutes of fast speech
_IMPOSSIBLE = -1e30
_SMALLEST_VARIANCE = 0.05  # of features with unit variance
_PRIOR_FRAMES = 10.0  # weight of the global mean and variance in every state's estimate

Array = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Sentence:
    features_tc: Array  # normalised acoustic features
    state_s: Indices  # acoustic state of each position of the sentence's chain
    token_s: Indices  # token of each position
    optional_s: npt.NDArray[np.bool_]  # whether the position may be skipped


class Aligned(NamedTuple):
    """When each token of a clip is heard."""

    frames_n: Indices
    """Frames that each token lasts; they sum to t."""
    log_likelihood: float
    """Of all t frames."""


@dataclass(frozen=True)
class Aligner:
    """A trained model of how phones sound."""

    mean_c: Array
    deviation_c: Array
    states: Mapping[int, int]
    """The number of each phone; that of all silent symbols is 0."""
    gaussians: tuple[Array, Array, Array]

    def align(self, features_tc: Array, tokens: Tokens) -> Aligned:
        """Align what is said in a clip to how it sounds. Nothing must speak against it, see `misfit`."""
        normal_tc = ((features_tc - self.mean_c) / self.deviation_c).astype(np.float32)
        sentence = _Sentence(normal_tc, *chain(tokens, self.states))
        path, log_likelihood = _best_path(sentence, *self.gaussians)
        return Aligned(np.bincount(sentence.token_s[path], minlength=len(tokens)), log_likelihood)


def misfit(frames: int, tokens: Tokens) -> str:
    """Why what is said cannot be aligned to so many frames; empty if it can."""
    phones = sum(symbol not in SILENT for symbol in tokens.symbols)
    if not phones:
        return "no phone to say"
    if frames < phones * FEWEST_FRAMES_A_PHONE:
        return f"{phones} phones in {frames} half-frames"
    if frames * len(tokens) * STATES > _MOST_CELLS:
        return f"{len(tokens)} tokens in {frames} half-frames at once"
    return ""


def train_aligner(
    features: Sequence[Array], tokens: Sequence[Tokens], phones: Iterable[int], workers: int, report: Report = silent
) -> Aligner:
    """Learn with so many threads how phones sound.

    `features` are acoustic features of each clip, (t, c); `tokens` what is said in it. Those of `phones` that these
    clips lack are taken to sound like all speech.
    """
    frames = np.concatenate(features)
    mean_c, deviation_c = frames.mean(0), frames.std(0) + 1e-6
    states = number_phones(phones)
    frames -= mean_c
    frames /= deviation_c
    ends = np.cumsum([len(f) for f in features])
    sentences = [_Sentence(f, *chain(t, states)) for f, t in zip(np.split(frames, ends[:-1]), tokens, strict=True)]
    paths = [_flat_path(s) for s in sentences]

    def estimate() -> tuple[Array, Array, Array]:
        labels = np.concatenate([s.state_s[p] for s, p in zip(sentences, paths, strict=True)])
        return learn_gaussians(frames, labels, len({*states.values()}) * STATES)

    with ThreadPoolExecutor(workers) as pool:
        for k in range(_PASSES):
            gaussians = estimate()
            results = list(pool.map(lambda s, g=gaussians: _best_path(s, *g), sentences))
            paths = [path for path, _ in results]
            log_likelihood = sum(score for _, score in results) / len(frames)
            report("training the aligner", k + 1, _PASSES, {"log_likelihood": log_likelihood})
    return Aligner(mean_c, deviation_c, states, estimate())


def number_phones(phones: Iterable[int]) -> dict[int, int]:
    """The number of each phone; that of all silent symbols is 0."""
    return dict.fromkeys(SILENT, 0) | {phone: k + 1 for k, phone in enumerate(sorted({*phones} - {*SILENT}))}


def chain(tokens: Tokens, acoustic: Mapping[int, int]) -> tuple[Indices, Indices, npt.NDArray[np.bool_]]:
    """The states that a sentence goes through: which acoustic state, of which token, and whether it may be skipped."""
    states, token_of, optional = [], [], []
    for index, symbol in enumerate(tokens.symbols):
        silent = symbol in SILENT
        for k in range(1 if silent else STATES):
            states.append(acoustic[symbol] * STATES + k)
            token_of.append(index)
            optional.append(silent)
    return np.array(states), np.array(token_of), np.array(optional)


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


def learn_gaussians(frames_tc: Array, labels_t: Indices, n_states: int) -> tuple[Array, Array, Array]:
    """Mean, inverse variance and log-determinant of each state's Gaussian, drawn towards the global ones."""
    count_s = np.bincount(labels_t, minlength=n_states)[:, None].astype(np.float64)
    sums_sc, squares_sc = (
        np.stack([np.bincount(labels_t, column**power, n_states) for column in frames_tc.T], axis=1) for power in (1, 2)
    )
    mean_sc = sums_sc / (count_s + 0.2 * _PRIOR_FRAMES)
    variance_sc = (squares_sc + _PRIOR_FRAMES) / (count_s + _PRIOR_FRAMES)
    variance_sc = np.maximum(variance_sc - mean_sc**2 * count_s / (count_s + _PRIOR_FRAMES), _SMALLEST_VARIANCE)
    return (
        mean_sc.astype(np.float32),
        (1 / variance_sc).astype(np.float32),
        np.log(variance_sc).sum(1).astype(np.float32),
    )


def log_likelihoods(frames_tc: Array, mean_sc: Array, precision_sc: Array, log_det_s: Array) -> Array:
    """Of each frame in each state, (t, s), up to what they share; the last three are of `learn_gaussians`."""
    f = frames_tc
    distance_ts = f**2 @ precision_sc.T - 2 * f @ (mean_sc * precision_sc).T + (mean_sc**2 * precision_sc).sum(1)
    return np.asarray(-0.5 * (distance_ts + log_det_s))


def _best_path(sentence: _Sentence, mean_sc: Array, precision_sc: Array, log_det_s: Array) -> tuple[Indices, float]:
    """Viterbi path through the sentence's chain and its log-likelihood."""
    used, position = np.unique(sentence.state_s, return_inverse=True)
    emission_tu = log_likelihoods(sentence.features_tc, mean_sc[used], precision_sc[used], log_det_s[used])
    path: Indices
    path, log_likelihood = viterbi(emission_tu, position, sentence.optional_s)
    return path, float(log_likelihood)


@numba.njit(nogil=True, cache=True)
def viterbi(emission_tu, used_s, optional_s):  # type: ignore[no-untyped-def]  # numba infers the types
    """The best path (t,) through a chain and its log-likelihood; `used_s` are columns of `emission_tu`."""
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
