"""What is measured of speech: how each figure is called, written and read, and which of them the clock decides."""

from __future__ import annotations

import json
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

WITH_CEILINGS = ("cer", "wer", "dnsmos")


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
