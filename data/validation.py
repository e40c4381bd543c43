"""Is a corpus fit to train on? Every clip is measured, then Great Expectations holds the measures to the bounds.

What is measured of a clip, one column each (see `configs.schema.Validation` for the bounds):

- `readable`: 1 if the audio decodes to its end, else 0, with the `reason`; nothing else is asked of unreadable audio.
- `duration`: s. `sample_rate`: Hz, of the file. `peak`: largest amplitude, full scale is 1.
- `clipping`: share of samples at full scale beside another one.
- `silence`: share of frames of 10 ms that are 40 dB below the loudest one or below -60 dBFS.
- `loudness`: RMS of the other frames, dBFS.
- `text_length`: characters of the normalised text; 0 if nothing of it can be spoken.
- `unknown_characters`: how many characters and phones the vocabulary lacks; `unknown` lists them.
- `speech_rate`: phones a second of what is not silence.
- `duplicate_audio`, `duplicate_text`: how many earlier clips have the same samples, or the same speaker and
  normalised text; `same_audio_as`, `same_text_as` name the first.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import io
import os
import re
import tempfile
from collections.abc import Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from configs.schema import Bounds, Validation
from data.audio import AudioError, read_pcm
from data.text import normalize, phonemize, unknown_characters
from data.vocabulary import SILENT, has_sound

if TYPE_CHECKING:
    import pandas as pd

LEVEL_FLOOR = -120.0
"""Level of digital silence, dBFS."""

READABLE = Bounds(min=1)
_EXPLANATIONS = {
    "readable": "reason",
    "unknown_characters": "unknown",
    "duplicate_audio": "same_audio_as",
    "duplicate_text": "same_text_as",
}
_UNITS = {"duration": " s", "sample_rate": " Hz", "loudness": " dBFS", "speech_rate": " phones/s"}


@dataclass(frozen=True)
class Verdict:
    """What the validation found: `failures` has a row for each broken bound, errors first.

    Columns of `failures`: id, path, column, value and bound (both as readable text), severity (error or warning).
    """

    failures: pd.DataFrame
    rows: int

    @property
    def errors(self) -> int:
        return int((self.failures["severity"] == "error").sum())

    @property
    def warnings(self) -> int:
        return int((self.failures["severity"] == "warning").sum())

    @property
    def passed(self) -> bool:
        return not self.errors


def validate(corpus: pd.DataFrame, bounds: Validation, workers: int, report_folder: Path | None = None) -> Verdict:
    """Measure a corpus (see `data.corpus.read_corpus`) with so many threads and hold it to the bounds.

    Into `report_folder` go `clips.csv`, the measures, and `data_docs/index.html`, Great Expectations' pages.
    """
    clips = measure(corpus, workers)
    if report_folder is None:
        with tempfile.TemporaryDirectory() as folder:
            return _judge(clips, bounds, Path(folder))
    report_folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=report_folder.parent, prefix=f".{report_folder.name}-") as temporary:
        new = Path(temporary, "report")
        new.mkdir()
        verdict = _judge(clips, bounds, new)
        clips.to_csv(new / "clips.csv", index=False, float_format="%.6g")
        if report_folder.exists():
            report_folder.rename(Path(temporary, "old"))
        new.rename(report_folder)
    return verdict


def measure(corpus: pd.DataFrame, workers: int) -> pd.DataFrame:
    """The corpus with the measures of each clip as further columns (see the module), decoded by `workers` threads.

    A measure that cannot be taken, such as the duration of unreadable audio, is NaN.
    """
    import pandas as pd

    with ThreadPoolExecutor(workers) as pool:
        audio = pd.DataFrame(list(pool.map(_measure_audio, corpus["path"])), columns=_AUDIO, index=corpus.index)
    text = pd.concat([_measure_text(clips) for _, clips in corpus.groupby("language")]).reindex(corpus.index)
    clips = pd.concat([corpus, audio, text], axis=1)

    spoken_seconds = clips["duration"] * (1 - clips["silence"])
    clips["speech_rate"] = (clips["phones"] / spoken_seconds).where((clips["phones"] > 0) & (spoken_seconds > 0))
    _count_repeats(clips, ["samples"], "duplicate_audio")
    _count_repeats(clips, ["speaker", "spoken_text"], "duplicate_text")
    return clips.drop(columns=["samples", "spoken_text", "phones"])


_AUDIO = ["readable", "reason", "duration", "sample_rate", "peak", "clipping", "silence", "loudness", "samples"]


def _measure_audio(path: Path) -> dict[str, Any]:
    try:
        pcm, rate = read_pcm(path)
    except AudioError as error:
        return {"readable": 0.0, "reason": str(error)}
    samples = pcm.astype(np.float64) / 32768
    full_scale = np.abs(samples) >= 0.9999
    beside = np.zeros_like(full_scale)
    beside[1:] |= full_scale[:-1]
    beside[:-1] |= full_scale[1:]

    frame = max(1, rate // 100)
    frames_ts = np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)
    power_t = np.square(frames_ts).mean(axis=1)
    level_t = _decibels(power_t)
    silent_t = (level_t < level_t.max() - 40) | (level_t < -60)
    return {
        "readable": 1.0,
        "reason": "",
        "duration": len(samples) / rate,
        "sample_rate": rate,
        "peak": np.abs(samples).max(),
        "clipping": (full_scale & beside).mean(),
        "silence": silent_t.mean(),
        "loudness": LEVEL_FLOOR if silent_t.all() else float(_decibels(power_t[~silent_t].mean())),
        "samples": hashlib.sha256(f"{rate} ".encode() + pcm.tobytes()).hexdigest(),
    }


def _decibels(power: Any) -> Any:
    return 10 * np.log10(np.maximum(power, 10 ** (LEVEL_FLOOR / 10)))


def _measure_text(clips: pd.DataFrame) -> pd.DataFrame:
    """Measures of the texts of one language."""
    import pandas as pd

    texts, language = list(clips["text"]), clips["language"].iloc[0]
    tokens = phonemize(texts, language)
    spoken = [normalize(text, language) if has_sound(t) else "" for text, t in zip(texts, tokens, strict=True)]
    unknown = unknown_characters(texts, language)
    columns = {
        "text_length": [len(text) for text in spoken],
        "unknown_characters": [len(characters) for characters in unknown],
        "unknown": unknown,
        "phones": [sum(symbol not in SILENT for symbol in t.symbols) for t in tokens],
        "spoken_text": [text or None for text in spoken],
    }
    return pd.DataFrame(columns, index=clips.index)


def _count_repeats(clips: pd.DataFrame, keys: list[str], column: str) -> None:
    known = clips.dropna(subset=keys)
    groups = known.groupby(keys, sort=False)
    clips[column] = groups.cumcount().reindex(clips.index)
    first = groups["id"].transform("first").where(clips[column] > 0, "")
    clips[_EXPLANATIONS[column]] = first.reindex(clips.index).fillna("")


def _judge(clips: pd.DataFrame, bounds: Validation, folder: Path) -> Verdict:
    """Run the expectations over measured clips and write their pages to `folder`/data_docs."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    import great_expectations as gx
    import pandas as pd
    from great_expectations.checkpoint.actions import UpdateDataDocsAction
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
    from great_expectations.expectations.metadata_types import FailureSeverity

    with contextlib.redirect_stdout(io.StringIO()):  # it would tell of a site that is deleted two lines below
        context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    for site in context.get_site_names():
        context.delete_data_docs_site(site)
    context.add_data_docs_site(
        "report",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder / "data_docs")},
        },
    )
    limits = {"readable": READABLE, **{name: getattr(bounds, name) for name in Validation.model_fields}}
    suite = context.suites.add(gx.ExpectationSuite(name="corpus"))
    for column, bound in limits.items():
        if bound.min is not None or bound.max is not None:
            suite.add_expectation(
                ExpectColumnValuesToBeBetween(
                    column=column,
                    min_value=bound.min,
                    max_value=bound.max,
                    severity=FailureSeverity.CRITICAL if bound.severity == "error" else FailureSeverity.WARNING,
                )
            )
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
    result = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": measures})

    for page in (folder / "data_docs").rglob("*.html"):  # they would tell the makers' server of each visit
        content = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"https://great-expectations-web-assets[^'\")\s]*", "", content), encoding="utf-8")

    by_id = clips.set_index("id").to_dict("index")
    failures = []
    for outcome in next(iter(result.run_results.values())).results:
        if outcome.exception_info.get("raised_exception"):
            raise RuntimeError(f"Great Expectations: {outcome.exception_info}")
        assert outcome.expectation_config is not None
        column = str(outcome.expectation_config.kwargs["column"])
        bound = limits[column]
        for index in outcome.result.get("unexpected_index_list") or []:
            id = html.unescape(index["id"])
            clip = by_id[id]
            failures.append(
                {
                    "id": id,
                    "path": clip["path"],
                    "column": column,
                    "value": _describe_value(clip, column),
                    "bound": _describe_bound(bound, column),
                    "severity": bound.severity,
                }
            )
    table = pd.DataFrame(failures, columns=["id", "path", "column", "value", "bound", "severity"])
    return Verdict(table.sort_values(["severity", "id"], kind="stable", ignore_index=True), len(clips))


def _describe_value(clip: Mapping[Hashable, Any], column: str) -> str:
    if column == "readable":
        return str(clip["reason"])
    value = f"{clip[column]:.4g}{_UNITS.get(column, '')}"
    explanation = clip[_EXPLANATIONS[column]] if column in _EXPLANATIONS else ""
    return f"{value} ({explanation})" if explanation else value


def _describe_bound(bound: Bounds, column: str) -> str:
    if column == "readable":
        return "decodes to its end"
    limits = ((">=", bound.min), ("<=", bound.max))
    return " and ".join(f"{sign} {limit:g}{_UNITS.get(column, '')}" for sign, limit in limits if limit is not None)
