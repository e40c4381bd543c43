"""Log-mels, tokens and their alignment, for every clip of the corpus."""

from __future__ import annotations

import os
from typing import Annotated, Any

from zenml import log_metadata, step

from common.files import digest
from common.progress import shown
from configs.outs import Outs
from configs.schema import Audio, Data
from data import dropping
from data.corpus import read_corpus, read_findings
from data.extraction import extract_features as extract
from data.features import Features
from data.measurements import Measurements
from data.problems import grouped
from data.sufficiency import check_pieces, check_splits
from steps.work import Result, kept_folder, making, result_of, work_folder


@step
def extract_features(
    preset: str,
    settings: dict[str, Any],
    recipe: dict[str, str],
    validation: Result,
    consistency: Result,  # noqa: ARG001  (it comes first, and that is all)
) -> Annotated[Result, "features"]:
    """Measure, align and cut the clips; see `data.extraction`.

    What an earlier run measured is not measured again. The rest is measured by the workers of the Dask scheduler whose
    address is in `MYXTTS_DASK`, if it is set.
    """
    folder = work_folder("extract_features", recipe)
    data, audio = Data.model_validate(settings["data"]), Audio.model_validate(settings["audio"])
    kept = Measurements(kept_folder("extract_features", preset), digest([recipe["code"], recipe["lock_file"]]))
    keep = dropping.kept(validation.path("validation"))
    check_splits([clip for clip in read_corpus(Outs(preset).corpus) if keep is None or clip.id in keep], data)
    with making(folder) as out, shown() as report:
        summary = extract(
            data,
            audio,
            Outs(preset).corpus,
            out,
            os.cpu_count() or 1,
            report,
            keep=keep,
            measurements=kept,
            scheduler=os.environ.get("MYXTTS_DASK"),
        )
        check_pieces(Features(out).pieces, audio)
        for problem in grouped(read_findings(out)):
            print("\n".join(problem.lines()))
    log_metadata(dict(summary))
    return result_of(folder)
