"""MP4 and M4A (boxes), WebM and Matroska (elements): whether the outermost ones end in the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from data.containers.base import CUT_OFF, NAME, WHOLE, Contained, split
from data.problems import Finding

EBML = bytes.fromhex("1a45dfa3")
_SEGMENT = bytes.fromhex("18538067")


def boxed(content: bytes) -> Contained:
    """The recordings in boxes or elements, of which there are several where files of boxes were joined."""
    parts = list(_elements(content) if content.startswith(EBML) else _boxes(content))
    names, starts = [name for name, _, _ in parts], [start for name, start, _ in parts if name == b"ftyp"]
    missing = max((end for _, _, end in parts), default=0) - len(content)
    findings = []
    if missing > 0:
        findings.append(Finding(CUT_OFF, f"cut off: {missing} bytes are missing", WHOLE))
    elif names.count(b"moov") < len(starts):
        findings.append(Finding(CUT_OFF, "cut off: its index (moov) is missing", WHOLE))
    return Contained(split(content, starts or [0]), findings, "other")


def _boxes(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each box."""
    at = 0
    while at + 16 <= len(content):
        size, name, long_size = struct.unpack_from(">I4sQ", content, at)
        size = {0: len(content) - at, 1: long_size}.get(size, size)
        if size < 8 or not NAME.fullmatch(name):
            return
        yield name, at, at + size
        at += size


def _elements(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each element; one of unknown size was streamed and ends with the file."""
    at = 0
    while at + 5 <= len(content) and content[at : at + 4] in (EBML, _SEGMENT):
        name, width = content[at : at + 4], 9 - content[at + 4].bit_length()
        largest = (1 << 7 * width) - 1
        size = int.from_bytes(content[at + 4 : at + 4 + width], "big") & largest
        end = len(content) if size == largest else at + 4 + width + size
        yield name, at, end
        at = end
