"""What every source of speech gives: clips with their texts, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from common.errors import Refused
from configs.schema import Data


class CorpusError(Refused, ValueError):
    """A corpus cannot be built or read; every reason at once, one a line."""


@dataclass(frozen=True)
class SourceClip:
    """What a source has to offer: `audio` may be missing or broken, which is for the validation to say."""

    id: str
    text: str
    language: str
    speaker: str
    audio: Path


class Offer(NamedTuple):
    """All that a source has to offer, and `ATTRIBUTION.md` for it."""

    clips: Sequence[SourceClip]
    attribution: str


def only_language(data: Data) -> str:
    """The one language of a source that has no more."""
    if len(data.languages) > 1:
        raise CorpusError(f"data.languages = {data.languages}: data.source {data.source} has one language")
    return data.languages[0]
