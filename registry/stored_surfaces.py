"""All surfaces of a checkout; those here know of DVC and MLflow: the stages of dvc.yaml, and registered versions."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from common import ROOT, edit
from configs.outs import MODEL_FILE, Outs
from configs.schema import Config, ConfigError, parse_setting
from consistency.presets import config_of, preset_file
from consistency.surfaces.checkpoints import CheckpointsSurface, checkpoint_statements
from consistency.surfaces.corpus import CorpusSurface
from consistency.surfaces.documents import DocumentsSurface
from consistency.surfaces.features import FeaturesSurface
from consistency.surfaces.model import ModelSurface
from consistency.surfaces.presets import PresetsSurface
from consistency.surfaces.surface import Statement, Surface
from registry.code import deciding_files
from registry.evidence import SERVED, fetched
from registry.store import find_number, list_versions, store, store_exists


def sources(presets: Sequence[str], root: Path = ROOT) -> list[Surface]:
    """What runs of these presets are made from and described by; what others are held to comes first."""
    corpora = {preset: Outs(preset, root).corpus for preset in presets}
    return [
        PresetsSurface(root, presets),
        ModelSurface(root, presets),
        StagesSurface(root),
        CorpusSurface(root, corpora, functools.partial(restore, root)),
        DocumentsSurface(root, "readme", ["README.md"]),
        DocumentsSurface(root, "docs", ["docs/**/*.md", "docs/**/*.html", "benchmarks/*.md", "CONTRIBUTING.md"]),
        DocumentsSurface(root, "notebooks", ["notebooks/**/*.ipynb"]),
    ]


def products(presets: Sequence[str], features: Mapping[str, Path]) -> list[Surface]:
    """What runs of these presets made; `features` is where those of each preset lie."""
    checkpoints = {preset: Outs(preset).checkpoints for preset in presets}
    return [
        FeaturesSurface(ROOT, features),
        CheckpointsSurface(ROOT, checkpoints, functools.partial(restore, ROOT)),
        VersionsSurface(),
    ]


def restore(root: Path, folder: Path) -> None:
    """Bring a folder of a checkout back as dvc.lock has it, if DVC's cache can; else it stays as it is."""
    command = [sys.executable, "-m", "dvc", "checkout", "--quiet", "--force", str(folder)]
    subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class StagesSurface(Surface):
    """dvc.yaml: its presets and parameters exist, and each stage depends on all code that it runs."""

    kind = "dvc.yaml"

    def __init__(self, root: Path) -> None:
        self._root, self._path = root, root / "dvc.yaml"

    def read(self) -> Iterator[Statement]:
        """Every preset, parameter and dependency, and the code that is left out."""
        content = edit.read(self._path)
        for preset in edit.read(self._root / "params.yaml")["presets"]:
            found = _is_preset(preset_file(self._root, preset))
            yield Statement(self.kind, "params.yaml", "presets", preset, "a valid preset in configs/", found)
        for name, stage in _stages(content).items():
            where = f"dvc.yaml:{edit.line_of(content, f'stages.{name}')} (stage {name})"
            for key in _parameters(stage):
                known = _is_setting(key)
                yield Statement(self.kind, where, "params", key, "a setting of configs/schema.py", known)
            for dep in stage["deps"]:
                yield Statement(self.kind, where, "deps", dep, "a file of this project", not self._is_gone(dep))
            for file in _missing_deps(stage):
                yield Statement(self.kind, where, "deps", f"{file} is left out", "all code that it runs", False)

    def mend(self) -> None:
        """Take out dependencies that are gone, and add the code that is left out."""
        content = edit.read(self._path)
        for stage in _stages(content).values():
            for gone in [dep for dep in stage["deps"] if self._is_gone(dep)]:
                stage["deps"].remove(gone)
            stage["deps"].extend(_missing_deps(stage))
            _simplify(stage["deps"], self._root)
        edit.write(self._path, content)

    def _is_gone(self, dep: str) -> bool:
        return "${" not in dep and not (self._root / dep).exists()


def _stages(content: Mapping[str, Any]) -> dict[str, Any]:
    """What each stage does, for whichever preset."""
    return {name: stage["do"] for name, stage in content["stages"].items()}


class VersionsSurface(Surface):
    """Registered versions that have an alias: their files are those of their tags, and agree with each other."""

    kind = "versions"

    def read(self) -> Iterator[Statement]:
        """What each of them is known by."""
        if not store_exists():
            return
        for version in list_versions():
            if version["aliases"]:
                yield from _version_statements(version)


def _version_statements(version: Mapping[str, Any]) -> Iterator[Statement]:
    import mlflow

    from registry.served_model import INPUTS, OUTPUTS

    where = f"{version['name']} version {version['version']}"

    def statement(fact: str, stated: object, true: object) -> Statement:
        return Statement("versions", where, fact, str(stated), str(true), stated == true)

    found = find_number(store(), version["name"], version["version"])
    if found is None:
        return  # it was deleted just now
    with fetched(found) as evidence:
        yield statement("files", "; ".join(evidence.wrong.values()) or "as registered", "as registered")
        if evidence.wrong:
            return
        signature = mlflow.models.Model.load(evidence.folder / SERVED).signature
        # The names, because versions of another time have other types.
        yield statement("signature", signature and signature.inputs.input_names(), INPUTS.input_names())
        yield statement("signature", signature and signature.outputs.input_names(), OUTPUTS.input_names())
        yield from checkpoint_statements("versions", evidence.checkpoint(MODEL_FILE), where, None)


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


def _simplify(deps: list[str], root: Path) -> None:
    """Name a package instead of its files where all of them are deps; leave out what a folder covers."""
    packages = {dep.partition("/")[0] for dep in deps if dep.endswith(".py")}
    for package in sorted(packages - set(deps)):
        files = {path.relative_to(root).as_posix() for path in root.glob(f"{package}/*.py")}
        if files - {f"{package}/__init__.py"} <= set(deps):
            deps.append(package)
    for covered in [dep for dep in deps if any(dep.startswith(f"{folder}/") for folder in deps)]:
        deps.remove(covered)


def _is_preset(path: Path) -> bool:
    try:
        config_of(path)
    except ConfigError:
        return False
    return True


def _is_setting(key: str) -> bool:
    """Whether a key is a setting or a section of them."""
    try:
        parse_setting(f"{key}=", "dvc.yaml")
    except ConfigError:
        return key in Config.model_fields
    return True
