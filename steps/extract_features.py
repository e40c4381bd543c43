"""Log-mels, tokens and their alignment, for every clip of the corpus."""

from __future__ import annotations

import os
from typing import Annotated, Any

from zenml import log_metadata, step

from common.progress import shown
from configs.outs import Outs
from configs.schema import Audio, Data
from data.extraction import extract_features as extract
from steps.work import Result, making, result_of, work_folder


@step
def extract_features(
    preset: str,
    settings: dict[str, Any],
    recipe: dict[str, str],
    consistency: Result,  # noqa: ARG001  (it comes first, and that is all)
) -> Annotated[Result, "features"]:
    """Measure, align and cut the clips; see `data.extraction`."""
    folder = work_folder("extract_features", recipe)
    data, audio = Data.model_validate(settings["data"]), Audio.model_validate(settings["audio"])
    with making(folder) as out, shown() as report:
        corpus = Outs(preset).corpus
        workers = os.cpu_count() or 1
        summary = extract(data, audio, corpus, out, workers, report)
    log_metadata(dict(summary))
    return result_of(folder)
