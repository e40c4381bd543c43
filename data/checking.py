"""Looking at what a source offers before anything is made of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from common.progress import Report, silent
from configs.outs import source_path
from configs.schema import Data, Validation
from data.clip_measures import CLIP_COLUMNS
from data.sources.base import Offer, SourceClip
from data.validation import Inspection, inspect
from data.verdict import Policy


def check_offer(offer: Offer, data: Data, bounds: Validation, workers: int, report: Report = silent) -> Inspection:
    """Hold an offer to the bounds as `data.validation` does a corpus; nothing is written."""
    folder = source_path(data.path) if data.path else None
    table = pd.DataFrame(
        [(c.id, str(c.audio), _file_name(c, folder), c.row, c.text, c.language, c.speaker) for c in offer.clips],
        columns=CLIP_COLUMNS,
    )
    policy = Policy(data.on_error, data.max_dropped_percent)
    with tempfile.TemporaryDirectory(prefix="myxtts-") as pages:
        return inspect(table.astype({"row": float}), offer.findings, bounds, policy, workers, Path(pages), report)


def _file_name(clip: SourceClip, folder: Path | None) -> str:
    inside = folder is not None and clip.audio.is_relative_to(folder)
    return clip.audio.relative_to(folder).as_posix() if folder and inside else clip.audio.name
