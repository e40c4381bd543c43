from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from reproduction.comparison import (
    ABSOLUTE_TOLERANCE,
    ASPECTS,
    BIT_IDENTICAL,
    DIFFERENT,
    ENVIRONMENT,
    WITHIN_TOLERANCE,
    Difference,
    Provenance,
    compare_provenance,
    compare_results,
    compare_tensors,
    conclude,
    metrics_agree,
)
from reproduction.results import Results

PROVENANCE: Provenance = {aspect: {"kept": 1, "changed": 1} for aspect in ASPECTS}
RESULTS = Results(
    {"checkpoints": "a", "training.csv": "b"},
    {"cer": 0.2, "dnsmos": 3.0, "rtf": 0.1, "nothing": math.nan},
    [{"id": "one", "cer": "0.1", "rtf": "0.3"}, {"id": "two", "cer": "0.2", "rtf": "0.3"}],
)
OTHER_BYTES = {"checkpoints": "z", "training.csv": "b"}
LIBRARY = Difference("library", "numpy", "1", "2")


def changed(*aspects: str) -> Provenance:
    return {**PROVENANCE, **{aspect: {"kept": 1, "changed": 2} for aspect in aspects}}


@pytest.mark.parametrize(("aspect", "cause"), ASPECTS.items())
def test_a_difference_of_provenance_is_named_alone(aspect: str, cause: str) -> None:
    assert compare_provenance(PROVENANCE, changed(aspect)) == [Difference(cause, "changed", 1, 2)]
    assert compare_provenance(PROVENANCE, PROVENANCE) == []


@given(st.sets(st.sampled_from(sorted(ASPECTS)), min_size=1))
def test_differences_come_in_the_order_of_causes(aspects: set[str]) -> None:
    order = list(dict.fromkeys(ASPECTS.values()))
    causes = [difference.cause for difference in compare_provenance(PROVENANCE, changed(*aspects))]
    assert sorted(causes, key=order.index) == causes
    assert len(causes) == len(aspects)


def test_a_package_that_only_one_run_has_is_a_difference() -> None:
    past, now = {"packages": {"a": "1"}}, {"packages": {"b": "1"}}
    assert compare_provenance(past, now) == [
        Difference("library", "a", "1", None),
        Difference("library", "b", None, "1"),
    ]


def test_an_aspect_that_one_run_does_not_know_is_no_difference() -> None:
    assert compare_provenance({"hardware": {"cpu": "x"}}, {"seed": {"seed": 1}}) == []


def test_a_reproduction_is_bit_identical_whatever_the_clock_says() -> None:
    slower = [{**row, "rtf": "9"} for row in RESULTS.utterances]
    now = Results({**RESULTS.digests, "more": "c"}, {**RESULTS.metrics, "rtf": 9.0, "far_rtf": 1.0}, slower)
    verdict = conclude(RESULTS, now, [LIBRARY], True)
    assert (verdict.verdict, verdict.cause) == (BIT_IDENTICAL, None)
    assert verdict.differences == [LIBRARY]
    assert verdict.not_compared == []


@pytest.mark.parametrize(
    "change",
    [
        {"digests": OTHER_BYTES},
        {"digests": {"training.csv": "b"}},
        {"metrics": {**RESULTS.metrics, "cer": 0.2000001}},
        {"metrics": {k: v for k, v in RESULTS.metrics.items() if k != "cer"}},
        {"metrics": {**RESULTS.metrics, "new": 1.0}},
        {"metrics": {**RESULTS.metrics, "nothing": 0.0}},
        {"utterances": [{**RESULTS.utterances[0], "cer": "0.3"}, RESULTS.utterances[1]]},
        {"utterances": RESULTS.utterances[:1]},
        {"utterances": ()},
    ],
    ids=str,
)
def test_a_reproduction_with_the_least_change_is_not_bit_identical(change: dict[str, Any]) -> None:
    verdict = conclude(RESULTS, dataclasses.replace(RESULTS, **change), [], True)
    assert (verdict.verdict, verdict.cause) == (DIFFERENT, "nondeterminism")
    assert sum(not row.same for row in verdict.results) == 1


def test_a_reproduction_says_what_was_not_kept() -> None:
    verdict = conclude(Results({"checkpoints": "a"}), RESULTS, [], True)
    assert verdict.verdict == BIT_IDENTICAL
    assert verdict.not_compared == ["metrics", "utterances"]


@pytest.mark.parametrize("cause", sorted(set(ASPECTS.values())))
@pytest.mark.parametrize("cer", [0.2, 0.2 + 2 * ABSOLUTE_TOLERANCE], ids=["near", "far"])
def test_a_reproduction_in_another_environment_is_within_tolerance_if_its_metrics_are_near(
    cause: str, cer: float
) -> None:
    now = dataclasses.replace(RESULTS, digests=OTHER_BYTES, metrics={**RESULTS.metrics, "cer": cer})
    verdict = conclude(RESULTS, now, [Difference(cause, "name", 1, 2)], True)
    assert verdict.verdict == (WITHIN_TOLERANCE if cause in ENVIRONMENT and cer == 0.2 else DIFFERENT)
    assert verdict.cause == f"{cause}: name"


def test_a_reproduction_of_another_recipe_is_not_excused_by_another_environment() -> None:
    now = dataclasses.replace(RESULTS, digests=OTHER_BYTES)
    verdict = conclude(RESULTS, now, [Difference("code", "model/layers.py", 1, 2), LIBRARY], True)
    assert (verdict.verdict, verdict.cause) == (DIFFERENT, "code: model/layers.py")


def test_a_reproduction_without_metrics_has_no_tolerance() -> None:
    past = dataclasses.replace(RESULTS, metrics={})
    assert conclude(past, dataclasses.replace(RESULTS, digests=OTHER_BYTES), [LIBRARY], True).verdict == DIFFERENT


def test_a_reproduction_does_not_blame_nondeterminism_where_hardware_is_unknown() -> None:
    verdict = conclude(RESULTS, dataclasses.replace(RESULTS, digests=OTHER_BYTES), [], False)
    assert verdict.cause == "nondeterminism, or hardware, which was not recorded"


@given(st.dictionaries(st.text(min_size=1), st.floats(allow_nan=True), max_size=4))
def test_metrics_agree_with_themselves(metrics: dict[str, float]) -> None:
    assert metrics_agree(metrics, metrics)


def test_columns_of_utterances_that_differ_are_named() -> None:
    now = [{**row, "cer": "1", "rtf": "2"} for row in RESULTS.utterances]
    row = compare_results(RESULTS, dataclasses.replace(RESULTS, utterances=now))[-1]
    assert (row.what, row.now, row.same) == ("utterances.csv", "2 rows cer", False)


def test_tensors_say_how_far_they_are_apart(tmp_path: Path) -> None:
    def save(name: str, header: str = "", **tensors: torch.Tensor) -> Path:
        save_file(tensors, tmp_path / name, metadata={"made": header})
        return tmp_path / name

    past = save("past", a=torch.zeros(2), b=torch.ones(3))
    assert compare_tensors(past, save("header", "x", a=torch.zeros(2), b=torch.ones(3))).startswith("equal tensors")
    moved = save("moved", a=torch.zeros(2), b=torch.tensor([1.0, 1.5, 1.0]))
    assert compare_tensors(past, moved) == "1 of 2 tensors differ, by at most 0.5"
    assert compare_tensors(past, save("shape", a=torch.zeros(3), b=torch.ones(3))) == "other tensors or shapes"
