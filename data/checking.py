"""Looking at what a source offers before anything is made of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from common.progress import Report, silent
from configs.schema import Data, Validation
from data.clip_measures import CLIP_COLUMNS
from data.sources.base import Offer, file_name
from data.validation import Inspection, inspect
from data.verdict import Policy


def check_offer(offer: Offer, data: Data, bounds: Validation, workers: int, report: Report = silent) -> Inspection:
    """Hold an offer to the bounds as `data.validation` does a corpus; nothing is written."""
    table = pd.DataFrame(
        [(c.id, c.audio, file_name(c, data), c.row, c.text, c.language, c.speaker) for c in offer.clips],
        columns=CLIP_COLUMNS,
    )
    policy = Policy(data.on_error, data.max_dropped_percent)
    with tempfile.TemporaryDirectory(prefix="myxtts-") as pages:
        return inspect(table.astype({"row": float}), offer.findings, bounds, policy, workers, Path(pages), report)
