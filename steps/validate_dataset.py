"""Stop at a corpus that is not fit to train on, or say which of its clips are left out."""

from __future__ import annotations

import os
import shutil
from typing import Annotated, Any

from zenml import log_metadata, step

from common import ROOT
from common.errors import Refused
from common.progress import shown
from configs.outs import Outs
from configs.schema import Validation
from data.clip_measures import corpus_table
from data.corpus import read_corpus, read_findings
from data.dropping import what_was_dropped
from data.verdict import Policy
from steps.work import Result, making, result_of, work_folder


class InvalidDataset(Refused):
    """The corpus has errors that are not dropped, or too many; the message groups them and says what would do."""


@step
def validate_dataset(preset: str, settings: dict[str, Any], recipe: dict[str, str]) -> Annotated[Result, "validation"]:
    """Hold the corpus to the preset's bounds; the report is left in `reports/<preset>/validation` either way."""
    from data.validation import validate  # Great Expectations takes seconds to import, and mostly the result is there

    folder, outs = work_folder("validate_dataset", recipe), Outs(preset)
    bounds, policy = Validation.model_validate(settings["validation"]), Policy(**settings["data"])
    with making(folder) as out, shown() as report:
        clips, said = corpus_table(read_corpus(outs.corpus)), read_findings(outs.corpus)
        inspection = validate(clips, said, bounds, policy, os.cpu_count() or 1, out / "validation", report)
        if inspection.refusal:
            left = outs.reports / "validation"
            shutil.rmtree(left, ignore_errors=True)
            shutil.copytree(out / "validation", left)
            raise InvalidDataset(f"{inspection.refusal}\nTo look and listen: {left.relative_to(ROOT)}/index.html")
    log_metadata({"clips": len(inspection.clips), "dropped": what_was_dropped(folder / "validation") or "none"})
    return result_of(folder)
