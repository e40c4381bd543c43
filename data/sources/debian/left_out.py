"""What keeps recordings in Debian's packages from being clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from data.problems import Finding, Kind
from data.sources.base import SourceClip

Reader = Callable[[Path, str, str], Iterator[SourceClip | Finding]]
"""Gives every recording of a person as a clip or says why not, of unpacked packages, a language and a speaker."""

NO_TEXT = Kind("recording_without_text", "note", "The package says nowhere what is said in it: nothing to do.")
UNCLEAR_TEXT = Kind(
    "unclear_text", "note", "Nobody can tell how its signs and remarks are read, if they are: nothing to do."
)
OTHER_PERSON = Kind("other_person", "note", "Someone speaks whom this source does not offer: nothing to do.")
OTHER_TEXT = Kind("other_text_spoken", "note", "The text was probably changed after the recording: nothing to do.")
NO_SPEECH = Kind("recording_without_speech", "note", "It is too short to hold a word: nothing to do.")
REPEATED = Kind("repeated_recording", "note", "The package has the same file twice, one is enough: nothing to do.")


def left_out(kind: Kind, audio: Path, root: Path, found: str, expected: str) -> Finding:
    """Why the file `audio` of packages that were unpacked in `root` is no clip."""
    return Finding(kind, found, expected, file=audio.relative_to(root).as_posix())
