"""Progress in the terminal: a bar with the time left, or now and then a line where there is no terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 15.0

Report = Callable[[str, int, int, Mapping[str, float]], None]
"""Called with what is being done, how much is done, how much there is, and figures to show."""


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """Show one bar for each thing that is reported."""
    console = Console(file=sys.__stdout__)
    if not console.is_terminal:
        yield _lines(console)
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

        def report(what: str, done: int, total: int, figures: Mapping[str, float]) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, figures="")
            bars.update(tasks[what], completed=done, figures=_format(figures))

        yield report


def _lines(console: Console) -> Report:
    first: dict[str, tuple[float, int]] = {}  # when it was first told of, and how much was done then
    printed: dict[str, float] = {}

    def report(what: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        now = time.monotonic()
        started, done_before = first.setdefault(what, (now, done))
        if done < total and now - printed.get(what, started) < _SECONDS_BETWEEN_LINES:
            return
        printed[what] = now
        elapsed = now - started
        left = elapsed / max(1, done - done_before) * (total - done)
        console.print(
            f"{what}: {done}/{total}, {elapsed:.0f} s, {left:.0f} s left {_format(figures)}".rstrip(), highlight=False
        )

    return report


def _format(figures: Mapping[str, float]) -> str:
    shown = ("loss", "mel_l1", "validation_mel_l1", "frames_per_second")
    return ", ".join(f"{name.replace('_', ' ')} {figures[name]:.4g}" for name in shown if name in figures)


def watched(items: Iterable[T], what: str, total: int, report: Report) -> Iterator[T]:
    """The items, each reported once it is done with."""
    for k, item in enumerate(items):
        yield item
        report(what, k + 1, total, {})
