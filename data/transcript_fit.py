"""Do recordings last as long as their texts take to say?

A speaker takes a time for a phone and a time for a clip: a line through spoken seconds over phones. A clip that lies
far from its speaker's line has another text; many clips in a row that lie on it with the text of a neighbour are a list
that has slipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

_FEWEST_CLIPS = 20  # of a speaker, to know a line by
_STEADY = 30  # phones; the tempo of clips with more varies no less
_TRIED = (1, -1, 2, -2)  # rows
_FARTHEST = 1.5  # of the logarithm of a ratio; what lies further off counts no more
_MOST_RUNS = 20
_FEWEST_ROWS = 8
_POOR = 0.25  # how far off, on average, the own texts of a run must be
_BETTER = 0.45  # how much of that its neighbours' texts may leave
_CERTAIN = 2.4  # the gain of a run over its root sum of squares

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]


def tempo(seconds: Floats, phones: Floats, speaker: pd.Series[str]) -> Floats:
    """How far each clip (n,) lies from its speaker's line, in robust standard deviations; above 0 it is slow.

    `seconds` of speech and `phones` are NaN where they are not known. NaN is also what comes for those, and for
    speakers of whom too few clips are known.
    """
    found = np.full(len(seconds), np.nan)
    for known in _clips_of_speakers(seconds, phones, speaker):
        off = _off(seconds[known], phones[known]) * np.sqrt(np.minimum(phones[known], _STEADY))
        off -= np.median(off)
        found[known] = off / max(1.4826 * float(np.median(np.abs(off))), 1e-3)
    return found


def row_shifts(seconds: Floats, phones: Floats, speaker: pd.Series[str], row: Integers) -> Floats:
    """How many rows below (or, under 0, above) each clip (n,) the text is that its recording fits; mostly 0.

    `row` is each clip's place in its list.
    """
    losses = {by: _loss(seconds, _phones_of_neighbours(phones, row, by), speaker) for by in (0, *_TRIED)}
    order = np.argsort(row, kind="stable")
    own = losses[0][order]
    found, gains = np.zeros(len(row)), {by: np.nan_to_num(own - losses[by][order]) for by in _TRIED}
    for _ in range(_MOST_RUNS):
        runs = {by: _richest_run(gain) for by, gain in gains.items()}
        by = max(runs, key=lambda by: gains[by][runs[by]].sum())
        run, gain = runs[by], gains[by][runs[by]]
        if not gain.any():
            break
        before, after = float(np.nanmean(own[run])), float(np.nanmean(losses[by][order][run]))
        certain = gain.sum() / np.sqrt(np.square(gain).sum())
        if len(gain) >= _FEWEST_ROWS and before >= _POOR and after <= _BETTER * before and certain >= _CERTAIN:
            found[order[run]] = by
        for other in gains.values():
            other[run] = -_FARTHEST  # looked at
    return found


def _clips_of_speakers(seconds: Floats, phones: Floats, speaker: pd.Series[str]) -> list[Integers]:
    """Which clips each speaker has whose seconds and phones are known; speakers of too few are left out."""
    known = np.flatnonzero((seconds > 0) & (phones > 0))
    codes = pd.factorize(speaker.iloc[known])[0]
    own = [known[codes == code] for code in range(codes.max(initial=-1) + 1)]
    return [clips for clips in own if len(clips) >= _FEWEST_CLIPS]


def _off(seconds: Floats, phones: Floats) -> Floats:
    """The logarithm of how much longer than its speaker's line each clip is.

    The line is Tukey's resistant line, through the medians of the outer thirds (Exploratory Data Analysis, 1977).
    """
    order = np.argsort(phones, kind="stable")
    third = max(1, len(order) // 3)
    low, high = order[:third], order[-third:]
    across = np.median(phones[high]) - np.median(phones[low])
    slope = max(0.0, float((np.median(seconds[high]) - np.median(seconds[low])) / across)) if across > 0 else 0.0
    expected = slope * phones
    expected += np.median(seconds - expected)
    off: Floats = np.log(seconds / np.maximum(expected, 0.05))
    return off


def _phones_of_neighbours(phones: Floats, row: Integers, by: int) -> Floats:
    """The phones of the clip that stands so many rows below each; NaN where there is none."""
    return pd.Series(phones, index=row).reindex(row + by).to_numpy()


def _loss(seconds: Floats, phones: Floats, speaker: pd.Series[str]) -> Floats:
    """How far each clip is off with these phones; NaN where that is not known."""
    loss = np.full(len(seconds), np.nan)
    for known in _clips_of_speakers(seconds, phones, speaker) or [np.flatnonzero((seconds > 0) & (phones > 0))]:
        if len(known):
            loss[known] = np.minimum(np.abs(_off(seconds[known], phones[known])), _FARTHEST)
    return loss


def _richest_run(gain: Floats) -> slice:
    """The run of rows with the largest sum."""
    total = np.concatenate([[0.0], np.cumsum(gain)])
    stop = int(np.argmax(total - np.minimum.accumulate(total)))
    return slice(int(np.argmin(total[: stop + 1])), stop)
