"""What the verbs of `myxtts data` say of recordings: for people line by line, or as JSON for scripts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from commands.output import show
from data.problems import Problem


@dataclass(frozen=True)
class Recordings:
    """What was found at the place that a preset names."""

    preset: str
    layout: str
    """What the place was taken for, in words."""
    sure: float
    """How sure that is, from 0 to 1."""
    speakers: Mapping[str, int]
    """How many clips each has."""
    languages: Mapping[str, int]
    """How many clips each has."""
    minutes: float
    problems: Sequence[Problem]
    refusal: Sequence[str]
    """Why they cannot be trained on, and what would do, in lines; empty if they can."""


def show_recordings(parsed: argparse.Namespace, found: Recordings) -> int:
    """Print what was found; returns the exit code: 0 if it can be trained on, 1 if not."""
    content = {
        "preset": found.preset,
        "layout": found.layout,
        "sure": found.sure,
        "clips": sum(found.languages.values()),
        "speakers": found.speakers,
        "languages": found.languages,
        "minutes": round(found.minutes, 2),
        "problems": [problem.as_json() for problem in found.problems],
    }
    show(parsed, content, _lines(found))
    return 1 if found.refusal else 0


def _lines(found: Recordings) -> Iterator[str]:
    clips = sum(found.languages.values())
    sure = "" if found.sure == 1 else f" ({found.sure:.0%} sure)"
    yield f"{found.preset}: {found.layout}{sure}, {clips:,} clips, {found.minutes:,.1f} minutes"
    for title, counts in (("speakers", found.speakers), ("languages", found.languages)):
        yield f"{title}: {', '.join(f'{name} ({count:,})' for name, count in counts.items())}"
    for problem in found.problems:
        yield from problem.lines()
    yield from found.refusal or ["It can be trained on."]
