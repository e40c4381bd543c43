"""What to print of a run that was made again, and of two runs that are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reproduction.comparison import Difference

_MOST_SHOWN = 20


def verdict_lines(made: Mapping[str, Any]) -> list[str]:
    """The lines on what `reproduction.reproduce.reproduce` returns."""
    because = f" ({made['cause']})" if made["cause"] else ""
    different = [Difference(**row) for row in made["differences"]]
    return [
        *_table(made["results"], "then", "now"),
        "",
        *(f"{name}: {words}" for name, words in made["tensors"].items()),
        *(f"not compared, because it was not kept: {name}" for name in made["not_compared"]),
        f"data: {made['data']}",
        *difference_lines(different, "then", "now"),
        f"kept in {made['kept']}",
        "",
        f"{made['run']}: {made['verdict']}{because}",
    ]


def diff_lines(told: Mapping[str, Any]) -> list[str]:
    """The lines on what `reproduction.reproduce.diff` returns."""
    names = [run["run"] for run in told["runs"]]
    lines = [
        f"{run['run']}: commit {run['commit'][:12]}"
        + (f", recipe {run['recipe'][:12]}" if run["recipe"] else "")
        + (f", uncommitted: {run['uncommitted']}" if run["uncommitted"] else "")
        for run in told["runs"]
    ]
    if not told["differences"] and not told["results"]:
        return [*lines, "nothing that is known of both differs"]
    different = [Difference(**row) for row in told["differences"]]
    return [*lines, *difference_lines(different, *names), *_table(told["results"], *names)]


def difference_lines(different: Sequence[Difference], first: str, second: str) -> list[str]:
    """A line for each difference between two runs called `first` and `second`, and how many more there are."""
    lines = [
        f"{difference.cause}: {difference.name}: {first} {difference.past}, {second} {difference.now}"
        for difference in different[:_MOST_SHOWN]
    ]
    more = len(different) - len(lines)
    return [*lines, *([f"and {more} more; --json names them all"] if more else [])]


def _table(rows: Iterable[Mapping[str, Any]], first: str, second: str) -> list[str]:
    cells = [("", first, second, "")]
    cells += [(row["what"], row["past"], row["now"], "" if row["same"] else "differs") for row in rows]
    return [f"{what:32}{past[:20]:>20}  {now[:20]:>20}  {same}".rstrip() for what, past, now, same in cells]
