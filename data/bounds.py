"""What is said of a clip that breaks a bound: in which unit, what explains it, what can be done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from configs.schema import Bounds
from data.problems import Finding, Kind

READABLE = Bounds(max=0)
"""The bound of `unreadable`, which nobody can change."""


class Measure(NamedTuple):
    """How a column of `data.clip_measures` is told of. Its name is that of the kind of fault."""

    advice: str
    unit: str = ""
    explained_by: str = ""
    """The column that says more of a value."""


MEASURES: Mapping[str, Measure] = {
    "unreadable": Measure("Copy the files again from where they are whole, or leave the clips out.", "", "reason"),
    "duration": Measure("Cut long recordings into sentences; leave out or join what is too short.", " s"),
    "sample_rate": Measure(
        "Take the recordings as they were before they were reduced: what is lost stays lost.", " Hz"
    ),
    "rate_ratio": Measure("Export all recordings of a speaker alike: mixed sample rates mostly mean mixed origins."),
    "peak": Measure("The recordings are all but silent: make them louder, or record them again."),
    "dc_offset": Measure("A high-pass at 20 Hz takes the offset away; a sound card that makes it is to be replaced."),
    "clipping": Measure("Record with less gain: what was cut off cannot be brought back."),
    "silence": Measure("There is hardly any sound in them: listen to one, then trim them or leave them out."),
    "leading_silence": Measure("Training cuts silence off; if there is a breath or a click in it, trim it.", " s"),
    "trailing_silence": Measure("Training cuts silence off; if there is a breath or a click in it, trim it.", " s"),
    "loudness": Measure("Training brings all to one peak; a speaker's clips should be equally loud already.", " dBFS"),
    "snr": Measure("Noise is learned as well: record in a quieter room, or leave the worst out.", " dB"),
    "bandwidth": Measure("They were made of telephone or low-rate sound: find what they were made of.", " Hz"),
    "hum": Measure("Hum of the mains is learned as well: a notch filter at its multiples takes it away.", " dB"),
    "text_length": Measure("Write what is said; texts without a word that can be spoken, and whole pages, are none."),
    "unknown_characters": Measure("Write what is said in the letters of the language.", "", "unknown"),
    "speech_rate": Measure("See whether the text is all that is said, and no more.", " phones/s"),
    "phone_length": Measure("More text than anybody can say in that time: see whether it is that of the clip.", " ms"),
    "tempo": Measure("Far from the speaker's usual tempo: see whether the text is all that is said.", " deviations"),
    "row_shift": Measure(
        "Texts and recordings seem shifted: find the row where the list slipped, and move the texts.",
        " rows",
        "row_that_fits",
    ),
    "duplicate_audio": Measure(
        "The same recording under several names: keep the one with the right text.", "", "same_audio_as"
    ),
    "duplicate_text": Measure(
        "A text that was read twice is no fault; see that both are what was said.", "", "same_text_as"
    ),
}


def kind_of(column: str, bound: Bounds) -> Kind:
    """The kind of fault that breaking the bound of a column is."""
    return Kind(column, bound.severity, MEASURES[column].advice)


def broken(clips: pd.DataFrame, column: str, bound: Bounds) -> pd.DataFrame:
    """The clips that break a bound, the worst first. What could not be measured breaks none."""
    values = clips[column].astype(float)
    below = -np.inf if bound.min is None else bound.min
    above = np.inf if bound.max is None else bound.max
    excess = pd.Series(np.maximum(below - values, values - above), index=clips.index)
    return clips.loc[excess[excess > 0].sort_values(ascending=False, kind="stable").index]


def findings_of(clips: pd.DataFrame, column: str, bound: Bounds) -> Iterator[Finding]:
    """A finding for each clip that breaks the bound of a column, the worst first."""
    kind, measure, expected = kind_of(column, bound), MEASURES[column], describe_bound(bound, column)
    bad = broken(clips, column, bound)
    said = bad[measure.explained_by] if measure.explained_by else [""] * len(bad)
    for value, more, id, file, row in zip(bad[column], said, bad["id"], bad["file"], bad["row"], strict=True):
        found = str(more) if column == "unreadable" else f"{value:.4g}{measure.unit}" + (f" ({more})" if more else "")
        yield Finding(kind, found, expected, id, file, None if pd.isna(row) else int(row))


def describe_bound(bound: Bounds, column: str) -> str:
    """What is expected of a column, in words."""
    unit = MEASURES[column].unit
    if column == "unreadable":
        return "a recording to its end"
    if bound.min is not None and bound.min == bound.max:
        return f"{bound.min:g}{unit}"
    limits = ((">=", bound.min), ("<=", bound.max))
    return " and ".join(f"{sign} {limit:g}{unit}" for sign, limit in limits if limit is not None)
