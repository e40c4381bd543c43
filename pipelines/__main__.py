"""The stages of dvc.yaml: `python -m pipelines STAGE PRESET`, where STAGE is the name of a module of this folder."""

from __future__ import annotations

import importlib
import sys

from common.environment import launch


def main(stage: str, preset: str) -> int:
    """Run a stage for a preset; returns the exit code."""
    return launch(lambda: int(importlib.import_module(f"pipelines.{stage}").main(preset)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
