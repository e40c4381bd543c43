"""The one identity of a run.

The *recipe* decides a result's bytes: code, settings, corpus, lock file. The *occurrence* says when and where it was
carried out: commit, hardware, versions. Equal recipes may have many occurrences.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from configs import ROOT

PACKAGES = ("configs", "data", "model", "consistency", "evaluation", "registry", "steps", "pipelines")
LOCK_FILE = "requirements.lock"

# Set by `myxtts run` before DVC starts, because a running stage has already changed files that git tracks.
COMMIT_VARIABLE, DIRTY_VARIABLE = "MYXTTS_COMMIT", "MYXTTS_DIRTY"
_MADE_BY_RUNS = ("dvc.lock", "reports/", "checkpoints/", "data/corpus/")


def digest(content: Any) -> str:
    """SHA-256 of any JSON content, the same for equal content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


@functools.cache
def source_files(module: str) -> tuple[str, ...]:
    """The project's source files that a module runs: its own and all it imports, however deep, relative to the root.

    Files beside the code that it reads by name, such as templates, count as well.
    """
    found: dict[str, set[str]] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _module_path(name)
        if name in found or path is None:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[name] = {path.relative_to(ROOT).as_posix(), *_named_files(tree, path.parent)}
        waiting += _imports(tree)
        waiting += [name.rpartition(".")[0]] if "." in name else []
    if not found:
        raise ValueError(f"{module} is not a module of this project")
    return tuple(sorted(set().union(*found.values())))


def code_digest(module: str) -> str:
    """SHA-256 over the code that a module runs."""
    return digest({file: file_digest(ROOT / file) for file in source_files(module)})


def corpus_digest(preset: str, lock: Path = ROOT / "dvc.lock") -> str:
    """MD5 by which DVC knows a preset's corpus. Raises `LookupError` if `dvc.lock` has none."""
    import yaml

    try:
        stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
        return str(stages[f"corpus@{preset}"]["outs"][0]["md5"])
    except (OSError, KeyError, TypeError):
        raise LookupError(
            f"{lock} knows no corpus of preset {preset!r}; `dvc repro corpus@{preset}` makes it"
        ) from None


def make_recipe(module: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any]:
    """What decides the result of `module`: its code, settings, inputs and the lock file; `id` sums it up."""
    parts: dict[str, Any] = {
        "code": code_digest(module),
        "lock_file": file_digest(ROOT / LOCK_FILE),
        "settings": digest(settings),
        **inputs,
    }
    return {"id": digest(parts), **parts}


def occurrence() -> dict[str, str]:
    """Where and from what checkout this process runs; not part of any recipe."""
    import torch

    commit, dirty = os.environ.get(COMMIT_VARIABLE), os.environ.get(DIRTY_VARIABLE)
    if commit is None or dirty is None:
        commit, dirty = checkout_state()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy", "zenml", "mlflow", "dvc")}
    return {
        "commit": commit or "none",
        "clean": str(not dirty and bool(commit)).lower(),
        "uncommitted": dirty,
        "cpu": _cpu_name(),
        "gpu": gpu,
        "python": platform.python_version(),
        **versions,
    }


def checkout_state() -> tuple[str, str]:
    """The commit that is checked out, and what is uncommitted besides the files that runs write, comma-separated."""
    commit = git("rev-parse", "--verify", "-q", "HEAD").strip()
    changed = [line[3:].strip('"') for line in git("status", "--porcelain", "--untracked-files=all").splitlines()]
    return commit, ",".join(path for path in changed if not path.startswith(_MADE_BY_RUNS))


def git(*arguments: str) -> str:
    """What git says of this checkout; nothing if it fails."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


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
