"""A model goes live by evidence, and back again: runs of different lengths, promoted by the command."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pipelines.clone import Clone

FIRST, WORSE, BETTER = 20, 2, 80
"""Steps of training."""


def run_committed(clone: Clone, steps: int) -> int:
    """Run the preset with so many steps from a clean commit; the version that was registered."""
    path = clone.folder / "configs/smoke.yaml"
    lines = path.read_text().splitlines()
    changed = [f"  steps: {steps}" if line.startswith("  steps:") else line for line in lines]
    path.write_text("\n".join(changed) + "\n")
    clone.git("add", "-A")
    clone.git("commit", "--allow-empty", "-qm", f"{steps} steps")
    return int(clone.run()["version"])


def ask(clone: Clone, *arguments: str, code: int = 0) -> str:
    """What `myxtts …` prints."""
    process = clone.start("-m", "commands.main", *arguments, "--preset", "smoke")
    out, error = process.communicate()
    assert process.returncode == code, f"{arguments}: {process.returncode}\n{out}\n{error[-3000:]}"
    return out + error


def decide(clone: Clone, *arguments: str, code: int = 0) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(ask(clone, *arguments, "--json", code=code))
    decision: dict[str, Any] = entry["decision"]
    return decision


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("promoted"))


def test_a_model_goes_live_by_evidence_and_back_again(clone: Clone) -> None:
    first = run_committed(clone, FIRST)
    promoted = decide(clone, "promote")
    assert (promoted["outcome"], promoted["before"], promoted["champion"]) == ("promoted", None, first)
    assert all(verdict["passed"] for verdict in promoted["verdicts"])

    worse = run_committed(clone, WORSE)
    assert ask(clone, "promote", "--dry-run", code=1).count("FAIL") >= 1
    refused = decide(clone, "promote", code=1)
    assert (refused["outcome"], refused["champion"]) == ("refused", first)
    shut = {verdict["gate"]: verdict for verdict in refused["verdicts"] if not verdict["passed"]}
    assert shut["against the champion"]["found"] > 0.02
    assert shut["against the champion"]["source"] == f"mel_l1 of the utterances of versions {worse} and {first}"
    assert "--override needs --reason" in ask(clone, "promote", "--override", code=2)

    better = run_committed(clone, BETTER)
    promoted = decide(clone, "promote")
    assert (promoted["outcome"], promoted["before"], promoted["champion"]) == ("promoted", first, better)
    assert promoted["verdicts"][-1]["found"] < 0
    assert f"version {better} of myxtts-smoke is the champion" in ask(clone, "promote")

    back = decide(clone, "rollback")
    assert (back["outcome"], back["before"], back["champion"]) == ("rolled back", better, first)
    assert "no champion before" in ask(clone, "rollback", code=2)

    history = json.loads(ask(clone, "models", "--history", "--json"))
    assert [(entry["action"], entry["version"], entry["decision"]["outcome"]) for entry in history] == [
        ("promote", first, "promoted"),
        ("promote", worse, "refused"),
        ("promote", better, "promoted"),
        ("rollback", first, "rolled back"),
    ]
    told = ask(clone, "models", "--history")
    assert "FAIL  against the champion" in told
    assert f"champion: {better} -> {first}" in told
    listed = ask(clone, "models")
    assert f"myxtts-smoke {first} (champion)" in listed
    assert f"myxtts-smoke {better} (challenger)" in listed
    whole = ask(clone, "models", "@champion")
    assert "recipe.corpus" in whole and "rollback version" in whole
    assert decide(clone, "models", "--prune", "--keep", "1")["removed"] == [worse]
