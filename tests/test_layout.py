"""The shape of the repository: which package may import which, and what the stages of dvc.yaml depend on."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from common import ROOT
from configs.schema import load_config, presets
from registry.code import deciding_files

ORDER = ("configs", "data", "model", "consistency", "evaluation", "registry", "steps", "pipelines")
FOREIGN_TO_MODEL = {"zenml", "mlflow", "dvc", "pandas"}


def imported(path: Path) -> set[str]:
    """Top-level names of everything a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", ORDER)
def test_imports_run_one_way(package: str) -> None:
    allowed = set(ORDER[: ORDER.index(package) + 1])
    if package == "evaluation":
        allowed.discard("consistency")
    for path in (ROOT / package).glob("*.py"):
        above = imported(path) & set(ORDER) - allowed
        assert not above, f"{path} imports {above}"


def test_the_model_knows_nothing_of_where_it_is_run() -> None:
    for path in (ROOT / "model").glob("*.py"):
        assert not imported(path) & FOREIGN_TO_MODEL, path


@pytest.mark.parametrize(("stage", "module"), [("corpus", "pipelines.corpus"), ("voice", "pipelines.voice")])
def test_a_stage_depends_on_all_code_that_it_runs(stage: str, module: str) -> None:
    deps = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][stage]["deps"]
    missing = [
        file
        for file in deciding_files(module)
        if not file.endswith("__init__.py") and not any(file == dep or file.startswith(f"{dep}/") for dep in deps)
    ]
    assert not missing


@pytest.mark.parametrize("preset", presets())
def test_presets_load_and_dvc_knows_their_parameters(preset: str) -> None:
    assert load_config(preset)
    corpus = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["corpus"]["params"][0]
    content = yaml.safe_load((ROOT / f"configs/{preset}.yaml").read_text())
    for key in corpus["configs/${item.preset}.yaml"]:
        section, _, name = key.partition(".")
        assert name in content[section]
