"""The gates before a champion: what a version must show, and the verdict of each with what was found and the bound.

Bounds come from the promoter's checkout; nothing that a version brings along can change them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
from model.checkpoint import CheckpointError, read_header, read_shapes
from model.sizes import sizes
from registry.evidence import FILES_TAG, SERVED, TABLE, Evidence
from registry.identity import NEEDED, tag

Floats = npt.NDArray[np.float64]

NEVER_OVERRIDDEN = ("files", "artifact")
"""Gates that no reason opens: a version that fails them would not speak, or not with what was judged."""

RESAMPLES, CONFIDENCE = 2000, 0.95


class Gates(Section):
    """The bounds of one registered model; null: not asked for."""

    min_ended_percent: float = Field(ge=0, le=100, description="held-out and hard lines that end by themselves, %")
    max_cer_above_vocoded: float | None = Field(description="character error rate over that of vocoded recordings")
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
        verdicts.append(_against(candidate, champion, gates))
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
    if "cer" in figures and "cer_vocoded" in figures:
        figures["cer_above_vocoded"] = figures["cer"] - figures["cer_vocoded"]
    for figure, least, most in (
        ("ended_percent", gates.min_ended_percent, None),
        ("hard_ended_percent", gates.min_ended_percent, None),
        ("cer_above_vocoded", None, gates.max_cer_above_vocoded),
        ("rtf", None, gates.max_rtf),
        ("mel_l1", None, gates.max_mel_l1),
    ):
        if least is None and most is None:
            continue
        found = figures.get(figure, np.nan)
        passed = (least is None or found >= least) and (most is None or found <= most)
        yield GateVerdict(
            gate=figure,
            passed=bool(passed),
            found="not measured" if np.isnan(found) else found,
            bound=f"at most {most:g}" if least is None else f"at least {least:g}",
            source="metrics of its run" if figure.startswith("hard") else "its table of utterances",
        )


def _against(candidate: Evidence, champion: Evidence, gates: Gates) -> GateVerdict:
    """The challenger's measure less the champion's, utterance by utterance."""
    gate, source = "against the champion", f"{gates.measure} of the utterances of versions {{}} and {{}}"
    source = source.format(candidate.version, champion.version)
    bound = f"at most {gates.margin:g} worse, with {CONFIDENCE:.0%} confidence"

    def verdict(found: float | str) -> GateVerdict:
        passed = not isinstance(found, str) and found <= gates.margin
        return GateVerdict(gate=gate, passed=passed, found=found, bound=bound, source=source)

    ears = [evidence.identity.asr for evidence in (candidate, champion)]
    if not ears[0] or ears[0] != ears[1]:
        return verdict(f"other recognisers: {ears[0] or 'none'} and {ears[1] or 'none'}")
    tables = [_table(evidence) for evidence in (candidate, champion)]
    if tables[0] is None or tables[1] is None:
        return verdict(f"{TABLE} of one of them is not what was registered")
    mine, theirs = (
        table[table[gates.measure].notna()].set_index("id").sort_index() for table in tables if table is not None
    )
    if list(mine.index) != list(theirs.index) or list(mine["text"]) != list(theirs["text"]) or mine.empty:
        common = len(mine.index.intersection(theirs.index))
        return verdict(f"other utterances: {common} of {len(mine)} and {len(theirs)} in common")
    weights_n = (mine["characters"] if gates.measure == "cer" else mine["mel_l1"] * 0 + 1).to_numpy(float)
    return verdict(upper_bound((mine[gates.measure] - theirs[gates.measure]).to_numpy(float), weights_n))


def _table(evidence: Evidence) -> pd.DataFrame | None:
    """The table that `evaluation.listening.listen` made; none if it is not the one that was registered."""
    if evidence.wrong.keys() & {FILES_TAG, TABLE}:
        return None
    content: dict[str, Any] = json.loads((evidence.folder / TABLE).read_text(encoding="utf-8"))
    return pd.DataFrame(content["data"], columns=content["columns"])
