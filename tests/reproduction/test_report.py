from __future__ import annotations

from typing import Any

from reproduction.comparison import Difference
from reproduction.report import diff_lines, difference_lines, verdict_lines

ROW = {"what": "cer", "past": "0.5", "now": "0.6", "same": False}
DIFFERENCE = {"cause": "library", "name": "numpy", "past": "1", "now": "2"}


def test_a_verdict_ends_with_its_cause() -> None:
    made: dict[str, Any] = {
        "run": "commit c0ffee",
        "verdict": "within tolerance",
        "cause": "library: numpy",
        "results": [ROW],
        "tensors": {"model.safetensors": "1 of 2 tensors differ"},
        "not_compared": ["utterances"],
        "data": "from DVC's cache",
        "differences": [DIFFERENCE],
        "kept": "reports/smoke/reproduction.json",
    }
    lines = verdict_lines(made)
    assert lines[-1] == "commit c0ffee: within tolerance (library: numpy)"
    assert lines[1].split() == ["cer", "0.5", "0.6", "differs"]
    assert "model.safetensors: 1 of 2 tensors differ" in lines
    assert "not compared, because it was not kept: utterances" in lines
    assert "library: numpy: then 1, now 2" in lines
    assert verdict_lines(made | {"verdict": "bit-identical", "cause": None})[-1] == "commit c0ffee: bit-identical"


def test_two_runs_without_a_difference_are_said_to_have_none() -> None:
    runs = [
        {"run": "commit a", "commit": "a" * 40, "recipe": "", "uncommitted": ""},
        {"run": "myxtts-smoke 2", "commit": "b" * 40, "recipe": "c" * 64, "uncommitted": "model/layers.py"},
    ]
    told: dict[str, Any] = {"runs": runs, "differences": [], "results": []}
    head = [
        "commit a: commit aaaaaaaaaaaa",
        "myxtts-smoke 2: commit bbbbbbbbbbbb, recipe cccccccccccc, uncommitted: model/layers.py",
    ]
    assert diff_lines(told) == [*head, "nothing that is known of both differs"]
    lines = diff_lines(told | {"differences": [DIFFERENCE], "results": [ROW]})
    assert lines[:3] == [*head, "library: numpy: commit a 1, myxtts-smoke 2 2"]
    assert lines[-1].split() == ["cer", "0.5", "0.6", "differs"]


def test_many_differences_are_counted() -> None:
    many = [Difference("library", f"package{number}", "1", "2") for number in range(30)]
    lines = difference_lines(many, "then", "now")
    assert (len(lines), lines[-1]) == (21, "and 10 more; --json names them all")
    assert len(difference_lines(many[:20], "then", "now")) == 20
