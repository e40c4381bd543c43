"""The code that a module runs, and what of it changes its digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry import code
from registry.code import code_digest, deciding_files, source_files


def test_source_files_of_a_module_are_all_that_it_imports() -> None:
    training = source_files("steps.train_model")
    assert {"model/training.py", "model/layers.py", "configs/schema.py"} <= set(training)
    assert not any(file.startswith(("evaluation/", "pipelines/")) for file in training)
    assert "data/validation.py" not in training


def test_source_files_count_files_that_code_reads_by_name() -> None:
    evaluation = source_files("steps.evaluate_model")
    assert {"evaluation/page.html.j2", "evaluation/far_sentences.txt"} <= set(evaluation)
    assert "evaluation/page.html.j2" not in source_files("steps.train_model")


def test_source_files_of_another_project_are_none() -> None:
    with pytest.raises(ValueError, match="numpy is not a module of this project"):
        source_files("numpy")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of two packages, of which `steps.listen` runs `model.ear` and a template."""
    files = {
        "model/__init__.py": '"""Model."""\n',
        "model/ear.py": 'def hear(x: int) -> int:\n    """Hear it."""\n    return x + 1  # better\n',
        "steps/__init__.py": "",
        "steps/listen.py": "from model.ear import hear\n\nPAGE = 'page.html.j2'\n",
        "steps/page.html.j2": "<p>",
        "steps/unused.py": "X = 1\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(code, "ROOT", tmp_path)
    monkeypatch.setattr(code, "PACKAGES", ("model", "steps"))
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    """Have files read again that were read before."""
    for cached in (code_digest, code._closure):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("file", "content", "changes"),
    [
        ("model/ear.py", 'def hear(x: int) -> int:\n    """Other words."""\n\n    return (x + 1)\n', False),
        ("model/ear.py", "def hear(x: int) -> int:\n    return x + 2\n", True),
        ("model/ear.py", "def hear(y: int) -> int:\n    return y + 1\n", True),
        ("model/__init__.py", '"""Words."""\n# and more of them\n', False),
        ("model/__init__.py", "WIDTH = 1\n", True),
        ("steps/page.html.j2", "<b>", True),
        ("steps/unused.py", "X = 2\n", False),
        ("steps/listen.py", "from model.ear import hear\n\nPAGE = 'page.html.j2'\nprint(hear(1))\n", True),
    ],
)
def test_code_digest_changes_with_what_can_change_a_result(
    project: Path, file: str, content: str, changes: bool
) -> None:
    before = code_digest("steps.listen")
    (project / file).write_text(content)
    forget()
    assert (code_digest("steps.listen") != before) == changes


@pytest.mark.usefixtures("project")
def test_deciding_files_are_those_of_the_digest() -> None:
    assert deciding_files("steps.listen") == (
        *("model/__init__.py", "model/ear.py", "steps/__init__.py", "steps/listen.py", "steps/page.html.j2"),
    )
