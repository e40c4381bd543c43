"""The console command, called in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.main import main
from configs import schema
from tests.registry.conftest import pool, registry

__all__ = ["pool", "registry"]  # fixtures of the registry, for verbs that are about it

Call = Callable[..., str]


@pytest.fixture
def myxtts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`myxtts(*arguments, code=0)`: what the command prints, after a look at its exit code."""
    for part in ("isolate", "relocate_stores"):  # the environment is the test's own
        monkeypatch.setattr(f"common.environment.{part}", lambda: None)

    def call(*arguments: str, code: int = 0) -> str:
        ended_with = main(arguments)
        out, error = capsys.readouterr()
        assert ended_with == code, out + error
        return out + error

    return call


@pytest.fixture
def presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the presets, which a test may change, in a checkout that has nothing else."""
    folder = tmp_path / "configs"
    folder.mkdir()
    for path in schema.FOLDER.glob("*.yaml"):
        shutil.copy(path, folder)
    monkeypatch.setattr(schema, "FOLDER", folder)
    monkeypatch.setattr("commands.run.ROOT", tmp_path)
    return folder
