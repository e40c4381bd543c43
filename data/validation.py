"""Is a corpus fit to train on? Great Expectations holds what `data.clip_measures` found of every clip to the bounds."""

from __future__ import annotations

import contextlib
import html
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.checkpoint.actions import UpdateDataDocsAction
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.metadata_types import FailureSeverity

from common.files import replacing_folder
from configs.schema import Bounds, Validation
from data.clip_measures import EXPLANATIONS, UNITS, measure
from data.corpus import CorpusClip

_READABLE = Bounds(min=1)
_COLUMNS = ["id", "path", "column", "value", "bound", "severity"]


@dataclass(frozen=True)
class Inspection:
    """What the validation found: `failures` has a row for each broken bound, errors first.

    Columns of `failures`: id, path, column, value and bound (both as readable text), severity (error or warning).
    """

    failures: pd.DataFrame
    clips: int
    """How many were measured."""

    @property
    def errors(self) -> int:
        """How many bounds of severity `error` are broken."""
        return int((self.failures["severity"] == "error").sum())

    @property
    def warnings(self) -> int:
        """How many bounds of severity `warning` are broken."""
        return int((self.failures["severity"] == "warning").sum())

    @property
    def passed(self) -> bool:
        """Whether the corpus is fit to train on."""
        return not self.errors


def validate(corpus: Sequence[CorpusClip], bounds: Validation, workers: int, report_folder: Path) -> Inspection:
    """Measure a corpus (see `data.corpus.read_corpus`) with so many threads and hold it to the bounds.

    Into `report_folder` go `clips.csv`, the measures, and `data_docs/index.html`, Great Expectations' pages.
    """
    clips = measure(corpus, workers)
    limits = {"readable": _READABLE, **{column: getattr(bounds, column) for column in Validation.model_fields}}
    with replacing_folder(report_folder) as new:
        clips.to_csv(new / "clips.csv", index=False, float_format="%.6g")
        outcome = _hold_to_bounds(clips, limits, new / "data_docs")
        _keep_to_oneself(new / "data_docs")
    failures = pd.DataFrame(list(_failures(outcome, clips, limits)), columns=_COLUMNS)
    return Inspection(failures.sort_values(["severity", "id"], kind="stable", ignore_index=True), len(clips))


def _hold_to_bounds(clips: pd.DataFrame, limits: Mapping[str, Bounds], pages: Path) -> CheckpointResult:
    """Run an expectation for each bound and write Great Expectations' pages of them."""
    context = _context(pages)
    suite = context.suites.add(gx.ExpectationSuite(name="corpus"))
    for column, bound in limits.items():
        if bound.min is not None or bound.max is not None:
            suite.add_expectation(_expectation(column, bound))
    asset = context.data_sources.add_pandas("corpus").add_dataframe_asset("clips")
    batch = asset.add_batch_definition_whole_dataframe("all")
    checkpoint = gx.Checkpoint(
        name="corpus",
        validation_definitions=[
            context.validation_definitions.add(gx.ValidationDefinition(name="corpus", data=batch, suite=suite))
        ],
        actions=[UpdateDataDocsAction(name="report", site_names=["report"])],
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]},
    )
    measures = clips[list(limits)].assign(id=clips["id"].map(html.escape))  # the pages show ids as they come
    return context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": measures})


def _context(pages: Path) -> EphemeralDataContext:
    """A Great Expectations that remembers nothing, and writes to the folder `pages` alone."""
    with contextlib.redirect_stdout(io.StringIO()):  # it would tell of a site that is deleted below
        context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    for site in context.get_site_names():
        context.delete_data_docs_site(site)
    context.add_data_docs_site(
        "report",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(pages)},
        },
    )
    return context


def _expectation(column: str, bound: Bounds) -> ExpectColumnValuesToBeBetween:
    severity = FailureSeverity.CRITICAL if bound.severity == "error" else FailureSeverity.WARNING
    return ExpectColumnValuesToBeBetween(column=column, min_value=bound.min, max_value=bound.max, severity=severity)


def _keep_to_oneself(pages: Path) -> None:
    """Take out of the pages what would tell their makers' server of each visit."""
    for page in pages.rglob("*.html"):
        content = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"https://great-expectations-web-assets[^'\")\s]*", "", content), encoding="utf-8")


def _failures(outcome: CheckpointResult, clips: pd.DataFrame, limits: Mapping[str, Bounds]) -> Iterator[dict[str, Any]]:
    """A row for each bound that a clip breaks."""
    by_id = clips.set_index("id").to_dict("index")
    for held in next(iter(outcome.run_results.values())).results:
        if held.exception_info.get("raised_exception") or held.expectation_config is None:
            raise RuntimeError(f"Great Expectations: {held.exception_info}")
        column = str(held.expectation_config.kwargs["column"])
        for index in held.result.get("unexpected_index_list") or []:
            id = html.unescape(index["id"])
            clip = {str(name): value for name, value in by_id[id].items()}
            yield {
                "id": id,
                "path": clip["path"],
                "column": column,
                "value": _describe_value(clip, column),
                "bound": _describe_bound(limits[column], column),
                "severity": limits[column].severity,
            }


def _describe_value(clip: Mapping[str, Any], column: str) -> str:
    if column == "readable":
        return str(clip["reason"])
    value = f"{clip[column]:.4g}{UNITS.get(column, '')}"
    explanation = clip[EXPLANATIONS[column]] if column in EXPLANATIONS else ""
    return f"{value} ({explanation})" if explanation else value


def _describe_bound(bound: Bounds, column: str) -> str:
    if column == "readable":
        return "decodes to its end"
    limits = ((">=", bound.min), ("<=", bound.max))
    return " and ".join(f"{sign} {limit:g}{UNITS.get(column, '')}" for sign, limit in limits if limit is not None)
