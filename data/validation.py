"""Is a corpus fit to train on? Great Expectations holds what `data.clip_measures` found of every clip to the bounds."""

from __future__ import annotations

import contextlib
import html
import io
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import great_expectations as gx
import pandas as pd
from great_expectations.checkpoint.actions import UpdateDataDocsAction
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.metadata_types import FailureSeverity

from common.files import replacing_folder
from common.progress import Report, silent
from configs.schema import Bounds, Validation
from data.bounds import READABLE, broken, findings_of
from data.clip_measures import measure
from data.dropping import write_dropped
from data.problems import Finding, Problem, grouped
from data.text_faults import text_faults
from data.validation_page import write_page
from data.verdict import Division, Policy, Refusal, divide, refusal

_SEVERITIES = {
    "error": FailureSeverity.CRITICAL,
    "warning": FailureSeverity.WARNING,
    "note": FailureSeverity.INFO,
}

_MOST_NAMED = 10_000
"""Great Expectations takes a tenth of a millisecond to look up the name of what has failed."""


@dataclass(frozen=True)
class Inspection:
    """What was found of the clips of a corpus or source."""

    clips: pd.DataFrame
    """With their measures, see `data.clip_measures`."""
    problems: Sequence[Problem]
    division: Division
    refusal: Refusal | None
    """Why they cannot be trained on, and what would do; None if they can."""

    def count(self, severity: str) -> int:
        """How many findings are of a severity."""
        return sum(len(problem.findings) for problem in self.problems if problem.kind.severity == severity)


def inspect(
    clips: pd.DataFrame,
    said: Sequence[Finding],
    bounds: Validation,
    policy: Policy,
    workers: int,
    pages: Path,
    report: Report = silent,
) -> Inspection:
    """Measure clips (`data.clip_measures.CLIP_COLUMNS`) with so many threads and hold them to the bounds.

    `said` is what their source has found already. Into the folder `pages` go Great Expectations' pages.
    """
    measured = measure(clips, workers, report)
    said = [*said, *_placed(measured, measured.pop("noticed"))]
    limits = {"unreadable": READABLE} | {column: getattr(bounds, column) for column in Validation.model_fields}
    _hold_to_bounds(measured, limits, pages)
    found = [finding for column, bound in limits.items() for finding in findings_of(measured, column, bound)]
    said += _of_texts(measured)
    explained = {finding.id for finding in said if finding.kind.severity == "error"}
    in_general = ("unreadable", "unknown_characters")  # of which others say more
    own = [finding for finding in found if not (finding.kind.name in in_general and finding.id in explained)]
    findings = [*said, *own]
    problems, division = grouped(findings), divide(measured, findings)
    return Inspection(measured, problems, division, refusal(division, problems, measured, bounds, policy))


def _of_texts(clips: pd.DataFrame) -> Iterator[Finding]:
    """What is wrong with the texts themselves."""
    for language, some in clips.groupby("language"):
        yield from _placed(some, text_faults(list(some["text"]), str(language)))


def _placed(clips: pd.DataFrame, faults: Iterable[Iterable[Finding]]) -> Iterator[Finding]:
    """The faults of each clip, with the clip's place."""
    for found, id, file, row in zip(faults, clips["id"], clips["file"], clips["row"], strict=True):
        yield from (replace(f, id=id, file=file, row=None if pd.isna(row) else int(row)) for f in found)


def validate(
    clips: pd.DataFrame,
    said: Sequence[Finding],
    bounds: Validation,
    policy: Policy,
    workers: int,
    folder: Path,
    report: Report = silent,
) -> Inspection:
    """Inspect clips (see `inspect`) and leave everything that was found in `folder`.

    `index.html` shows it, with the worst clips to hear; `clips.csv` has the measures, `failures.csv` and
    `problems.json` the findings, `data_docs/index.html` are Great Expectations' pages. If clips are to be dropped,
    `data.dropping` says which.
    """
    with replacing_folder(folder) as new:
        inspection = inspect(clips, said, bounds, policy, workers, new / "data_docs", report)
        inspection.clips.drop(columns="path").to_csv(new / "clips.csv", index=False, float_format="%.6g")
        _write_findings(inspection.problems, new)
        if policy.on_error == "drop":
            _write_division(inspection.division, new)
        write_page(inspection.clips, inspection.problems, str(inspection.refusal or ""), new)
    return inspection


def _write_division(division: Division, folder: Path) -> None:
    dropped = (
        (id, [finding.kind.name for finding in findings], [finding.found for finding in findings])
        for id, findings in division.dropped.items()
    )
    write_dropped(division.kept, dropped, folder)


def _write_findings(problems: Sequence[Problem], folder: Path) -> None:
    rows = [
        {"id": f.id, "file": f.file, "row": f.row, "kind": f.kind.name, "severity": f.kind.severity}
        | {"found": f.found, "expected": f.expected}
        for problem in problems
        for f in problem.findings
    ]
    columns = ["id", "file", "row", "kind", "severity", "found", "expected"]
    pd.DataFrame(rows, columns=columns).astype({"row": "Int64"}).to_csv(folder / "failures.csv", index=False)
    content = [problem.as_json() for problem in problems]
    (folder / "problems.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _hold_to_bounds(clips: pd.DataFrame, limits: Mapping[str, Bounds], pages: Path) -> None:
    """Run an expectation for each bound and write Great Expectations' pages of them."""
    few = sum(len(broken(clips, column, bound)) for column, bound in limits.items()) <= _MOST_NAMED
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
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]}
        if few
        else {"result_format": "SUMMARY"},
    )
    measures = clips[list(limits)].astype(float).assign(id=clips["id"].map(html.escape))  # pages show ids as they come
    outcome = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": measures})
    _check_counts(outcome, clips, limits)
    _keep_to_oneself(pages)


def _context(pages: Path) -> EphemeralDataContext:
    """A Great Expectations that remembers nothing, and writes to the folder `pages` alone."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # nobody asks for its temporary folders
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
    severity = _SEVERITIES[bound.severity]
    return ExpectColumnValuesToBeBetween(column=column, min_value=bound.min, max_value=bound.max, severity=severity)


def _check_counts(outcome: CheckpointResult, clips: pd.DataFrame, limits: Mapping[str, Bounds]) -> None:
    """See that Great Expectations has carried out all it was asked, and that `broken` names what it counts."""
    for held in next(iter(outcome.run_results.values())).results:
        if held.exception_info.get("raised_exception") or held.expectation_config is None:
            raise RuntimeError(f"Great Expectations: {held.exception_info}")
        column = str(held.expectation_config.kwargs["column"])
        counted, named = held.result.get("unexpected_count", 0), len(broken(clips, column, limits[column]))
        if counted != named:
            raise RuntimeError(f"Great Expectations counts {counted} clips out of bounds of {column}, not {named}")


def _keep_to_oneself(pages: Path) -> None:
    """Take out of the pages what would tell their makers' server of each visit."""
    for page in pages.rglob("*.html"):
        content = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"https://great-expectations-web-assets[^'\")\s]*", "", content), encoding="utf-8")
