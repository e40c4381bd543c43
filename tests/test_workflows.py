"""The workflows that run the tests on GitHub: what they run exists, and what they may do is little."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from common import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> dict[Any, Any]:
    path: Path = request.param
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def test_a_workflow_makes_targets_that_exist(workflow: dict[Any, Any]) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    commands = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    made = [command.removeprefix("make ") for command in commands if command.startswith("make ")]
    assert made
    assert set(made) <= set(targets)


def test_a_workflow_can_only_read_and_runs_pinned_actions(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert used
        assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_the_fast_workflow_runs_on_every_python_that_is_supported() -> None:
    supported = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    fast = yaml.safe_load((ROOT / ".github/workflows/fast.yml").read_text(encoding="utf-8"))
    assert fast["jobs"]["test-fast"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert 'requires-python = ">=3.11,<3.14"' in supported
