"""Ogg: pages. A link of a chain begins with a page of flag 2 behind one without, and ends with one of flag 4."""

from __future__ import annotations

import struct

from data.containers.base import CUT_OFF, DAMAGED, UNMARKED_END, WHOLE, Contained, is_no_sound, split
from data.problems import Finding

_MARK = b"OggS"
_FIRST, _LAST = 2, 4  # flags of a page
_HEAD = 27
"""Bytes before the table of a page, which says how long it is."""


def ogg(content: bytes) -> Contained:
    """The links of a chain."""
    at, starts, findings = 0, [0], list[Finding]()
    begun = ended = False  # whether a page of the link was none of its first ones, and whether one was its last
    numbers: dict[int, int] = {}
    while at < len(content):
        if not content.startswith(_MARK, at):
            if is_no_sound(content, at):
                break
            found = content.find(_MARK, at)
            findings.append(Finding(DAMAGED, f"damaged: bytes from {at} on are no page", WHOLE))
            if found < 0:
                break
            at = found
        head = content[at : at + _HEAD]
        table = content[at + _HEAD : at + _HEAD + head[-1]] if len(head) == _HEAD else b""
        end = at + _HEAD + len(table) + sum(table)
        if len(head) < _HEAD or len(table) < head[-1] or end > len(content):
            findings.append(Finding(CUT_OFF, "cut off inside a page", WHOLE))
            ended = True
            break
        flags, (serial, number) = head[5], struct.unpack_from("<II", head, 14)
        if flags & _FIRST and begun:
            starts, numbers, begun = [*starts, at], {}, False
        if number != numbers.get(serial, number - 1) + 1:
            findings.append(Finding(DAMAGED, f"damaged: pages before byte {at} are missing", WHOLE))
        numbers[serial] = number
        begun, ended, at = begun or not flags & _FIRST, bool(flags & _LAST), end
    if not ended:
        findings.append(Finding(UNMARKED_END, "no page is marked as the last", WHOLE))
    return Contained(split(content, starts), findings)
