"""The notebook runs from top to bottom, speaks and draws."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from common import ROOT
from tests.pipelines.clone import Clone

NAME = "notebooks/evaluation_and_optimization.ipynb"

EXECUTE = """
import os, sys
import nbformat
from nbclient import NotebookClient
_, name, executed, os.environ["MYXTTS_PRESET"] = sys.argv
notebook = nbformat.read(name, 4)
NotebookClient(notebook, timeout=600, resources={"metadata": {"path": "notebooks"}}).execute()
nbformat.write(notebook, executed)
"""


@pytest.fixture(scope="module")
def executed(trained: Clone, tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The notebook after a run in a checkout with a registered voice."""
    path = tmp_path_factory.mktemp("notebook") / "executed.ipynb"
    trained.python("-c", EXECUTE, NAME, str(path), "smoke")
    notebook: NotebookNode = nbformat.read(path, 4)
    return notebook


def outputs(notebook: NotebookNode, kind: str) -> list[str]:
    """Everything of a MIME type that cells show."""
    shown = (output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs)
    return [output.data[kind] for output in shown if kind in output.get("data", {})]


def test_it_is_committed_without_outputs() -> None:
    notebook = nbformat.read(ROOT / NAME, 4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_it_runs_speaks_and_draws(executed: NotebookNode) -> None:
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not [output for cell in code for output in cell.outputs if output.get("name") == "stderr"]
    html = outputs(executed, "text/html")
    players = [shown for shown in html if "<audio" in shown]
    assert len(players) >= 5
    assert all("data:audio/wav;base64,UklGR" in player for player in players)
    assert len(outputs(executed, "image/png")) == 5
    assert any("int8" in shown and "speedup" in shown for shown in html)


def test_a_preset_without_a_model_is_named(trained: Clone, tmp_path: Path) -> None:
    error = trained.python("-c", EXECUTE, NAME, str(tmp_path / "executed.ipynb"), "base", code=1)
    assert "no version of myxtts-base is registered; `myxtts run base` makes one" in error
