"""Corpora: recorded (or synthetic) speech and its text, in one layout wherever it comes from.

A corpus folder holds `audio/` (16-bit mono FLAC), `recordings.jsonl` and `supervisions.jsonl` (lhotse manifests with
paths relative to the folder), `findings.jsonl`, `credits.jsonl` and `ATTRIBUTION.md`. Equal sources give equal bytes,
wherever the folder lies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from common.errors import Refused
from data.problems import Finding, Kind

RECORDINGS, SUPERVISIONS, ATTRIBUTION = "recordings.jsonl", "supervisions.jsonl", "ATTRIBUTION.md"
FINDINGS = "findings.jsonl"
"""What the source had to say of its own, a `data.problems.Finding` a line."""
CREDITS = "credits.jsonl"
"""Who speaks, where the source knows it, a `Credit` a line."""

_RECORDING_KEYS = {"id", "sources", "sampling_rate", "num_samples", "duration"}
_SUPERVISION_KEYS = {"id", "recording_id", "text", "language", "speaker"}


class CorpusError(Refused, ValueError):
    """A corpus cannot be built, read or learned from; every reason at once, one a line."""


@dataclass(frozen=True)
class CorpusClip:
    """A clip as the manifests describe it; what validation has not passed may be missing, torn or empty."""

    id: str
    path: Path
    text: str
    language: str
    speaker: str
    duration: float
    """s; 0 if the audio could not be decoded, as the two that follow."""
    sample_rate: int
    """Hz."""
    num_samples: int
    file: str
    """What it was made of, relative to the source's folder."""
    row: int | None
    """Of the list that names it, counted from 1."""


@dataclass(frozen=True)
class Credit:
    """Whose voice a speaker of a corpus is, and what may be done with it."""

    speaker: str
    """As in the manifests."""
    language: str
    person: str
    copyright: str
    licence: str
    origin: str


def read_corpus(folder: Path) -> list[CorpusClip]:
    """The clips of a corpus folder in the order of its manifests, by id; their paths are absolute.

    Raises `CorpusError` if the folder holds no corpus or a line of a manifest is not what it should be.
    """
    # Read as the JSON lines that they are: lhotse takes two seconds to import, and its classes offer no more here.
    missing = [folder / name for name in (RECORDINGS, SUPERVISIONS) if not (folder / name).is_file()]
    if missing:
        raise CorpusError("\n".join(f"{path}: not found; the folder holds no corpus" for path in missing))
    recordings = {recording["id"]: recording for recording in _read_lines(folder / RECORDINGS, _RECORDING_KEYS)}
    root = folder.resolve()
    return [_clip(said, recordings, root) for said in _read_lines(folder / SUPERVISIONS, _SUPERVISION_KEYS)]


def read_findings(folder: Path) -> list[Finding]:
    """What the source of a corpus had to say: rows that are no clips, and what was put right."""
    rows = _read_lines(folder / FINDINGS, {"kind", "found", "expected", "id", "file", "row"})
    return [Finding(**{**row, "kind": Kind(**row["kind"])}) for row in rows]


def write_findings(findings: Sequence[Finding], folder: Path) -> None:
    """Keep with a corpus what its source had to say."""
    _write_lines(findings, folder / FINDINGS)


def read_credits(folder: Path) -> list[Credit]:
    """Who speaks in a corpus, as far as its source knows."""
    return [Credit(**row) for row in _read_lines(folder / CREDITS, {field.name for field in fields(Credit)})]


def write_credits(credits: Sequence[Credit], folder: Path) -> None:
    """Keep with a corpus who speaks in it."""
    _write_lines(credits, folder / CREDITS)


def _write_lines(rows: Sequence[Finding] | Sequence[Credit], path: Path) -> None:
    lines = [json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def _clip(said: Mapping[str, Any], recordings: Mapping[str, Mapping[str, Any]], root: Path) -> CorpusClip:
    recording = recordings.get(said["recording_id"])
    if recording is None:
        raise CorpusError(f"{root / SUPERVISIONS}: {said['id']}: {RECORDINGS} has no {said['recording_id']!r}")
    origin = said.get("custom", {})
    return CorpusClip(
        id=said["id"],
        path=root / recording["sources"][0]["source"],
        text=said["text"],
        language=said["language"],
        speaker=said["speaker"],
        duration=recording["duration"],
        sample_rate=recording["sampling_rate"],
        num_samples=recording["num_samples"],
        file=origin.get("file", ""),
        row=origin.get("row"),
    )


def _read_lines(manifest: Path, keys: set[str]) -> list[dict[str, Any]]:
    rows, problems = [], []
    for number, line in enumerate(manifest.read_bytes().splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            problems.append(f"{manifest}, line {number}: {error}; expected an object in JSON")
            continue
        lacking = sorted(keys - row.keys()) if isinstance(row, dict) else sorted(keys)
        if lacking:
            problems.append(f"{manifest}, line {number}: lacks {', '.join(lacking)}")
        else:
            rows.append(row)
    if problems:
        raise CorpusError("\n".join(problems))
    return rows
