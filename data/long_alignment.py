"""What of a long text is heard where in a long recording, of which either may lack parts of the other.

One search over all states of the whole text goes through the whole recording. In every pause it may leave the text:
to hear speech that is not written, which costs, or to pass over sentences that are not read. What a state scores is its
log-likelihood over that of all states together, so that a wrong text scores below nothing. The first search knows no
more of a phone than whether it is a vowel, a hiss, a stop, …; what it finds trains the states of the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from common.progress import Report, silent
from data.align import STATES, Array, Indices, chain, learn_gaussians, log_likelihoods, number_phones, viterbi
from data.vocabulary import SILENT, SYMBOLS, Tokens

_UNWRITTEN = (0.0, 0.3, 0.3, 0.3)  # what a frame of speech without a text costs in each search
_UNREAD = 0.08  # what each state of a sentence that is passed over costs: it bounds how far ahead is looked
_SCALE = 0.3  # of log-likelihoods by 39 features that are far from independent
_PAUSE_BONUS = 1.0  # for a sentence that ends in a pause
_BEAM = 1000.0
_FOLDS = 4
_LEAST_FIT = -0.3  # where right texts come to -0.1 or more, those of other recordings to -0.5 or less
_IMPOSSIBLE = -1e30
_BLOCK = 4096  # frames whose scores are computed at once

_CLASSES = (
    # phones, and their level and slope of spectrum (first two cepstra) in deviations from the mean of all speech
    (set("aeiouyæøœɐɑɒɔəɚɛɜɨɪɯɵʉʊʌᵻ") | {"aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ"}, (0.8, 0.4)),
    (set("szʃʒʂʐɕʑç") | {"tʃ", "dʒ"}, (-0.1, -1.9)),
    (set("fvθðhħxχɣβʔʁ"), (-0.9, -0.5)),
    (set("mnŋɲɳlɫɭʎrɹɾʀjwɥ"), (0.1, 0.5)),
)
_STOP = (-1.2, 0.0)  # all others
_QUIET, _SOUND_IN_SILENCE = -6.0, -4.0  # scores of silence where there is speech, and of phones where there is none


class Stretch(NamedTuple):
    """Sentences `first` to `stop` (not included) are heard from frame `start` to `end`."""

    first: int
    stop: int
    start: int
    end: int


def match(
    frames_tc: Array,
    speech_t: npt.NDArray[np.bool_],
    pauses: Sequence[int],
    sentences: Sequence[Tokens],
    report: Report = silent,
) -> list[Stretch]:
    """What is heard, in order; each stretch begins and ends at the first or last frame or in one of the pauses.

    `frames_tc` are cepstra, of which `speech_t` says whether somebody speaks, and `pauses` are frames between. Each
    sentence needs a sound. What is in no stretch is not in the text, or was not read.
    """
    frames_tc = (frames_tc - frames_tc[speech_t].mean(0)) / (frames_tc[speech_t].std(0) + 1e-6)
    acoustic = number_phones(symbol for tokens in sentences for symbol in tokens.symbols)
    chains = [chain(tokens, acoustic)[::2] for tokens in sentences]
    states, optional = (np.concatenate(parts) for parts in zip(*chains, strict=True))
    begins = np.cumsum([0, *(len(chained) for chained, _ in chains)])
    cuts = np.array([0, *pauses, len(frames_tc)])
    n_states = STATES * (1 + max(acoustic.values()))
    spoken = np.array([speech_t[a:b].sum() for a, b in itertools.pairwise(cuts)], np.float64)

    scores_tu = _first_scores(frames_tc, speech_t, acoustic, np.bincount(states, minlength=n_states))
    for k, cost in enumerate(_UNWRITTEN):
        came_from = _search(scores_tu, states, optional, begins, cuts, cost * spoken, _UNREAD, _BEAM)
        stretches = _stretches(came_from, cuts)
        report("finding the text in a long recording", k + 1, len(_UNWRITTEN))
        labels_t = np.where(speech_t, -1, 0)
        for first, stop, start, end in stretches:
            inside = slice(begins[first], begins[stop])
            path, _ = viterbi(scores_tu[start:end], states[inside], optional[inside])
            labels_t[start:end] = states[inside][path]
        if not (labels_t[speech_t] >= 0).any():
            return []
        scores_tu = _learned_scores(frames_tc, labels_t, n_states)
    fits = _fit_of_unlearned(frames_tc, labels_t, speech_t, stretches, n_states) >= _LEAST_FIT
    return stretches if fits else []


def _fit_of_unlearned(
    frames_tc: Array, labels_t: Indices, speech_t: npt.NDArray[np.bool_], stretches: Sequence[Stretch], n_states: int
) -> float:
    """What a frame of speech scores, on average, in states that learned from other stretches only.

    Even a wrong text fits what was learned from it.
    """
    scores = []
    for fold in range(_FOLDS):
        apart_t = np.zeros(len(labels_t), np.bool_)
        for stretch in stretches[fold::_FOLDS]:
            apart_t[stretch.start : stretch.end] = speech_t[stretch.start : stretch.end]
        learned_tu = _learned_scores(frames_tc, np.where(apart_t, -1, labels_t), n_states)
        scores.append(learned_tu[apart_t, labels_t[apart_t]])
    return float(np.concatenate(scores).mean())


def _first_scores(
    frames_tc: Array, speech_t: npt.NDArray[np.bool_], acoustic: dict[int, int], occurs_u: Indices
) -> Array:
    """How well each class of phones fits each frame, over all of them."""
    scores_tu = np.empty((len(frames_tc), len(occurs_u)), np.float32)
    scores_tu[:, :STATES] = np.where(speech_t, _QUIET, 0.0)[:, None]
    for symbol, number in acoustic.items():
        if symbol not in SILENT:
            level, slope = next((means for phones, means in _CLASSES if SYMBOLS[symbol] in phones), _STOP)
            fit_t = -0.5 * ((frames_tc[:, 0] - level) ** 2 + (frames_tc[:, 1] - slope) ** 2)
            fit_t += np.where(speech_t, 0.0, _SOUND_IN_SILENCE)
            scores_tu[:, number * STATES : (number + 1) * STATES] = fit_t[:, None]
    occurs = np.where(np.arange(len(occurs_u)) < STATES, 0.0, occurs_u)
    prior_u = speech_t.mean() * occurs / occurs.sum()
    prior_u[0] = 1 - speech_t.mean()
    for k in range(0, len(scores_tu), _BLOCK):
        scores_tu[k : k + _BLOCK] -= _of_any_state(scores_tu[k : k + _BLOCK], prior_u)
    return scores_tu


def _learned_scores(frames_tc: Array, labels_t: Indices, n_states: int) -> Array:
    """How well each state fits each frame, over all of them; a label of -1 is not learned from."""
    known = labels_t >= 0
    gaussians = learn_gaussians(frames_tc[known], labels_t[known], n_states)
    count_u = np.bincount(labels_t[known], minlength=n_states) + 0.1
    scores_tu = np.empty((len(frames_tc), n_states), np.float32)
    for k in range(0, len(frames_tc), _BLOCK):
        fit_tu = log_likelihoods(frames_tc[k : k + _BLOCK], *gaussians)
        scores_tu[k : k + _BLOCK] = _SCALE * (fit_tu - _of_any_state(fit_tu, count_u / count_u.sum()))
    return scores_tu


def _of_any_state(fit_tu: Array, prior_u: npt.NDArray[np.float64]) -> Array:
    """Log-likelihood of each frame whatever its state, (t, 1)."""
    highest = fit_tu.max(1, keepdims=True)
    total: Array = highest + np.log(np.exp(fit_tu - highest) @ prior_u.astype(np.float32) + 1e-30)[:, None]
    return total


@numba.njit(nogil=True, cache=True)
def _search(score_tu, state_s, optional_s, begin_n, cut_b, cost_b, unread, beam):  # type: ignore[no-untyped-def]
    """Where the best path came from at each cut with so many sentences done with, as cut · (n + 1) + sentences.

    Tokens are passed along the chain of all sentences (Young et al., "Token passing", 1989): each knows where it
    entered. Those that lie further than `beam` behind the best are given up at each cut.
    """
    n_states, n_sentences = len(state_s), len(begin_n) - 1
    score, entered = np.full(n_states, _IMPOSSIBLE), np.full(n_states, -1, np.int64)
    came_from = np.full((len(cut_b), n_sentences + 1), -1, np.int64)
    done = -unread * (begin_n - begin_n[0])  # score with so many sentences done with, here passed over
    came_from[0, 1:] = np.arange(n_sentences)
    for b in range(len(cut_b) - 1):
        best = max(done.max(), score.max())
        for n in range(n_sentences):
            if done[n] > best - beam and done[n] + _PAUSE_BONUS > score[begin_n[n]]:
                score[begin_n[n]], entered[begin_n[n]] = done[n] + _PAUSE_BONUS, b * (n_sentences + 1) + n
        low, high = n_states, -1
        for s in range(n_states):
            if score[s] > best - beam:
                low, high = min(low, s), s
            else:
                score[s] = _IMPOSSIBLE
        for t in range(cut_b[b], cut_b[b + 1]):
            high = min(n_states - 1, high + 2)
            for s in range(high, low - 1, -1):  # downwards, so that the scores on the left are still those of t - 1
                top, mark = score[s], entered[s]
                if s > low and score[s - 1] > top:
                    top, mark = score[s - 1], entered[s - 1]
                if s > low + 1 and optional_s[s - 1] and score[s - 2] > top:
                    top, mark = score[s - 2], entered[s - 2]
                score[s], entered[s] = top + score_tu[t, state_s[s]], mark
        for n in range(n_sentences + 1):
            done[n] -= cost_b[b]
            came_from[b + 1, n] = b * (n_sentences + 1) + n
            if n:
                for s in (begin_n[n] - 1, begin_n[n] - 2):  # the edge at the end of a sentence may be skipped
                    if score[s] > done[n]:
                        done[n], came_from[b + 1, n] = score[s], entered[s]
                passed_over = done[n - 1] - unread * (begin_n[n] - begin_n[n - 1])
                if passed_over > done[n]:
                    done[n], came_from[b + 1, n] = passed_over, (b + 1) * (n_sentences + 1) + n - 1
    return came_from


def _stretches(came_from: Indices, cuts: Indices) -> list[Stretch]:
    """Follow the best path from its end to its beginning."""
    stretches = []
    b, n = len(cuts) - 1, came_from.shape[1] - 1
    while b or n:
        b_before, n_before = divmod(int(came_from[b, n]), came_from.shape[1])
        if b_before < b and n_before < n:
            stretches.append(Stretch(n_before, n, int(cuts[b_before]), int(cuts[b])))
        b, n = b_before, n_before
    return stretches[::-1]
