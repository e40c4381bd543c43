"""Where what belongs to a preset lies: the outs of dvc.yaml."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from common import ROOT

MODEL_FILE, VOCODER_FILE = "model.safetensors", "vocoder.safetensors"
"""The checkpoints of a run, by file name."""

CHECKPOINT_FILES = (MODEL_FILE, VOCODER_FILE)

PATHS_FROM = "MYXTTS_PATHS_FROM"
"""Variable of the environment: where relative paths of presets start, if not at the checkout that reads them."""


def source_path(path: str) -> Path:
    """Where `data.path` of a preset leads: `~` is the user's home, and what is relative starts at the checkout."""
    return Path(os.environ.get(PATHS_FROM, ROOT), os.path.expanduser(path))


@dataclass(frozen=True)
class Outs:
    """The folders of a preset's corpus and results in a checkout."""

    preset: str
    root: Path = ROOT

    @property
    def corpus(self) -> Path:
        """Recordings with transcripts, see `data.corpus`."""
        return self.root / "corpora" / self.preset

    @property
    def checkpoints(self) -> Path:
        """`CHECKPOINT_FILES`."""
        return self.root / "checkpoints" / self.preset

    @property
    def reports(self) -> Path:
        """`metrics.json`, `training.csv`, `listening/`, and what no run needs to be known by."""
        return self.root / "reports" / self.preset
