"""DVC's lock file: which corpus, code and settings made a run, and which bytes came out."""

from __future__ import annotations

from pathlib import Path

import yaml

from common import ROOT
from common.errors import Unanswerable


class NoRun(Unanswerable, LookupError):
    """A lock file that does not have what is looked for."""


def corpus_digest(preset: str, lock: Path = ROOT / "dvc.lock") -> str:
    """MD5 by which DVC knows a preset's corpus. Raises `NoRun` if `dvc.lock` has none."""
    try:
        stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
        return str(stages[f"corpus@{preset}"]["outs"][0]["md5"])
    except (OSError, KeyError, TypeError):
        raise NoRun(f"{lock} knows no corpus of preset {preset!r}; `dvc repro corpus@{preset}` makes it") from None
