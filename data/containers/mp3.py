"""MP3, MP2 and MP1: frames, each with a head of its own."""

from __future__ import annotations

import re

from data.containers.base import CUT_OFF, DAMAGED, WHOLE, WRONG_LENGTH, Contained, is_no_sound, tag_size
from data.problems import Finding

_KBITS = {  # a second, by layer: of MPEG 1, and of MPEG 2 and 2.5
    1: (
        (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
        (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    ),
    2: (
        (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
        (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    ),
    3: (
        (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
        (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    ),
}
_SAME = 0xFFFE0C00
"""What the heads of all frames of a recording have in common: sync, version, layer and rate."""

_XING = re.compile(rb"(?:Xing|Info)\0\0\0([\x01-\x0f])(.{4})", re.DOTALL)
_SEARCHED = 65536
"""So many bytes may stand before the first frame."""


def mp3(content: bytes) -> Contained:
    """Recordings of whole frames, without tags, parted before frames that say how many follow (Xing, Info).

    What begins with no run of frames is handed on as it is.
    """
    at = _find_frames(content, 0)
    if at < 0:
        return Contained([content], form="other")
    recordings, announced, findings = [list[bytes]()], [0], list[Finding]()
    head = _head(content, at)
    while at < len(content):
        size = _frame_size(_head(content, at))
        if not size:
            found = _behind_no_frame(content, at, head)
            if not is_no_sound(content, at) and content[at:found].strip(b"\0"):
                findings.append(Finding(DAMAGED, f"damaged: {found - at} bytes from {at} on are no frame", WHOLE))
            at = found
            continue
        head, frame = _head(content, at), content[at : at + size]
        if len(frame) < size:
            findings.append(Finding(CUT_OFF, "cut off inside a frame", WHOLE))
        if xing := _XING.search(frame, 0, 64):
            recordings.append([])
            announced.append(int.from_bytes(xing[2], "big") if xing[1][0] & 1 else 0)
        recordings[-1].append(frame)
        at += size
    for frames, number in zip(recordings, announced, strict=True):
        if len(frames) < number:
            findings.append(Finding(CUT_OFF, f"cut off: {number - len(frames)} of {number} frames are missing", WHOLE))
        elif len(frames) > number + 2 and number:  # some count the frame that says so
            more = len(frames) - number
            findings.append(Finding(WRONG_LENGTH, f"{more} frames more than the header says", WHOLE))
    return Contained([b"".join(frames) for frames in recordings if frames], findings, "mp3")


def _head(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4].ljust(4, b"\0"), "big")


def _frame_size(head: int) -> int:
    """Bytes of the frame that begins with this head; 0 if none does (ISO 11172-3, 2.4.1.3)."""
    version, layer, bitrate, rate = head >> 19 & 3, 4 - (head >> 17 & 3), head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return 0
    first_version = version == 3
    bits = 1000 * _KBITS[layer][0 if first_version else 1][bitrate]
    hertz = (44100, 48000, 32000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    padding = head >> 9 & 1
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (144 if first_version or layer == 2 else 72) * bits // hertz + padding


def _find_frames(content: bytes, start: int) -> int:
    """Where three frames of a kind follow each other, or fewer that end with the content; -1 if nowhere soon."""
    at = content.find(b"\xff", start, start + _SEARCHED)
    while at >= 0:
        head, here = _head(content, at), at
        for _ in range(3):
            size = _frame_size(_head(content, here)) if not (_head(content, here) ^ head) & _SAME else 0
            here += size
            if not size or here >= len(content):
                break
        if size and here <= len(content):
            return at
        at = content.find(b"\xff", at + 1, start + _SEARCHED)
    return -1


def _behind_no_frame(content: bytes, at: int, head: int) -> int:
    """Where frames like this one go on behind a tag or what else is none; the end of the content if they don't."""
    if content.startswith(b"ID3", at):
        return at + tag_size(content, at)
    if content.startswith(b"TAG", at):
        return at + 128
    found = content.find(b"\xff", at + 1)
    while found >= 0 and ((_head(content, found) ^ head) & _SAME or not _frame_size(_head(content, found))):
        found = content.find(b"\xff", found + 1)
    return found if found >= 0 else len(content)
