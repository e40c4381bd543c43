"""Stop at a corpus that is not fit to train on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zenml import log_metadata, step

from common import ROOT
from common.errors import Refused
from configs.outs import Outs
from configs.schema import Validation
from data.corpus import read_corpus
from steps.work import Result, making, result_of, work_folder

if TYPE_CHECKING:
    from data.validation import Inspection


class InvalidDataset(Refused):
    """The corpus broke bounds of severity `error`; the message lists every one."""


@step
def validate_dataset(preset: str, settings: dict[str, Any], recipe: dict[str, str]) -> Annotated[Result, "validation"]:
    """Hold the corpus to the preset's bounds; the report is left in `reports/<preset>/validation` either way."""
    from data.validation import validate  # Great Expectations takes seconds to import, and mostly the result is there

    folder, report = work_folder("validate_dataset", recipe), Outs(preset).reports / "validation"
    bounds = Validation.model_validate(settings["validation"])
    with making(folder) as out:
        inspection = validate(read_corpus(Outs(preset).corpus), bounds, os.cpu_count() or 1, out / "validation")
        inspection.failures.to_csv(out / "validation" / "failures.csv", index=False)
        if not inspection.passed:
            shutil.rmtree(report, ignore_errors=True)
            shutil.copytree(out / "validation", report)
            raise InvalidDataset(_describe(inspection, report))
    log_metadata({"clips": inspection.clips, "warnings": inspection.warnings})
    return result_of(folder)


def _describe(inspection: Inspection, report: Path) -> str:
    errors = inspection.failures[inspection.failures["severity"] == "error"]
    head = f"The dataset is not fit to train on: {len(errors)} errors in {errors['id'].nunique()} clips."
    lines = [
        f"  {row.path}: {row.column} is {row.value}, expected {row.bound}" for row in errors.itertuples(index=False)
    ]
    return "\n".join([head, *lines, f"All measures: {report.relative_to(ROOT)}/data_docs/index.html"])
