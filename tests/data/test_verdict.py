"""What becomes of clips with errors, and what is said where training cannot go on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.schema import Bounds, Validation
from data.bounds import findings_of
from data.dropping import kept, what_was_dropped, write_dropped
from data.problems import Finding, Kind, grouped
from data.verdict import Division, Policy, divide, refusal

ERROR = Kind("torn", "error", "Mend it.")
WARNING = Kind("odd", "warning", "Look at it.")


def clips(clipping: list[float]) -> pd.DataFrame:
    ids = [f"c{k}" for k in range(len(clipping))]
    return pd.DataFrame({"id": ids, "file": ids, "row": range(1, len(ids) + 1), "clipping": clipping})


def verdict(table: pd.DataFrame, policy: Policy, bounds: Validation) -> tuple[Division, str]:
    findings = list(findings_of(table, "clipping", bounds.clipping))
    division = divide(table, findings)
    return division, str(refusal(division, grouped(findings), table, bounds, policy) or "")


def test_warnings_drop_nothing_and_stop_nothing() -> None:
    table = clips([0.0, 0.0])
    division = divide(table, [Finding(WARNING, "a", "b", "c0")])
    assert division.kept == ["c0", "c1"]
    assert refusal(division, [], table, Validation(), Policy("stop", 0.0)) is None


def test_a_row_that_is_no_clip_counts_as_dropped_and_takes_no_clip_with_it() -> None:
    said = [Finding(ERROR, "x", "y", file="list.csv", row=9), Finding(ERROR, "same id", "another", "c0", "c0", 7)]
    division = divide(clips([0.0, 0.0]), said)
    assert division.kept == ["c0", "c1"]
    assert len(division.dropped) == 2
    assert division.percent == 50


def test_a_file_that_cannot_be_read_as_a_whole_stops_even_what_drops() -> None:
    torn = [Finding(ERROR, "UTF-16", "UTF-8", file="list.csv")]
    table = clips([0.0] * 40)
    said = refusal(divide(table, torn), grouped(torn), table, Validation(), Policy("drop", 20.0))
    assert said is not None
    assert "list.csv" in str(said)
    assert said.brief == [said.head]


def test_stop_says_what_drop_would_leave_out() -> None:
    _, text = verdict(clips([0.5] + [0.0] * 9), Policy("stop", 20.0), Validation())
    assert text.startswith("The dataset is not fit to train on: 1 errors in 1 of 10 clips (10%).")
    assert "c0, row 1: 0.5, expected <= 0.01" in text
    assert "--set data.on_error=drop, which leaves out 1 of 10 clips (10%)" in text
    assert verdict(clips([0.5] + [0.0] * 9), Policy("drop", 20.0), Validation())[1] == ""


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=40), percent=st.sampled_from([0.0, 5.0, 20.0, 50.0]))
def test_the_bound_that_is_advised_lets_training_go_on(values: list[float], percent: float) -> None:
    _, text = verdict(clips(values), Policy("drop", percent), Validation())
    if text:
        advised = float(text.partition("validation.clipping.max=")[2].split()[0])
        looser = Validation(clipping=Bounds(max=advised))
        assert verdict(clips(values), Policy("drop", percent), looser)[1] == ""


@pytest.mark.parametrize("count", [1, 1_310])
def test_a_refusal_stays_short_however_many_kinds_and_clips_there_are(count: int) -> None:
    table = clips([0.0] * count)
    kinds = [Kind(f"kind_{k}", "error", "Mend it.") for k in range(12)]
    findings = [Finding(kind, "x", "y", id) for kind in kinds for id in table["id"]]
    division = divide(table, findings)
    text = str(refusal(division, grouped(findings), table, Validation(), Policy("stop", 20.0)))
    assert text.count("\n") < 40
    for kind in kinds:
        assert f"error: {kind.name.replace('_', ' ')}: {count}" in text


def test_what_was_written_of_the_dropped_is_read_back_as_text(tmp_path: Path) -> None:
    assert kept(tmp_path) is None
    assert what_was_dropped(tmp_path) == ""
    write_dropped(["0001", "1.10", "NA"], [("nan", ["torn", "odd"], ["x; y", "2"]), ("7", ["torn"], ["z"])], tmp_path)
    assert kept(tmp_path) == {"0001", "1.10", "NA"}
    assert what_was_dropped(tmp_path) == "2 of 5 clips (40%): torn 2, odd 1"
    write_dropped(["a"], [], tmp_path)
    assert what_was_dropped(tmp_path) == ""
