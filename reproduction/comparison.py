"""Comparing two runs: what differs in what made them, what differs in what came out, and the verdict on both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from evaluation.measures import is_timing
from reproduction.results import UTTERANCES, Results

Provenance = Mapping[str, Mapping[str, Any]]
"""What made a run: for each of `ASPECTS` that is known, values by name."""

ASPECTS = {
    "clips": "data",  # MD5 of each file of the corpus
    "corpus": "data",  # MD5 of the corpus
    "config": "config",  # value of each setting, but for the two below
    "sources": "code",  # MD5 of each file or folder that DVC knows as code
    "code": "code",  # hash of the code in the recipe of the checkpoint
    "lock_file": "lock file",  # MD5
    "locked": "lock file",  # hash of the lock file in the recipe of the checkpoint
    "packages": "library",  # version of each package
    "library": "library",  # what the identity says of it: the version of Python
    "hardware": "hardware",  # what the identity says of it: processor and GPU
    "threads": "thread count",
    "seed": "seed",
}
"""The aspects of a run and the cause that each stands for; causes are looked for in this order."""

ENVIRONMENT = ("library", "hardware")
"""Causes that lie outside the recipe: two runs may differ in these and still be near each other."""

BIT_IDENTICAL, WITHIN_TOLERANCE, DIFFERENT = "bit-identical", "within tolerance", "different"

# A figure may move by as much as chance moves it: the character error rate of the demo's 64 sentences has a 95 %
# interval of ±0.05 (bootstrap), and its quality one of ±2 %, its spectral distance of ±4 %.
ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE = 0.05, 0.05

_MISSING = "none"


@dataclass(frozen=True)
class Difference:
    """One thing that differs in what made two runs; None is what one of them does not have."""

    cause: str
    name: str
    past: Any
    now: Any


@dataclass(frozen=True)
class Comparison:
    """One result of two runs, as it is shown."""

    what: str
    past: str
    now: str
    same: bool


@dataclass(frozen=True)
class Reproduction:
    """What came of making a run again: whether it is the same, why not, and all that was compared."""

    verdict: str
    cause: str | None
    results: list[Comparison]
    differences: list[Difference]
    not_compared: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The reproduction as JSON has it."""
        return asdict(self)


def compare_provenance(past: Provenance, now: Provenance) -> list[Difference]:
    """All that differs in the aspects that both runs know, the first cause first."""
    return [
        Difference(cause, name, past[aspect].get(name), now[aspect].get(name))
        for aspect, cause in ASPECTS.items()
        if aspect in past and aspect in now
        for name in sorted(past[aspect].keys() | now[aspect].keys())
        if past[aspect].get(name) != now[aspect].get(name)
    ]


def conclude(past: Results, now: Results, different: Sequence[Difference], hardware_known: bool) -> Reproduction:
    """The verdict on a run that was made again, and the first cause if it is not the same to the last bit."""
    results = compare_results(past, now)
    empty = [name for name in ("metrics", "utterances") if not getattr(past, name)]
    if all(result.same for result in results):
        return Reproduction(BIT_IDENTICAL, None, results, list(different), empty)
    if different:
        cause = f"{different[0].cause}: {different[0].name}"
    else:
        cause = "nondeterminism" if hardware_known else "nondeterminism, or hardware, which was not recorded"
    elsewhere = bool(different) and all(difference.cause in ENVIRONMENT for difference in different)
    near = (
        elsewhere
        and bool(past.metrics)
        and metrics_agree(past.metrics, now.metrics, RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE)
    )
    return Reproduction(WITHIN_TOLERANCE if near else DIFFERENT, cause, results, list(different), empty)


def compare_results(past: Results, now: Results) -> list[Comparison]:
    """Each result of the past run beside what it is now; what the clock decides is left out."""
    rows = [
        Comparison(name, digest, now.digests.get(name, _MISSING), now.digests.get(name) == digest)
        for name, digest in past.digests.items()
    ]
    if past.metrics:
        rows += [
            Comparison(name, _shown(past.metrics.get(name)), _shown(now.metrics.get(name)), same)
            for name, same in _agreements(past.metrics, now.metrics, 0, 0)
        ]
    if past.utterances:
        rows.append(_compare_utterances(past.utterances, now.utterances))
    return rows


def metrics_agree(
    past: Mapping[str, float], now: Mapping[str, float], relative: float = 0.0, absolute: float = 0.0
) -> bool:
    """Whether all metrics but those of the clock agree, within a tolerance or to the last bit."""
    return all(same for _, same in _agreements(past, now, relative, absolute))


def compare_tensors(past: Path, now: Path) -> str:
    """In words, how far the tensors of two safetensors files are apart."""
    before, after = load_file(past), load_file(now)
    if {name: tensor.shape for name, tensor in before.items()} != {n: tensor.shape for n, tensor in after.items()}:
        return "other tensors or shapes"
    furthest = [float((before[name].double() - after[name].double()).abs().max()) for name in before]
    moved = sum(not before[name].equal(after[name]) for name in before)
    if not moved:
        return "equal tensors, other header"
    return f"{moved} of {len(before)} tensors differ, by at most {max(furthest):.3g}"


def _agreements(
    past: Mapping[str, float], now: Mapping[str, float], relative: float, absolute: float
) -> Iterable[tuple[str, bool]]:
    for name in sorted(past.keys() | now.keys()):
        if is_timing(name):
            continue
        a, b = past.get(name), now.get(name)
        if a is None or b is None:
            yield name, False
        else:
            yield name, (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=relative, abs_tol=absolute)


def _compare_utterances(past: Sequence[Mapping[str, str]], now: Sequence[Mapping[str, str]]) -> Comparison:
    before, after = ({row["id"]: row for row in table} for table in (past, now))
    columns = sorted(
        {
            column
            for name in before.keys() & after.keys()
            for column in before[name].keys() | after[name].keys()
            if not is_timing(column) and before[name].get(column) != after[name].get(column)
        }
    )
    if before.keys() != after.keys():
        columns.insert(0, "other utterances")
    return Comparison(UTTERANCES, f"{len(past)} rows", f"{len(now)} rows {', '.join(columns)}".strip(), not columns)


def _shown(figure: float | None) -> str:
    return _MISSING if figure is None else f"{figure:.6g}"
