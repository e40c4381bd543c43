"""Where what belongs to a preset lies: the outs of dvc.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common import ROOT

MODEL_FILE, VOCODER_FILE = "model.safetensors", "vocoder.safetensors"
"""The checkpoints of a run, by file name."""

CHECKPOINT_FILES = (MODEL_FILE, VOCODER_FILE)


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
