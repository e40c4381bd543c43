"""The one identity of a run.

The *recipe* decides a result's bytes: code, settings, corpus, lock file. The *occurrence* says when and where it was
carried out: commit, hardware, versions. Equal recipes may have many occurrences.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import torch

from common.git import COMMIT_VARIABLE, DIRTY_VARIABLE, checkout_state


def occurrence() -> dict[str, str]:
    """Where and from what checkout this process runs; not part of any recipe."""
    commit, dirty = os.environ.get(COMMIT_VARIABLE), os.environ.get(DIRTY_VARIABLE)
    if commit is None or dirty is None:
        state = checkout_state()
        commit, dirty = state.commit, state.uncommitted
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


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
