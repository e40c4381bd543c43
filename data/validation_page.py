"""A page of what a validation found: a line for each kind of fault, and the worst clips to hear and see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile as sf
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data.audio import FULL_SCALE, AudioError, Pcm, read_pcm
from data.problems import Finding, Problem

_MOST_CLIPS = 60
_MOST_SECONDS = 10  # of each that are copied
_POINTS = 240  # across a waveform
_HEIGHT = 40


def write_page(clips: pd.DataFrame, problems: Sequence[Problem], refusal: str, folder: Path) -> None:
    """Write `index.html` and the clips that it plays, `audio/`, into `folder`.

    Of every kind the worst clips are shown; what can be heard is a copy, so that the folder can go anywhere.
    """
    (folder / "audio").mkdir()
    by_clip: dict[str, list[Finding]] = {}
    for problem in problems:
        for finding in problem.findings:
            by_clip.setdefault(finding.id, []).append(finding)
    rows: dict[str, Any] = {row["id"]: row for row in clips[clips["id"].isin(by_clip)].to_dict("records")}
    shown = _worst(problems, rows.keys())
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("validation_page.html.j2").render(
        problems=problems,
        refusal=refusal,
        clips=len(clips),
        minutes=float(clips["duration"].sum()) / 60,
        shown=[_card(rows[id], by_clip[id], number, folder) for number, id in enumerate(shown, start=1)],
        faulty=len(rows),
        seconds=_MOST_SECONDS,
        width=_POINTS,
        height=_HEIGHT,
    )
    (folder / "index.html").write_text(page, encoding="utf-8", errors="replace")


def _worst(problems: Sequence[Problem], known: Any) -> list[str]:
    """Ids of the clips to show: the worst of every kind, then the second of every kind, and so on."""
    found: dict[str, None] = {}
    for rank in zip_longest(*(_ids(problem, known) for problem in problems)):
        found |= dict.fromkeys(id for id in rank if id)
        if len(found) >= _MOST_CLIPS:
            break
    return list(found)[:_MOST_CLIPS]


def _ids(problem: Problem, known: Any) -> Iterator[str]:
    return (finding.id for finding in problem.findings if finding.id in known)


def _card(row: Mapping[str, Any], findings: Sequence[Finding], number: int, folder: Path) -> dict[str, Any]:
    """What the template shows of a clip; its sound is copied."""
    card = {"id": row["id"], "file": row["file"], "row": findings[0].row, "text": row["text"], "findings": findings}
    try:
        pcm, rate = read_pcm(Path(row["path"]))
    except AudioError:
        return card | {"audio": "", "points": ""}
    audio = f"audio/{number:02}.flac"
    heard = pcm[: _MOST_SECONDS * rate]
    sf.write(folder / audio, heard, rate, format="FLAC", subtype="PCM_16")
    return card | {"audio": audio, "points": _outline(heard)}


def _outline(pcm: Pcm) -> str:
    """Points of a polygon around the waveform: its highest values from left to right, its lowest back."""
    parts = np.array_split(pcm.astype(np.float64) / FULL_SCALE, min(_POINTS, len(pcm)))
    across = np.linspace(0, _POINTS, len(parts))
    top, bottom = ([(1 - f(part)) * _HEIGHT / 2 for part in parts] for f in (np.max, np.min))
    there = [f"{x:.1f},{y:.1f}" for x, y in zip(across, top, strict=True)]
    back = [f"{x:.1f},{y:.1f}" for x, y in zip(across, bottom, strict=True)]
    return " ".join([*there, *reversed(back)])
