"""What is measured of speech: how each figure is called, written and read, and which of them the clock decides."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A figure for people to read: its title, its number format, and which way is better."""

    title: str
    form: str
    reading: str


MEASURES = {
    "cer": Measure("character error rate", "{:.1%}", "lower is better"),
    "wer": Measure("word error rate", "{:.1%}", "lower is better"),
    "dnsmos": Measure("quality (DNSMOS, 1 to 5)", "{:.2f}", "higher is better"),
    "mel_l1": Measure("distance of log-mels", "{:.3f}", "lower is better"),
    "duration_ratio": Measure("duration, speech : recording", "{:.2f}", "near 1 is better"),
    "diagonality": Measure("attention on the path", "{:.1%}", "higher is better"),
    "ended_percent": Measure("sentences that end", "{:.1f}%", "higher is better"),
    "rtf": Measure("work for a second of speech, s", "{:.2f}", "lower is better"),
}
"""By the name that a figure has in tables and in `metrics.json`."""

CEILINGS = {"_vocoded": "vocoded recording", "_recording": "recording"}
"""What the best model could hope for is heard in these; their figures have the measure's name and this ending."""

HEARD_BY = "heard_by.txt"
"""Beside the tables: the recogniser that error rates are of."""

MISSING = "–"
"""What stands for a figure that could not be measured."""

_OTHER_COUNTS = {"compared", "heard", *(f"heard{kind}" for kind in CEILINGS)}

WITH_CEILINGS = ("cer", "wer", "dnsmos")

IN_A_LANGUAGE = ("utterances", "mel_l1", *(f"{name}{kind}" for name in ("cer", "wer") for kind in ("", *CEILINGS)))
"""Figures that are also given for each language by itself."""


def in_a_language(name: str, language: str) -> str:
    """What a figure is called for one language, such as `cer_fr_vocoded`."""
    kind = next((kind for kind in CEILINGS if name.endswith(kind)), "")
    return f"{name.removesuffix(kind)}_{language}{kind}"


def languages_of(figures: Mapping[str, float]) -> list[str]:
    """The languages that figures are of."""
    prefix = in_a_language("utterances", "")
    counts = {name.removeprefix(prefix) for name in figures if name.startswith(prefix)}
    return sorted(counts - _OTHER_COUNTS)


def unheard(figures: Mapping[str, float]) -> str:
    """Why there are no error rates in some languages; empty if there are some in all."""
    without = [name for name in languages_of(figures) if in_a_language("cer", name) not in figures]
    return f"no recogniser for {', '.join(without)}" if without else ""


def written(name: str, figures: Mapping[str, float], measure: str = "") -> str:
    """A figure as text, in the form of its measure; a dash where there is none."""
    figure = figures.get(name, math.nan)
    return MEASURES[measure or name].form.format(figure) if math.isfinite(figure) else MISSING


def is_timing(name: str) -> bool:
    """Whether the clock decides a figure or a column of a table, so that no two runs agree on it."""
    return name.endswith(("rtf", "real_time_factor"))


def metrics_text(figures: Mapping[str, float]) -> str:
    """The content of `metrics.json`: what the clock decides, in the section `speed`, apart from the `quality`."""
    sections: dict[str, dict[str, float]] = {"quality": {}, "speed": {}}
    for name, figure in figures.items():
        sections["speed" if is_timing(name) else "quality"][name] = figure
    return json.dumps(sections, indent=2, sort_keys=True) + "\n"


def read_metrics(content: str) -> dict[str, float]:
    """All figures of a `metrics.json`, whatever sections they stand in."""
    return {name: figure for section in json.loads(content).values() for name, figure in section.items()}
