"""A model goes live by evidence, and back again: by the commands, on tiny versions and on real runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from registry.store import CHALLENGER, model_name, store
from tests.commands.conftest import Call
from tests.pipelines.clone import CLI, Clone
from tests.registry.conftest import PRESET, Registry

Ask = Callable[..., str]


def decided(said: str) -> dict[str, Any]:
    """The decision of an entry of the ledger."""
    decision: dict[str, Any] = json.loads(said)["decision"]
    return decision


def assert_promotions_and_a_rollback(ask: Ask, register: Callable[[str], int]) -> None:
    """`register` registers a version that is "first", "worse" than it or "better"."""
    first = register("first")
    promoted = decided(ask("promote", "--json"))
    assert (promoted["outcome"], promoted["before"], promoted["champion"]) == ("promoted", None, first)
    assert all(verdict["passed"] for verdict in promoted["verdicts"])

    worse = register("worse")
    assert "FAIL  against the champion" in ask("promote", "--dry-run", code=1)
    refused = decided(ask("promote", "--json", code=1))
    assert (refused["outcome"], refused["champion"]) == ("refused", first)
    shut = {verdict["gate"]: verdict for verdict in refused["verdicts"] if not verdict["passed"]}
    assert shut["against the champion"]["found"] > 0.02
    assert shut["against the champion"]["source"] == f"mel_l1 of the utterances of versions {worse} and {first}"
    assert "--override needs --reason" in ask("promote", "--override", code=2)

    better = register("better")
    promoted = decided(ask("promote", "--json"))
    assert (promoted["outcome"], promoted["before"], promoted["champion"]) == ("promoted", first, better)
    assert promoted["verdicts"][-1]["found"] < 0
    assert f"version {better} of myxtts-smoke is the champion" in ask("promote")

    back = decided(ask("rollback", "--json"))
    assert (back["outcome"], back["before"], back["champion"]) == ("rolled back", better, first)
    assert "no champion before" in ask("rollback", code=2)

    history = json.loads(ask("models", "--history", "--json"))
    assert [(entry["action"], entry["version"], entry["decision"]["outcome"]) for entry in history] == [
        ("promote", first, "promoted"),
        ("promote", worse, "refused"),
        ("promote", better, "promoted"),
        ("rollback", first, "rolled back"),
    ]
    told = ask("models", "--history")
    assert "FAIL  against the champion" in told
    assert f"champion: {better} -> {first}" in told
    listed = ask("models")
    assert f"myxtts-smoke {first} (champion)" in listed
    assert f"myxtts-smoke {better} (challenger)" in listed
    whole = ask("models", "@champion")
    assert "recipe.corpus" in whole
    assert "rollback version" in whole
    assert decided(ask("models", "--prune", "--keep", "1", "--json"))["removed"] == [worse]


def test_promote_and_rollback_go_by_evidence(registry: Registry, myxtts: Call) -> None:
    mel_l1 = {"worse": 1.2, "better": 0.9}

    def register(kind: str) -> int:
        version = 1 if kind == "first" else registry.register(mel_l1[kind])
        store().set_registered_model_alias(model_name(PRESET), CHALLENGER, str(version))
        return version

    assert_promotions_and_a_rollback(myxtts, register)


@pytest.mark.slow
def test_promote_and_rollback_of_real_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    clone = Clone(tmp_path_factory.mktemp("promoted"))
    steps = {"first": 20, "worse": 2, "better": 80}

    def register(kind: str) -> int:
        path = clone.folder / "configs/smoke.yaml"
        lines = [f"  steps: {steps[kind]}" if line.startswith("  steps:") else line for line in path.open()]
        path.write_text("\n".join(line.rstrip("\n") for line in lines) + "\n")
        clone.git("add", "-A")
        clone.git("commit", "--allow-empty", "-qm", f"{steps[kind]} steps")
        return int(clone.run()["version"])

    def ask(*arguments: str, code: int = 0) -> str:
        process = clone.start(*CLI, *arguments)
        out, error = process.communicate()
        assert process.returncode == code, out + error
        return out or error

    assert_promotions_and_a_rollback(ask, register)
