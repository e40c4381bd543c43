"""Which clips cannot be learned from, whether what is left can be trained on, and if not, what would do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from configs.schema import Bounds, Validation
from data.problems import Finding, Problem

_MOST_LINES = 24


class Policy(NamedTuple):
    """What is to become of clips with errors: the settings of `configs.schema.Data` of these names."""

    on_error: Literal["stop", "drop"]
    max_dropped_percent: float


class Refusal(NamedTuple):
    """Why there can be no training, line by line."""

    head: str
    errors: Sequence[str]
    advice: Sequence[str]

    def __str__(self) -> str:
        return "\n".join([self.head, *self.errors, *self.advice])

    @property
    def brief(self) -> Sequence[str]:
        """Without the errors, for where they have been said."""
        return [self.head, *self.advice]


@dataclass(frozen=True)
class Division:
    """The clips of a corpus, divided into those that can be learned from and the others."""

    kept: Sequence[str]
    """Ids."""
    dropped: Mapping[str, Sequence[Finding]]
    """The errors of each other clip, and of each row that is none, by id or place."""

    @property
    def percent(self) -> float:
        """How much is dropped."""
        return 100 * len(self.dropped) / max(1, len(self.kept) + len(self.dropped))

    def __str__(self) -> str:
        total = len(self.kept) + len(self.dropped)
        return f"{len(self.dropped):,} of {total:,} clips ({self.percent:.3g}%)"


def divide(clips: pd.DataFrame, findings: Sequence[Finding]) -> Division:
    """Keep the clips (id, row) without errors. Rows of lists that became no clip count as dropped."""
    rows = dict(zip(clips["id"], clips["row"], strict=True))
    dropped: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.kind.severity == "error":
            elsewhere = finding.row is not None and rows.get(finding.id, math.nan) != finding.row
            of_clip = finding.id in rows and not (elsewhere and rows[finding.id] == rows[finding.id])
            place = finding.id if of_clip else f"{finding.file or finding.id}, row {finding.row}"
            dropped.setdefault(place, []).append(finding)
    return Division([id for id in rows if id not in dropped], dropped)


def refusal(
    division: Division, problems: Sequence[Problem], clips: pd.DataFrame, bounds: Validation, policy: Policy
) -> Refusal | None:
    """Why there can be no training on the division, and what would do; None if there can."""
    errors = [problem for problem in problems if problem.kind.severity == "error"]
    if torn := [problem for problem in errors if any(not f.id and f.row is None for f in problem.findings)]:
        head = "The dataset is not fit to train on: whole files cannot be read, and nobody knows what they hold."
        return Refusal(head, _shortened(torn), [])
    within = bool(division.kept) and division.percent <= policy.max_dropped_percent
    if not division.dropped or (policy.on_error == "drop" and within):
        return None if division.kept else Refusal("There is no clip to train on.", [], [])
    if policy.on_error == "stop":
        count = sum(len(problem.findings) for problem in errors)
        head = f"The dataset is not fit to train on: {count:,} errors in {division}."
    else:
        left = "leave nothing" if not division.kept else f"leave out {division}"
        head = f"The dataset is not fit to train on: data.on_error=drop would {left}"
        head += "." if not division.kept else f", and data.max_dropped_percent is {policy.max_dropped_percent:g}."
    advice = ["What would do, once you have listened to them:"]
    if within:
        advice.append(f"  --set data.on_error=drop, which leaves out {division}")
    else:
        advice += _what_would_do(division, errors, clips, bounds, policy)
    return Refusal(head, _shortened(errors), advice)


def _shortened(problems: Sequence[Problem]) -> list[str]:
    """Everything of the first problems, and a line for each of the others."""
    lines: list[str] = []
    for problem in problems:
        full = problem.lines()
        lines += full if len(lines) + len(full) <= _MOST_LINES else full[:1]
    return lines


def _what_would_do(
    division: Division, errors: Sequence[Problem], clips: pd.DataFrame, bounds: Validation, policy: Policy
) -> Iterator[str]:
    """Settings by which so few clips are left out as may be."""
    wrong = {id: {finding.kind.name for finding in findings} for id, findings in division.dropped.items()}
    allowed = policy.max_dropped_percent / 100 * (len(division.kept) + len(division.dropped))
    relaxed: list[str] = []
    for name in sorted((p.kind.name for p in errors), key=lambda name: -sum(name in kinds for kinds in wrong.values())):
        if sum(bool(kinds - set(relaxed)) for kinds in wrong.values()) <= allowed:
            break
        if name in Validation.model_fields:
            relaxed.append(name)
    for name in relaxed:
        bound: Bounds = getattr(bounds, name)
        wider = _wider(clips[name].dropna(), bound, policy.max_dropped_percent / 100)
        yield f"  --set validation.{name}.{wider} or --set validation.{name}.severity=warning"
    rest = sum(bool(kinds - set(relaxed)) for kinds in wrong.values())
    if relaxed and (rest or policy.on_error == "stop"):
        yield f"  with --set data.on_error=drop, which then leaves out {rest:,}"
    if division.kept:
        yield f"  --set data.on_error=drop --set data.max_dropped_percent={math.ceil(division.percent)}"


def _wider(values: pd.Series[float], bound: Bounds, share: float) -> str:
    """The bound that all but so many of the values keep."""
    too_high = bound.max is not None and (values > bound.max).sum() >= (values < (bound.min or -math.inf)).sum()
    value = (
        values.quantile(1 - share, interpolation="higher")
        if too_high
        else values.quantile(share, interpolation="lower")
    )
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 1.0
    rounded = (math.ceil if too_high else math.floor)(value / step) * step
    return f"{'max' if too_high else 'min'}={rounded:.3g}"
