"""Pins: what each voice of Debian's packages says and sounds like, file by file, whatever version they come in.

`pins/SPEAKER.tsv` has a line for each different recording: the clip's id, the first digits of the SHA-256 of the
recording and of its text, and, if it is not offered, the kind of finding that says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from common.files import file_digest
from data.problems import Finding, Kind
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_SPEECH, OTHER_PERSON, OTHER_TEXT, REPEATED, left_out

FOLDER = Path(__file__).parent / "pins"

CHANGED_RECORDING = Kind(
    "changed_recording", "error", "Debian's package holds another recording than is known: data.on_error=drop."
)
MISSING_RECORDING = Kind(
    "missing_recording", "error", "Debian's package lacks a recording that is known: data.on_error=drop."
)
CHANGED_TEXT = Kind(
    "changed_text", "warning", "Debian's package has a new text for an old recording, which was left out."
)
NEW_RECORDING = Kind("new_recording", "note", "Nobody has checked it yet, and it was left out: nothing to do.")

_REASONS = {kind.name: kind for kind in (NO_SPEECH, OTHER_PERSON, OTHER_TEXT)}
_DIGITS = 12


class Pin(NamedTuple):
    """One recording as it is known."""

    recording: str
    text: str
    reason: str
    """Why it is not offered, as a kind of finding; empty: it is."""


def read_pins(speaker: str) -> dict[str, Pin]:
    """What is known of a voice, by id."""
    lines = (FOLDER / f"{speaker}.tsv").read_text(encoding="utf-8").splitlines()
    return {id: Pin(*rest) for id, *rest in (line.split("\t") for line in lines)}


def recording_digest(path: Path) -> str:
    """As a pin has it."""
    return file_digest(path)[:_DIGITS]


def text_digest(text: str) -> str:
    """As a pin has it."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def once(items: Iterable[SourceClip | Finding], root: Path) -> Iterator[SourceClip | Finding]:
    """Of recordings that are byte for byte the same, the first one."""
    first: dict[str, str] = {}
    for item in items:
        if isinstance(item, Finding):
            yield item
        elif (id := first.setdefault(recording_digest(item.audio), item.id)) != item.id:
            yield left_out(REPEATED, item.audio, root, f"the recording of {id}", "each recording once")
        else:
            yield item


def pinned(
    items: Iterable[SourceClip | Finding], pins: Mapping[str, Pin], root: Path
) -> Iterator[SourceClip | Finding]:
    """The clips that are known and as they are known; what keeps the others from it."""
    missing = dict(pins)
    for item in items:
        if isinstance(item, Finding):
            yield item
            continue
        pin = missing.pop(item.id, None)
        recording, text = recording_digest(item.audio), text_digest(item.text)
        if pin is None:
            yield left_out(NEW_RECORDING, item.audio, root, item.id, "an id that is known")
        elif recording != pin.recording:
            yield left_out(CHANGED_RECORDING, item.audio, root, f"SHA-256 {recording}…", f"SHA-256 {pin.recording}…")
        elif text != pin.text:
            yield left_out(CHANGED_TEXT, item.audio, root, f"{item.text!r}, SHA-256 {text}…", f"SHA-256 {pin.text}…")
        elif pin.reason:
            yield left_out(_REASONS[pin.reason], item.audio, root, repr(item.text), "that text, spoken by the voice")
        else:
            yield item
    for id, pin in missing.items():
        yield Finding(MISSING_RECORDING, "no such file", f"SHA-256 {pin.recording}…", id=id)
