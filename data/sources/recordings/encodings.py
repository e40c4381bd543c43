"""What bytes of a list mean: its encoding, and texts that were read in a wrong one before they were written."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

import ftfy
from charset_normalizer import from_bytes

from data.problems import Finding, Kind

_REPAIR = "`myxtts data import PATH --fix-encoding` (data.table.fix_encoding) "
ENCODING = Kind("encoding", "error", f"{_REPAIR}reads it as that; better, save it as UTF-8.")
BROKEN_BYTES = Kind("broken_bytes", "error", f"{_REPAIR}reads these rows as what is found; or correct the rows.")
MOJIBAKE = Kind("mojibake", "error", f"UTF-8 was read as another encoding and saved again: {_REPAIR}repairs it.")
REPAIRED = Kind("repaired_encoding", "note", "Nothing is to be done: data.table.fix_encoding repairs it.")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TITLES = {
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1 (ISO 8859-1)",
    "cp1251": "Windows-1251",
    "cp1250": "Windows-1250",
}
_WESTERN = re.compile(r"[^\W\d_]|[\s\x00-\x7f–—‘’“”…«»¡¿°ºª€£§·©®½¼¾²³„‚‹›ˆ˜´¨\xa0\xad-]")
_INSIDE_WORD = re.compile(r"[^\W\d_][¿¡¹²³§©®¼½¾«»£€¨´˜ˆ„‚‹›°ºª][^\W\d_]")
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Decoded(NamedTuple):
    """A list as text."""

    text: str
    encoding: str
    findings: list[Finding]


def decode(content: bytes, file: str, encoding: str | None, fix: bool) -> Decoded:
    """A list in the given encoding, or in the one that its bytes show.

    What is neither Unicode with a mark nor UTF-8 is said, as an error unless it is to be fixed. Bytes that mean
    nothing become U+FFFD.
    """
    if encoding is not None:
        return _as(content, encoding, file)
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _as(content, name, file)
    if wide := _unmarked_utf16(content):
        said = [Finding(REPAIRED if fix else ENCODING, f"{wide.upper()} without a mark", "UTF-8", file=file)]
        return Decoded(content.decode(wide, "replace"), wide, said)
    try:
        return Decoded(content.decode("utf-8"), "utf-8", [])
    except UnicodeDecodeError:
        pass
    lines = [line for line in _LINE_END.split(content) if not line.isascii()]
    broken = sum(not _is_utf8(line) for line in lines)
    if 2 * broken < len(lines):
        return _line_by_line(content, file, fix)
    guess = _guess(content)
    kind = REPAIRED if fix else ENCODING
    said = [Finding(kind, _TITLES.get(guess, guess), "UTF-8", file=file)]
    return Decoded(content.decode(guess, "replace"), guess, said)


def mended(text: str) -> str:
    """A text whose UTF-8 was read as another encoding as it was before; any other text as it is."""
    return text if text.isascii() else ftfy.fix_encoding(text)


def _as(content: bytes, encoding: str, file: str) -> Decoded:
    try:
        return Decoded(content.decode(encoding).removeprefix("\ufeff"), encoding, [])
    except LookupError:
        said = Finding(
            ENCODING, f"data.table.encoding = {encoding!r}", "the name of an encoding, such as utf-8", file=file
        )
        return Decoded(content.decode("utf-8", "replace"), encoding, [said])
    except UnicodeError as error:
        said = Finding(ENCODING, f"not {encoding}: {error}", f"text in {encoding}", file=file)
        return Decoded(content.decode(encoding, "replace"), encoding, [said])


def _line_by_line(content: bytes, file: str, fix: bool) -> Decoded:
    """UTF-8 in which some lines are not."""
    ends = [match.group().decode() for match in _LINE_END.finditer(content)] + [""]
    lines, findings = [], []
    for row, (line, end) in enumerate(zip(_LINE_END.split(content), ends, strict=True), start=1):
        if _is_utf8(line):
            lines.append(line.decode("utf-8") + end)
            continue
        text = line.decode("cp1252", "replace")
        kind = REPAIRED if fix else BROKEN_BYTES
        findings.append(
            Finding(kind, f"in Windows-1252: {text[:60]!r}", "UTF-8, as the other rows", file=file, row=row)
        )
        lines.append(text + end)
    return Decoded("".join(lines), "utf-8", findings)


def _unmarked_utf16(content: bytes) -> str | None:
    """The byte order of UTF-16 without a mark, which is full of zeros and yet may be valid UTF-8."""
    sample = content[:4000]
    if len(sample) < 4 or sample.count(0) < 0.2 * len(sample):
        return None
    return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _guess(content: bytes) -> str:
    """The single-byte or multi-byte encoding that text is in, western Europe's first where it makes sense."""
    high = b"\n".join(line for line in _LINE_END.split(content) if not line.isascii())[:200_000]
    for encoding in ("latin-1", "cp1252"):
        text = high.decode(encoding, "replace")
        strange = _INSIDE_WORD.search(text) or [character for character in text if not _WESTERN.match(character)]
        letters = sum(character.isalpha() for character in text)
        accents = sum(character.isalpha() and not character.isascii() for character in text)
        if not strange and accents < 0.45 * letters:
            return encoding
    best = from_bytes(high).best()
    return best.encoding if best is not None else "cp1252"
