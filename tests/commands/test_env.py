"""`myxtts env`: lines for a shell."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.commands.conftest import Call


def test_env_prints_what_a_shell_takes(myxtts: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://team.example")
    said = myxtts("env")
    shown = dict(shlex.split(line)[1].split("=", 1) for line in said.splitlines())
    assert shown == json.loads(myxtts("env", "--json"))
    assert "MLFLOW_TRACKING_URI" not in shown
    assert all(line.startswith("export ") for line in said.splitlines())
