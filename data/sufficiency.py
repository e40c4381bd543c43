"""Whether there are clips enough, said before any time is spent on them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from configs.schema import Audio, Data
from data.corpus import CorpusClip, CorpusError
from data.problems import Kind
from data.splits import CRITERIA, are_sentences, listenable, split_of, with_spoken
from data.text import split_sentences

TOO_FEW = Kind("too_few_clips", "error", "Record more, or hold out another share of them.")

_FEWEST = 4  # clips to train on
_DOUBT = 0.05  # that so many more recordings as advised leave nothing to listen to
_MOST_PERCENT = 40  # that `data.test_percent` may be


class Said(NamedTuple):
    """What has to be known of a clip."""

    id: str
    language: str
    text: str
    duration: float
    """s."""


def check_splits(clips: Sequence[CorpusClip], data: Data) -> None:
    """See to it that there is no `shortage`; raises `CorpusError`."""
    if lacking := shortage([Said(clip.id, clip.language, clip.text, clip.duration) for clip in clips], data):
        raise CorpusError(lacking)


def shortage(clips: Sequence[Said], data: Data) -> str:
    """Whether nothing is left to train on, or no sentence to listen to, and what would do; empty if there is enough.

    It says how many more recordings or which settings would do.
    """
    rows = [(clip.id, clip.language, *sentence) for clip in clips for sentence in _sentences(clip, data)]
    table = with_spoken(pd.DataFrame(rows, columns=["clip", "language", "text", "seconds"]))
    lacking = _lacking(table, data)
    if not lacking:
        return ""
    sentences = int((are_sentences(table) & ~table["spoken"].duplicated(keep=False)).sum())
    needed = math.ceil(math.log(_DOUBT) / math.log(1 - data.test_percent / 100))
    advice = [f"record {max(1, needed - sentences)} more such sentences", *_settings_that_do(table, data)]
    return (
        f"of {len(clips)} clips {lacking}: ids decide that {data.test_percent}% are listened to after "
        f"training, {data.validation_percent}% are watched and the others are trained on, and what is listened to must "
        f"be a sentence {CRITERIA} that no other clip says, of which the corpus has {sentences}; " + " or ".join(advice)
    )


def check_pieces(pieces: pd.DataFrame, audio: Audio) -> None:
    """See to it that there is still something to listen to in `data.features`, now that clips are trimmed and cut.

    Raises `CorpusError`.
    """
    seconds = pieces["frames"] * audio.hop_length / audio.sample_rate
    if listenable(with_spoken(pieces.assign(seconds=seconds))).empty:
        raise CorpusError(
            f"of {len(pieces)} pieces none is left to listen to, now that silence is cut off: record more sentences "
            f"{CRITERIA} that no other clip says"
        )


def _settings_that_do(table: pd.DataFrame, data: Data) -> Iterator[str]:
    """The nearest settings with which something is left for everything, if there are any."""
    percents = sorted(range(1, _MOST_PERCENT + 1), key=lambda percent: abs(percent - data.test_percent))
    for validation in dict.fromkeys((data.validation_percent, 0)):
        for test in percents:
            other = data.model_copy(update={"test_percent": test, "validation_percent": validation})
            if not _lacking(table, other):
                watched = "" if validation == data.validation_percent else f" and data.validation_percent={validation}"
                yield f"set data.test_percent={test}{watched}"
                return


def _lacking(table: pd.DataFrame, data: Data) -> str:
    """What no clip is left for; empty if there is something for everything."""
    splits = [split_of(clip, data) for clip in table["clip"]]
    if table["clip"][[split == "train" for split in splits]].nunique() < _FEWEST:
        return f"fewer than {_FEWEST} are left to train on"
    return "none is left to listen to" if listenable(table.assign(split=splits)).empty else ""


def _sentences(clip: Said, data: Data) -> Iterator[tuple[str, float]]:
    """Text and about how many seconds of what a clip will be cut into."""
    if clip.duration <= data.max_piece_seconds:
        yield clip.text, clip.duration
        return
    for sentence in split_sentences(clip.text, max_characters=len(clip.text)):
        yield sentence, clip.duration * len(sentence) / len(clip.text)
