"""The shape of the repository, as far as no linter holds it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from common import ROOT
from registry.code import PACKAGES

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_short_enough_for_one_purpose(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400


def test_imports_inside_functions_stay_few() -> None:
    """They hide what a module needs; a verb needs some, so that its help comes at once."""
    inside = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert len(set(inside)) <= 43, inside
