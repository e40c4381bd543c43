"""Progress in the terminal: a bar with the time left, or now and then a line where there is no terminal.

Whatever takes more than a few seconds is given a `Report` and calls it. Nothing here decides any result, so that this
module is in no recipe.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 15.0
_SHOWN = ("loss", "mel_l1", "validation_mel_l1", "frames_per_second")
_NONE: Mapping[str, float] = {}


class Report(Protocol):
    """Called with what is being done, how much of it is done, how much there is, and figures to show."""

    def __call__(self, what: str, done: int, total: int, figures: Mapping[str, float] = _NONE, /) -> None:
        """Take a report."""


def silent(what: str, done: int, total: int, figures: Mapping[str, float] = _NONE, /) -> None:
    """A `Report` that goes nowhere."""


def watched(items: Iterable[T], what: str, total: int, report: Report) -> Iterator[T]:
    """The items, each reported once it is done with."""
    for k, item in enumerate(items):
        yield item
        report(what, k + 1, total)


@contextlib.contextmanager
def shown() -> Iterator[Report]:
    """Show one bar for each thing that is reported."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(file=sys.__stdout__)
    if not console.is_terminal:
        yield lines(lambda line: console.print(line, highlight=False))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=console) as bars:
        tasks = {}

        def report(what: str, done: int, total: int, figures: Mapping[str, float] = _NONE, /) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, figures="")
            bars.update(tasks[what], completed=done, figures=_format(figures))

        yield report


def lines(write: Callable[[str], None], seconds_between: float = _SECONDS_BETWEEN_LINES) -> Report:
    """A `Report` that writes a line with the time left every so many seconds, and one when all is done."""
    first: dict[str, tuple[float, int]] = {}  # when it was first told of, and how much was done then
    printed: dict[str, float] = {}

    def report(what: str, done: int, total: int, figures: Mapping[str, float] = _NONE, /) -> None:
        now = time.monotonic()
        started, done_before = first.setdefault(what, (now, done))
        if done < total and now - printed.get(what, started) < seconds_between:
            return
        printed[what] = now
        elapsed = now - started
        left = elapsed / max(1, done - done_before) * (total - done)
        write(f"{what}: {done}/{total}, {elapsed:.0f} s, {left:.0f} s left {_format(figures)}".rstrip())

    return report


def _format(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {figures[name]:.4g}" for name in _SHOWN if name in figures)
