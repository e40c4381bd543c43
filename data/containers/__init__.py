"""What a file of sound holds, by its own structure: which recordings, and whether they are all there.

Decoders believe headers and stop without a word where a file does. Here the chunks of WAV and its kin, the pages of
Ogg and the frames of MP3 are walked, so that what is missing, added or joined is known before anything is decoded.
"""

from __future__ import annotations

import re

from data.containers.base import CUT_OFF, JOINED, WHOLE, Contained, split, tag_size
from data.containers.boxes import EBML, boxed
from data.containers.chunks import CHUNKED, au, chunked
from data.containers.mp3 import mp3
from data.containers.ogg import ogg
from data.problems import Finding

_FLAC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")  # its mark, and a first block of 34 bytes


def contained(content: bytes) -> Contained:
    """The recordings in the content of a file, with headers that say what they hold and no tags before them."""
    while content.startswith(b"ID3") and len(content) >= 10:
        size = tag_size(content, 0)
        if size > len(content):
            return Contained([], [Finding(CUT_OFF, f"cut off: {size - len(content)} bytes are missing", WHOLE)])
        content = content[size:]
    found = _of_kind(content)
    if len(found.recordings) > 1:
        joined = Finding(JOINED, f"{len(found.recordings)} recordings in one file", "one")
        found = found._replace(findings=[*found.findings, joined])
    return found


def _of_kind(content: bytes) -> Contained:
    mark = content[:4]
    if mark == b"OggS":
        return ogg(content)
    if starts := [match.start() for match in _FLAC.finditer(content)] if mark == b"fLaC" else []:
        return Contained(split(content, starts))
    if mark in CHUNKED:
        return chunked(content)
    if mark == b".snd":
        return au(content)
    if mark == EBML or content[4:8] == b"ftyp":
        return boxed(content)
    return mp3(content)
