"""WAV, WAVEX, RF64, W64, AIFF and CAF: chunks, one of which is the sound. AU, which has one head."""

from __future__ import annotations

import struct
from typing import NamedTuple

from data.containers.base import CUT_OFF, NAME, WHOLE, WRONG_LENGTH, Contained, is_no_sound
from data.problems import Finding


class _Kind(NamedTuple):
    first: int
    """Where the first chunk begins."""
    head: str
    """Name and size of a chunk, as `struct` has it."""
    sound: bytes
    """Name of the chunk that is the sound."""
    aligned: int = 2
    counts_head: bool = False
    """Whether the size of a chunk includes its head."""


CHUNKED = {
    b"RIFF": _Kind(12, "<4sI", b"data"),
    b"RF64": _Kind(12, "<4sI", b"data"),
    b"RIFX": _Kind(12, ">4sI", b"data"),
    b"FORM": _Kind(12, ">4sI", b"SSND"),
    b"caff": _Kind(8, ">4sQ", b"data", aligned=1),
    b"riff": _Kind(40, "<16sQ", bytes.fromhex("64617461f3acd3118cd100c04f8edb8a"), aligned=8, counts_head=True),
}
"""Containers by their first four bytes."""

_STREAMED = 0x7FFF0000
"""From this size on, what a smaller file holds was written to a pipe: 7FFFF000, 80000000, FFFFFFFF."""


class _Chunk(NamedTuple):
    name: bytes
    begin: int
    """Of its content, as `end` is."""
    end: int


def chunked(content: bytes) -> Contained:
    """The recordings in chunks, of which there are several where files were joined."""
    kind = CHUNKED[content[:4]]
    at, long_size_at = kind.first, 0
    while (chunk := _chunk(content, at, kind)) and chunk.name != kind.sound:
        if chunk.name == b"ds64":
            long_size_at = chunk.begin + 8
        at = max(chunk.end + -chunk.end % kind.aligned, at + 1)
    if not chunk:
        return Contained([content])
    size, size_form, size_at = chunk.end - chunk.begin, kind.head[0] + kind.head[-1], at + len(chunk.name)
    if size == 0xFFFFFFFF and long_size_at:  # RF64 keeps it elsewhere, in 64 bits
        size, size_form, size_at = struct.unpack_from("<Q", content, long_size_at)[0], "<Q", long_size_at
    end, next_at, findings = _end_of_sound(content, chunk.begin, size, kind)
    recording = content
    if end != chunk.begin + size or next_at < len(content):
        head = chunk.begin - at if kind.counts_head else 0
        recording = _with_size(content[:end], size_at, size_form, end - chunk.begin + head)
    following = chunked(content[next_at:]) if next_at < len(content) else Contained([])
    return Contained([recording, *following.recordings], [*findings, *following.findings])


def au(content: bytes) -> Contained:
    """The recording in a file of Sun's."""
    begin, size = struct.unpack_from(">II", content.ljust(12, b"\0"), 4)
    if size > len(content) - begin:
        return Contained([content], _too_little(content, begin, size))
    if is_no_sound(content, begin + size):
        return Contained([content])
    if content.startswith(b".snd", begin + size):
        following = au(content[begin + size :])
        return Contained([content[: begin + size], *following.recordings], following.findings)
    return Contained([_with_size(content, 8, ">I", len(content) - begin)], _too_much(content, begin + size))


def _chunk(content: bytes, at: int, kind: _Kind) -> _Chunk | None:
    head = struct.calcsize(kind.head)
    if at + head > len(content):
        return None
    name, size = struct.unpack_from(kind.head, content, at)
    return _Chunk(name, at + head, at + size + (0 if kind.counts_head else head))


def _end_of_sound(content: bytes, begin: int, size: int, kind: _Kind) -> tuple[int, int, list[Finding]]:
    """Where the sound ends, where the next recording in the file begins, and what is wrong with the size."""
    if size > len(content) - begin:
        return len(content), len(content), _too_little(content, begin, size)
    end = begin + size
    at = _behind_chunks(content, end, kind)
    if content.startswith(content[:4], at):
        return end, at, []
    if at > end or (size and is_no_sound(content, at)):
        return end, len(content), []
    return len(content), len(content), _too_much(content, end) if size else []


def _behind_chunks(content: bytes, at: int, kind: _Kind) -> int:
    """Where the chunks that follow each other from here end."""
    while True:
        for begin in (at + -at % kind.aligned, at):  # the byte that makes a size even is often left out
            chunk = _chunk(content, begin, kind)
            if content.startswith(content[:4], begin):
                return begin
            if chunk and NAME.fullmatch(chunk.name[:4]) and chunk.begin <= chunk.end <= len(content):
                at = chunk.end
                break
        else:
            return at


def _too_little(content: bytes, begin: int, size: int) -> list[Finding]:
    missing = begin + size - len(content)
    if size >= _STREAMED:
        return []
    if missing <= begin:  # whoever wrote the header counted it too
        return [Finding(WRONG_LENGTH, f"{missing} bytes less than the header says", WHOLE)]
    return [Finding(CUT_OFF, f"cut off: {missing} of {size} bytes of sound are missing", WHOLE)]


def _too_much(content: bytes, end: int) -> list[Finding]:
    more = len(content) - end
    return [Finding(WRONG_LENGTH, f"{more} bytes more than the header says", WHOLE)] if more > 1 else []


def _with_size(content: bytes, at: int, form: str, size: int) -> bytes:
    return content[:at] + struct.pack(form, size) + content[at + struct.calcsize(form) :]
