"""Log-mels, tokens and their alignment, for every clip of the corpus."""

from __future__ import annotations

import os
from typing import Annotated, Any

from zenml import log_metadata, step

from configs import ROOT
from configs.schema import Audio, Data
from data.features import extract_features as extract
from steps.progress import progress
from steps.work import Result, making, result_of, work_folder


@step
def extract_features(
    preset: str, settings: dict[str, Any], recipe: dict[str, str], consistency: Result
) -> Annotated[Result, "features"]:
    """Measure, align and cut the clips; see `data.features`."""
    folder = work_folder("extract_features", recipe)
    data, audio = Data.model_validate(settings["data"]), Audio.model_validate(settings["audio"])
    with making(folder) as out, progress() as report:
        corpus = ROOT / "data/corpus" / preset
        workers = os.cpu_count() or 1
        summary = extract(data, audio, corpus, out, workers, lambda what, done, total: report(what, done, total, {}))
    log_metadata(dict(summary))
    return result_of(folder)
