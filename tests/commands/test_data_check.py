"""`myxtts data check`: what is wrong with the recordings that a preset names, before anything is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.commands.conftest import Call

_FIELDS = {"preset", "layout", "sure", "clips", "speakers", "languages", "minutes", "problems"}


@pytest.fixture
def small(presets: Path) -> Path:
    """A preset `small` of ten prompts; the checkout has nothing else."""
    content = yaml.safe_load((presets / "smoke.yaml").read_text())
    content["data"]["max_clips"] = 10
    (presets / "small.yaml").write_text(yaml.safe_dump(content))
    return presets


def test_check_of_good_recordings_says_that_they_can_be_trained_on(small: Path, myxtts: Call) -> None:
    before = sorted(small.parent.rglob("*"))
    found = json.loads(myxtts("data", "check", "small", "--json"))
    assert found.keys() == _FIELDS
    assert found["clips"] == sum(found["speakers"].values()) == sum(found["languages"].values()) > 0
    assert found["languages"].keys() == {"en"}
    assert not [problem for problem in found["problems"] if problem["severity"] == "error"]
    assert sorted(small.parent.rglob("*")) == before


def test_check_of_what_breaks_bounds_says_no_with_examples_and_advice(small: Path, myxtts: Call) -> None:
    content = yaml.safe_load((small / "small.yaml").read_text())
    content["validation"] = {"duration": {"max": 0.3}}
    (small / "small.yaml").write_text(yaml.safe_dump(content))
    found = json.loads(myxtts("data", "check", "small", "--json", code=1))
    problem = found["problems"][0]
    assert (problem["kind"], problem["severity"]) == ("duration", "error")
    assert problem["count"] > 3 == len(problem["examples"])
    assert problem["examples"][0].keys() == {"id", "file", "row", "found", "expected"}
    assert problem["advice"]
    text = myxtts("data", "check", "small", code=1)
    assert "not fit to train on" in text
    assert "--set validation.duration.max=" in text


def test_check_of_nothing_that_can_be_read_is_no_answer(small: Path, myxtts: Call) -> None:
    content = yaml.safe_load((small / "small.yaml").read_text())
    content["data"] |= {"source": "espeak", "path": str(small / "nowhere.txt")}
    (small / "small.yaml").write_text(yaml.safe_dump(content))
    assert "nowhere.txt" in myxtts("data", "check", "small", code=2)
    assert "not a preset" in myxtts("data", "check", "smal", code=2)
