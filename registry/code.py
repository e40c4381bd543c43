"""The code that a module runs, and its digest: what can change a result, and nothing else.

Comments, docstrings and formatting are not in the digest, and neither are modules that decide nothing.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from common import ROOT
from common.files import digest, file_digest

PACKAGES = tuple(sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}))

DECIDE_NOTHING = ("common.errors", "common.progress", "configs.outs", "configs.schema")
"""Modules that change no result: how a step ends, what tells of it, where results lie, and what reads the settings.

The settings themselves are in recipes value by value, and inputs by their content.
"""


def source_files(module: str) -> tuple[str, ...]:
    """The project's source files that a module runs: its own and all it imports, however deep, relative to the root.

    Files beside the code that it reads by name, such as templates, count as well.
    """
    return tuple(sorted(set().union(*_closure(module, ()).values())))


def deciding_files(module: str) -> tuple[str, ...]:
    """Those of `source_files` that can change what the module makes."""
    return tuple(sorted(set().union(*_closure(module, DECIDE_NOTHING).values())))


@functools.cache
def code_digest(module: str) -> str:
    """SHA-256 over the code that decides what a module makes."""
    return digest({file: _content_digest(ROOT / file) for file in deciding_files(module)})


@functools.cache
def _closure(module: str, left_out: tuple[str, ...]) -> dict[str, set[str]]:
    """The files of each module that a module runs."""
    found: dict[str, set[str]] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _module_path(name)
        if name in found or name in left_out or path is None:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[name] = {path.relative_to(ROOT).as_posix(), *_named_files(tree, path.parent)}
        waiting += _imports(tree)
        waiting += [name.rpartition(".")[0]] if "." in name else []
    if not found:
        raise ValueError(f"{module} is not a module of this project")
    return found


def _content_digest(path: Path) -> str:
    if path.suffix != ".py":
        return file_digest(path)
    return digest(_essence(ast.parse(path.read_text(encoding="utf-8"))))


def _essence(node: Any) -> Any:
    """A syntax tree as JSON, without docstrings and places, the same for every version of Python."""
    if isinstance(node, list):
        return [_essence(part) for part in node if not _is_bare_string(part)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: _essence(value) for name, value in ast.iter_fields(node) if value is not None and value != []}
    return [type(node).__name__, fields]


def _is_bare_string(node: Any) -> bool:
    """Whether a statement is a string by itself: a docstring, of a module, class, function or value."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _module_path(name: str) -> Path | None:
    if name.partition(".")[0] not in PACKAGES:
        return None
    base = ROOT.joinpath(*name.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _imports(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _named_files(tree: ast.AST, folder: Path) -> set[str]:
    """Files of the module's folder that one of its strings names."""
    others = {path.name: path for path in folder.iterdir() if path.is_file() and path.suffix not in (".py", ".yaml")}
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {others[name].relative_to(ROOT).as_posix() for name in strings & others.keys()}
