"""Surfaces that know of DVC and MLflow: the stages of dvc.yaml, and the versions that are registered."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from common import ROOT, edit
from configs.schema import ConfigError, load_config, parse_setting
from consistency.surfaces import (
    Statement,
    Surface,
    checkpoint_statements,
    corpus_surface,
    documents_surface,
    model_surface,
    presets_surface,
)
from registry.code import deciding_files
from registry.store import SERVED, fetched, list_versions, store, store_exists, wrong_files


def sources(presets: Sequence[str]) -> list[Surface]:
    """What runs of these presets are made from and described by; what others are held to comes first."""
    return [
        presets_surface(ROOT, presets),
        model_surface(ROOT, presets),
        stages_surface(),
        corpus_surface(ROOT, presets, restore),
        documents_surface(ROOT, "readme", ["README.md"]),
        documents_surface(ROOT, "docs", ["docs/**/*.md", "docs/**/*.html", "benchmarks/*.md", "CONTRIBUTING.md"]),
        documents_surface(ROOT, "notebooks", ["notebooks/**/*.ipynb"]),
    ]


def restore(folder: Path) -> None:
    """Bring a folder back as dvc.lock has it, if DVC's cache can; else it stays as it is."""
    command = [sys.executable, "-m", "dvc", "checkout", "--quiet", "--force", str(folder)]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stages_surface() -> Surface:
    """dvc.yaml: its presets and parameters exist, and each stage depends on all code that it runs."""
    path = ROOT / "dvc.yaml"

    def read() -> Iterator[Statement]:
        content = edit.read(path)
        for preset in edit.read(ROOT / "params.yaml")["presets"]:
            found = _is_preset(preset)
            yield Statement("dvc.yaml", "params.yaml", "presets", preset, "a valid preset in configs/", found)
        for name, stage in content["stages"].items():
            where = f"dvc.yaml:{edit.line_of(content, f'stages.{name}')} (stage {name})"
            for key in _parameters(stage):
                known = _is_setting(key)
                yield Statement("dvc.yaml", where, "params", key, "a setting of configs/schema.py", known)
            for dep in stage["deps"]:
                there = "${" in dep or (ROOT / dep).exists()
                yield Statement("dvc.yaml", where, "deps", dep, "a file of this project", there)
            for file in _missing_deps(stage):
                yield Statement("dvc.yaml", where, "deps", f"{file} is left out", "all code that it runs", False)

    def mend() -> None:
        content = edit.read(path)
        for stage in content["stages"].values():
            deps = stage["deps"]
            for gone in [dep for dep in deps if "${" not in dep and not (ROOT / dep).exists()]:
                deps.remove(gone)
            deps.extend(_missing_deps(stage))
        edit.write(path, content)

    return Surface("dvc.yaml", read, mend)


def versions_surface() -> Surface:
    """Registered versions that have an alias: their files are those of their tags, and agree with each other."""

    def read() -> Iterator[Statement]:
        if not store_exists():
            return
        for version in list_versions():
            if version["aliases"]:
                yield from _version_statements(version)

    return Surface("versions", read)


def _version_statements(version: Mapping[str, Any]) -> Iterator[Statement]:
    import mlflow

    from registry.served_model import INPUTS, OUTPUTS

    where = f"{version['name']} version {version['version']}"

    def statement(fact: str, stated: object, true: object) -> Statement:
        return Statement("versions", where, fact, str(stated), str(true), stated == true)

    with fetched(store().get_model_version(version["name"], str(version["version"]))) as evidence:
        problems = wrong_files(evidence)
        yield statement("files", "; ".join(problems.values()) or "as registered", "as registered")
        if problems:
            return
        signature = mlflow.models.Model.load(evidence.folder / SERVED).signature
        yield statement("signature", signature and signature.inputs, INPUTS)
        yield statement("signature", signature and signature.outputs, OUTPUTS)
        yield from checkpoint_statements("versions", evidence.checkpoint("model.safetensors"), where, None)


def _parameters(stage: Mapping[str, Any]) -> list[str]:
    """Settings that a stage names one by one."""
    files = [file for file in stage.get("params", ()) if isinstance(file, Mapping)]
    return [key for file in files for keys in file.values() for key in keys or ()]


def _missing_deps(stage: Mapping[str, Any]) -> list[str]:
    """Code that a stage's command runs and that its deps leave out."""
    module = f"pipelines.{stage['cmd'].split()[3]}"  # python -m pipelines STAGE PRESET
    deps = stage["deps"]
    return [
        file
        for file in deciding_files(module)
        if not file.endswith("__init__.py") and not any(file == dep or file.startswith(f"{dep}/") for dep in deps)
    ]


def _is_preset(name: str) -> bool:
    try:
        load_config(name)
    except ConfigError:
        return False
    return True


def _is_setting(key: str) -> bool:
    try:
        parse_setting(f"{key}=", "dvc.yaml")
    except ConfigError:
        return False
    return True
