"""What is said of every container, and what is no sound in any."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from data.problems import Finding, Kind

CUT_OFF = Kind("cut_off", "error", "Copy or download the file again from where it is whole, or leave the clip out.")
DAMAGED = Kind("damaged_audio", "error", "Copy or download the file again from where it is whole, or leave it out.")
WRONG_LENGTH = Kind("wrong_length", "warning", "Listen to the end of one; saving it again with any editor mends it.")
UNMARKED_END = Kind("unmarked_end", "warning", "Listen to the end of one: what wrote it was stopped before its end.")
JOINED = Kind("joined_recordings", "note", "All of them are read, one after another; their text must be of all.")

WHOLE = "a recording to its end"
NAME = re.compile(rb"[ -~]{4}")
"""Of a chunk or box."""

_NO_SOUND = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")


Form = Literal["libsndfile", "mp3", "g722", "other"]
"""What decodes a recording: libsndfile, or FFmpeg, which is told what it is or finds out (`other`)."""


class Contained(NamedTuple):
    """The recordings that lie in a file, each as a file of its own, and what was noticed."""

    recordings: Sequence[bytes]
    findings: Sequence[Finding] = ()
    form: Form = "libsndfile"


def is_no_sound(content: bytes, at: int) -> bool:
    """Whether the rest of a file is nothing, zeros or a tag, which players skip."""
    return content.startswith(_NO_SOUND, at) or not content[at:].strip(b"\0")


def split(content: bytes, starts: Sequence[int]) -> list[bytes]:
    """The content cut at these places, the first of which is its begin."""
    return [content[start:end] for start, end in zip(starts, [*starts[1:], len(content)], strict=True)]


def tag_size(content: bytes, at: int) -> int:
    """Of the ID3v2 tag that begins here, bytes; it may hold pictures."""
    size = 0
    for byte in content[at + 6 : at + 10]:  # seven bits each; head and foot are not counted
        size = size << 7 | byte & 0x7F
    return size + (20 if content[at + 5] & 0x10 else 10)
