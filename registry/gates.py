"""The gates before a champion: what a version must show, and the verdict of each with what was found and the bound.

Bounds come from the promoter's checkout; nothing that a version brings along can change them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml
from mlflow import MlflowException
from mlflow.models import Model
from pydantic import BaseModel, ConfigDict, Field

from common.files import file_digest
from configs.outs import CHECKPOINT_FILES, MODEL_FILE, VOCODER_FILE
from configs.schema import GATES, ConfigError, Section, parse_config
from evaluation.listening import summarize
from evaluation.measures import CEILINGS
from model.checkpoint import CheckpointError, read_header, read_shapes
from model.sizes import sizes
from registry.evidence import FILES_TAG, SERVED, TABLE, Evidence
from registry.identity import NEEDED, tag

Floats = npt.NDArray[np.float64]

NEVER_OVERRIDDEN = ("files", "artifact")
"""Gates that no reason opens: a version that fails them would not speak, or not with what was judged."""

RESAMPLES, CONFIDENCE = 2000, 0.95

_SOURCE = "its table of utterances"


class Unheard(Section):
    """What is asked of a language in place of an error rate, where no recogniser can judge it."""

    max_mel_l1: float = Field(gt=0, description="mean distance of log-mels from those of the recordings")
    min_diagonality: float = Field(ge=0, le=1, description="share of the attention that is on the path, mean")
    min_duration_ratio: float = Field(gt=0, description="length of speech over that of its recording, median")
    max_duration_ratio: float = Field(gt=0, description="length of speech over that of its recording, median")


class Gates(Section):
    """The bounds of one registered model; null: not asked for."""

    min_ended_percent: float = Field(ge=0, le=100, description="held-out and hard lines that end by themselves, %")
    max_cer_above_vocoded: float | None = Field(
        description="of the characters understood in vocoded recordings the share that is misheard, for each language"
    )
    max_cer_of_recordings: float = Field(
        gt=0, le=1, description="a recogniser that mishears more of the recordings in a language does not judge it"
    )
    unheard: Unheard
    max_rtf: float = Field(gt=0, description="seconds of work for a second of speech, median")
    max_mel_l1: float | None = Field(description="mean distance of log-mels from those of the recordings")
    measure: Literal["cer", "mel_l1"] = Field(description="what a challenger is compared with the champion by")
    margin: float = Field(ge=0, description="how much worse than the champion it may be, at 95% confidence")


class GateVerdict(BaseModel):
    """What a gate found; `source` says where."""

    model_config = ConfigDict(frozen=True)

    gate: str
    passed: bool
    found: float | str
    bound: str
    source: str


def load_gates(name: str, path: Path = GATES) -> tuple[Gates, str]:
    """The gates of a registered model, and the SHA-256 of the file that they stand in.

    Raises `ConfigError` with every problem of any section.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(content, dict) or "default" not in content:
        raise ConfigError(f"{path}: expected a section `default`")
    sections = {key: parse_config(Gates, section, f"{path}: {key}") for key, section in content.items()}
    return sections.get(name, sections["default"]), file_digest(path)


def judge(candidate: Evidence, champion: Evidence | None, gates: Gates) -> list[GateVerdict]:
    """The verdict of every gate; none keeps another from being asked."""
    integrity = judge_integrity(candidate)
    table = _table(candidate)
    verdicts = [integrity[0], _commit(candidate), *integrity[1:], *_measured(candidate, table, gates)]
    if champion is not None:
        verdicts += _against(candidate, champion, gates)
    return verdicts


def judge_integrity(candidate: Evidence) -> list[GateVerdict]:
    """Whether a version is what it says it is, however good it may be."""
    where = f"tags of version {candidate.version}"
    missing = candidate.identity.missing()
    found = f"lacks {', '.join(missing)}" if missing else f"{len(NEEDED)} fields"
    wrong = list(candidate.wrong.values())
    contradictions = ["not examined, because its files were altered"] if wrong else list(_contradictions(candidate))
    return [
        GateVerdict(gate="identity", passed=not missing, found=found, bound="every field", source=where),
        _verdict_on("files", wrong, "every file has the SHA-256 of its tag", "artifact store"),
        _verdict_on("artifact", contradictions, "headers, tensors, code and signature agree", "artifact store"),
    ]


def upper_bound(difference_n: Floats, weights_n: Floats) -> float:
    """The bound below which the weighted mean lies with 95% confidence, by bootstrap; the same for the same input."""
    picks_rn = np.random.default_rng(0).integers(len(difference_n), size=(RESAMPLES, len(difference_n)))
    means_r = (difference_n * weights_n)[picks_rn].sum(axis=1) / weights_n[picks_rn].sum(axis=1)
    return float(np.quantile(means_r, CONFIDENCE))


def _commit(candidate: Evidence) -> GateVerdict:
    identity = candidate.identity
    commit, clean = identity.commit or "unknown", identity.clean is True
    found = commit if clean else f"{commit} with uncommitted {identity.uncommitted or 'changes'}"
    return GateVerdict(gate="commit", passed=clean, found=found, bound="nothing uncommitted", source=tag("clean"))


def _verdict_on(gate: str, problems: list[str], bound: str, source: str) -> GateVerdict:
    return GateVerdict(gate=gate, passed=not problems, found="; ".join(problems) or "all", bound=bound, source=source)


def _contradictions(candidate: Evidence) -> Iterator[str]:
    """What the registered files say that others of them deny. Knows no class of the version's own code."""
    folder = candidate.folder / SERVED
    try:
        model, vocoder = (read_header(candidate.checkpoint(name)) for name in CHECKPOINT_FILES)
    except CheckpointError as error:
        yield str(error).replace(f"{folder}/", "")
        return
    stated = model["settings"]["model"]
    for name, size in sizes(read_shapes(candidate.checkpoint(MODEL_FILE))).items():
        if stated.get(name, size) != size:
            yield f"{MODEL_FILE}: {name} is {size}, its header says {stated[name]}"
    if vocoder["settings"] != model["settings"]["audio"]:
        yield f"{VOCODER_FILE}: made for other mels than those of {MODEL_FILE}"
    for part, value in model["recipe"].items():
        if candidate.identity.recipe.get(part) != value:
            yield f"{MODEL_FILE}: its header's recipe has another {part} than the tags"
    if not (folder / "code" / "registry" / "served_model.py").is_file():
        yield "code/registry/served_model.py is missing"
    try:
        signature = Model.load(folder).signature
    except (MlflowException, OSError, yaml.YAMLError) as error:
        yield f"MLmodel cannot be read: {error}"
        return
    names = [set(side.input_names()) if side else set() for side in (signature.inputs, signature.outputs)]
    if not ({"text"} <= names[0] and {"audio", "error"} <= names[1]):
        yield "MLmodel: its signature is not that of a voice"


def _measured(candidate: Evidence, table: pd.DataFrame | None, gates: Gates) -> Iterator[GateVerdict]:
    """Gates on figures; recomputed from the table of utterances where they stand in it."""
    figures: Mapping[str, float] = {} if table is None else summarize(table)
    figures = {**figures, "hard_ended_percent": candidate.metrics.get("hard_ended_percent", np.nan)}
    ended = partial(_bounded, figures, least=gates.min_ended_percent)
    yield ended("ended_percent")
    yield ended("hard_ended_percent", source="metrics of its run")
    if gates.max_cer_above_vocoded is not None:
        yield from _understood(table, gates, gates.max_cer_above_vocoded)
    yield _bounded(figures, "rtf", most=gates.max_rtf)
    if gates.max_mel_l1 is not None:
        yield _bounded(figures, "mel_l1", most=gates.max_mel_l1)


def _understood(table: pd.DataFrame | None, gates: Gates, most: float) -> Iterator[GateVerdict]:
    """What is asked of each language: an error rate if it can be judged, else what can be measured."""
    if table is None or table.empty:
        yield _bounded({}, "cer_above_vocoded", most=most)
        return
    several = table["language"].nunique() > 1
    for language, rows in table.groupby("language"):
        figures, suffix = summarize(rows), f" ({language})" if several else ""
        if why := _why_unheard(str(language), rows, gates):
            ask, asked = partial(_bounded, figures, suffix=suffix, source=f"{_SOURCE}; {why}"), gates.unheard
            yield ask("mel_l1", most=asked.max_mel_l1)
            yield ask("diagonality", least=asked.min_diagonality)
            yield ask("duration_ratio", least=asked.min_duration_ratio, most=asked.max_duration_ratio)
        else:
            # Of what is understood at all: where half of the ceiling is, half as much may be lost.
            understood = 1 - figures["cer_vocoded"]
            above = (figures["cer"] - figures["cer_vocoded"]) / understood if understood > 0 else np.nan
            yield _bounded({"cer_above_vocoded": above}, "cer_above_vocoded", most=most, suffix=suffix)


def _why_unheard(language: str, rows: pd.DataFrame, gates: Gates) -> str:
    """Why error rates do not judge a language; empty if they do."""
    figures = summarize(rows)
    if any(f"cer{kind}" not in figures for kind in ("", *CEILINGS)):
        return f"no recogniser for {language}"
    if figures["cer_recording"] > gates.max_cer_of_recordings:
        return f"its recogniser mishears {figures['cer_recording']:.0%} of the recordings in {language}"
    return ""


def _bounded(
    figures: Mapping[str, float],
    name: str,
    *,
    least: float | None = None,
    most: float | None = None,
    suffix: str = "",
    source: str = _SOURCE,
) -> GateVerdict:
    found = figures.get(name, np.nan)
    bounds = [f"{words} {bound:g}" for words, bound in (("at least", least), ("at most", most)) if bound is not None]
    return GateVerdict(
        gate=f"{name}{suffix}",
        passed=bool((least is None or found >= least) and (most is None or found <= most)),
        found="not measured" if np.isnan(found) else found,
        bound=", ".join(bounds),
        source=source,
    )


def _against(candidate: Evidence, champion: Evidence, gates: Gates) -> Iterator[GateVerdict]:
    """The challenger's measure less the champion's, utterance by utterance; mels stand in where nothing can hear."""
    versions = f"of the utterances of versions {candidate.version} and {champion.version}"

    def verdict(found: float | str, measure: str = gates.measure, why: str = "") -> GateVerdict:
        return GateVerdict(
            gate="against the champion",
            passed=not isinstance(found, str) and found <= gates.margin,
            found=found,
            bound=f"at most {gates.margin:g} worse, with {CONFIDENCE:.0%} confidence",
            source=f"{measure} {versions}" + (f"; {why}" if why else ""),
        )

    ears = [evidence.identity.asr for evidence in (candidate, champion)]
    if not ears[0] or ears[0] != ears[1]:
        yield verdict(f"other recognisers: {ears[0] or 'none'} and {ears[1] or 'none'}")
        return
    tables = [_table(evidence) for evidence in (candidate, champion)]
    if tables[0] is None or tables[1] is None:
        yield verdict(f"{TABLE} of one of them is not what was registered")
        return
    mine, theirs = (table.set_index("id").sort_index() for table in tables if table is not None)
    reasons = {language: _why_unheard(str(language), rows, gates) for language, rows in theirs.groupby("language")}
    by = {
        language: gates.measure if gates.measure == "mel_l1" or not why else "mel_l1"
        for language, why in reasons.items()
    }
    for measure in dict.fromkeys(by.values()) or [gates.measure]:
        languages = [language for language, chosen in by.items() if chosen == measure]
        asked, others = (t[t["language"].isin(languages) & t[measure].notna()] for t in (mine, theirs))
        if list(asked.index) != list(others.index) or list(asked["text"]) != list(others["text"]) or asked.empty:
            common = len(asked.index.intersection(others.index))
            yield verdict(f"other utterances: {common} of {len(asked)} and {len(others)} in common", measure)
            continue
        why = "; ".join(dict.fromkeys(reasons[language] for language in languages)) if measure != gates.measure else ""
        weights_n = (asked["characters"] if measure == "cer" else asked["mel_l1"] * 0 + 1).to_numpy(float)
        yield verdict(upper_bound((asked[measure] - others[measure]).to_numpy(float), weights_n), measure, why)


def _table(evidence: Evidence) -> pd.DataFrame | None:
    """The table that `evaluation.listening.listen` made; none if it is not the one that was registered."""
    if evidence.wrong.keys() & {FILES_TAG, TABLE}:
        return None
    content: dict[str, Any] = json.loads((evidence.folder / TABLE).read_text(encoding="utf-8"))
    return pd.DataFrame(content["data"], columns=content["columns"])
