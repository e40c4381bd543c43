"""What came out of a run, as it is read again."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

UTTERANCES = "utterances.csv"
"""The table of what was heard, sentence by sentence."""


@dataclass(frozen=True)
class Results:
    """What came out of a run: digests of files, figures, and what was heard. What is not known is empty."""

    digests: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    utterances: Sequence[Mapping[str, str]] = ()


def read_utterances(path: Path) -> list[dict[str, str]]:
    """The rows of a table of utterances; none if there is no such file."""
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def known_of_both(one: Results, other: Results) -> tuple[Results, Results]:
    """The digests and metrics of two runs, as far as they are known of both."""
    names = one.digests.keys() & other.digests.keys()
    first, second = (
        Results(
            {name: digest for name, digest in run.digests.items() if name in names},
            run.metrics if one.metrics and other.metrics else {},
        )
        for run in (one, other)
    )
    return first, second
