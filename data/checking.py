"""Looking at what a source offers before anything is made of it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd

from common.progress import Report, silent
from configs.schema import Data, Validation
from data.clip_measures import CLIP_COLUMNS
from data.problems import Finding, Problem
from data.sources.base import Offer, file_of
from data.sufficiency import TOO_FEW, Said, shortage
from data.validation import Inspection, inspect
from data.verdict import Policy, Refusal


def check_offer(offer: Offer, data: Data, bounds: Validation, workers: int, report: Report = silent) -> Inspection:
    """Hold an offer to the bounds as `data.validation` does a corpus; nothing is written."""
    table = pd.DataFrame(
        [(c.id, str(c.audio), file_of(c, data), c.row, c.text, c.language, c.speaker) for c in offer.clips],
        columns=CLIP_COLUMNS,
    )
    policy = Policy(data.on_error, data.max_dropped_percent)
    with tempfile.TemporaryDirectory(prefix="myxtts-") as pages:
        found = inspect(table.astype({"row": float}), offer.findings, bounds, policy, workers, Path(pages), report)
    dropped = found.division.dropped if data.on_error == "drop" else ()
    clips = zip(*(found.clips[name] for name in Said._fields), strict=True)
    lacking = shortage([clip for clip in map(Said._make, clips) if clip.id not in dropped], data)
    if not lacking:
        return found
    problem = Problem(TOO_FEW, [Finding(TOO_FEW, lacking, "enough to train on and to listen to")])
    return replace(
        found, problems=[problem, *found.problems], refusal=found.refusal or Refusal("Too few clips are left.", [], [])
    )
