"""A checkout to read surfaces of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from common import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with all presets and nothing else."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path
