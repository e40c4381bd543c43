"""What every source of speech gives: clips with their texts, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from common.progress import Report
from configs.outs import source_path
from configs.schema import Data
from data.corpus import CorpusError, Credit
from data.problems import Finding


@dataclass(frozen=True)
class SourceClip:
    """What a source has to offer: `audio` may be missing or broken, which is for the validation to say."""

    id: str
    text: str
    language: str
    speaker: str
    audio: Path
    row: int | None = None
    """Of the list that names it, counted from 1."""


class Offer(NamedTuple):
    """All that a source has to offer, and `ATTRIBUTION.md` for it."""

    clips: Sequence[SourceClip]
    attribution: str
    findings: Sequence[Finding] = ()
    """What kept rows of its lists from being clips, and what was put right on the way."""
    credits: Sequence[Credit] = ()
    """Who speaks and under which licence, where that is known."""


def file_of(clip: SourceClip, data: Data) -> str:
    """The file of a clip as its user knows it: relative to the source's folder, if it lies there."""
    root = source_path(data.path) if data.path else None
    inside = root is not None and clip.audio.is_relative_to(root)
    return clip.audio.relative_to(root).as_posix() if root and inside else clip.audio.name


OfferOf = Callable[[Data, Path, Report], Offer]
"""A source: what it offers for these settings, with a scratch folder that lives until the corpus is built.

It raises `CorpusError` if it is missing or its structure is wrong.
"""


def only_language(data: Data) -> str:
    """The one language of a source that has no more."""
    if len(data.languages) > 1:
        raise CorpusError(f"data.languages = {data.languages}: data.source {data.source} has one language")
    return data.languages[0]
