"""What a folder of recordings is taken for: the same, whichever way it is laid out."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from configs.schema import Layout, Table
from data.problems import Finding, Kind
from data.sources.recordings.encodings import MOJIBAKE, REPAIRED, mended
from data.sources.recordings.tree import OUTSIDE, Tree, without_audio_folder, without_suffix

MISSING = Kind("missing_audio", "error", "Bring the file, or correct or remove the row.")
OTHER_NAME = Kind("other_name", "note", "Nothing is to be done, if these are the same recordings.")
BROKEN_CHARACTERS = Kind("broken_characters", "error", "Correct the rows: half of a character is no text.")
REPEATED = Kind("repeated_recording", "warning", "Remove the row, unless the recording is to be learned from twice.")
SAME_ID = Kind("same_id", "note", "Nothing is to be done: the later one has another id in the corpus.")

_LONGEST_ID = 150  # bytes
_NEAREST = 100  # missing files for which the nearest is looked up
_SHOWN = 80  # characters


@dataclass(frozen=True)
class Entry:
    """A row of a list: a recording, or a part of one, and what is said in it."""

    id: str
    """As the list has it; empty if the name of the file is to be one."""
    file: str
    """As the list calls it; in a `Reading`, relative to the root."""
    text: str
    speaker: str = ""
    language: str = ""
    list: str = ""
    row: int | None = None
    name: str = ""
    """What the list calls the file, where that matters."""
    start: float = 0.0
    """s."""
    seconds: float | None = None
    """Of a part; None: to the end."""
    archive: str = ""
    """The tar file that `file` lies in, if it does."""


@dataclass
class Reading:
    """One way to understand a folder: what it is taken for, and what it holds then."""

    layout: Layout
    said: str
    """In words, for people."""
    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    table: Table = field(default_factory=Table)
    doubts: Sequence[str] = ()
    """Flags of `myxtts data import` that decide between this and other ways; none: it is sure."""

    @property
    def sure(self) -> bool:
        """Whether it is the only one that makes sense."""
        return not self.doubts

    def find(self, kind: Kind, entry: Entry, found: str, expected: str) -> None:
        """Say of a row what is wrong with it."""
        shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}… ({len(found):,} characters)"
        self.findings.append(Finding(kind, shown, expected, entry.id or entry.file, entry.list, entry.row))

    def add(self, tree: Tree, entry: Entry) -> None:
        """Take a row of a list, or say why not."""
        named = tree.find(entry.file, entry.list.rpartition("/")[0])
        if named.outside:
            self.find(OUTSIDE, entry, repr(entry.file), f"a file in {tree.root}")
        elif named.file is None:
            expected = f"a recording in {tree.root}"
            if len(self.findings) < _NEAREST and (nearest := tree.nearest(entry.file)):
                expected += f"; the nearest is {nearest}"
            self.find(MISSING, entry, f"no file {entry.file!r}", expected)
        else:
            if not named.exact:
                self.find(OTHER_NAME, entry, named.file, entry.file)
            self.entries.append(replace(entry, id=entry.id or id_of(named.file), file=named.file))

    def complete(self, fix: bool) -> Reading:
        """Make ids unique, and repair texts that were read in a wrong encoding, or say which they are."""
        self._make_ids_unique()
        self._check_texts(fix)
        return self

    def _make_ids_unique(self) -> None:
        """Give repeated ids a suffix: a, a → a, a-2."""
        ids = [_safe(entry.id) for entry in self.entries]
        taken, first = set(ids), dict[str, Entry]()
        for k, (id, entry) in enumerate(zip(ids, self.entries, strict=True)):
            unique, n = id, 1
            while unique in first or (n > 1 and unique in taken):
                n += 1
                unique = f"{id}-{n}"
            self.entries[k] = first[unique] = replace(entry, id=unique)
            if unique != id:
                before = first[id]
                kind = REPEATED if (before.file, before.start) == (entry.file, entry.start) else SAME_ID
                self.find(
                    kind, self.entries[k], f"{entry.file}, as in row {before.row} of {before.list}", f"one row for {id}"
                )

    def _check_texts(self, fix: bool) -> None:
        for k, entry in enumerate(self.entries):
            if entry.text.isascii():
                continue
            text = printable(entry.text)
            if text != entry.text:
                self.find(BROKEN_CHARACTERS, entry, ascii(entry.text), "whole characters")
            elif (text := mended(entry.text)) != entry.text:
                self.find(REPAIRED if fix else MOJIBAKE, entry, entry.text, text[:_SHOWN])
                text = text if fix else entry.text
            self.entries[k] = replace(entry, text=text)


def id_of(file: str) -> str:
    """The id of a recording: its path without suffix and without folders that just hold audio."""
    *folders, name = PurePosixPath(without_suffix(file)).parts
    return "-".join([*(folder for folder in folders if without_audio_folder(f"{folder}/x") != "x"), name])


def _safe(id: str) -> str:
    """An id as a file can be called."""
    plain = re.sub(r"[\x00-\x1f\x7f/\\]", "-", unicodedata.normalize("NFC", printable(id))).lstrip(".") or "unnamed"
    if len(plain.encode()) <= _LONGEST_ID:
        return plain
    return (
        plain.encode()[: _LONGEST_ID - 9].decode(errors="ignore") + "-" + hashlib.sha256(plain.encode()).hexdigest()[:8]
    )


def printable(text: str) -> str:
    """A text with U+FFFD for what is half a character, which no file could hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def sayable(finding: Finding) -> Finding:
    """A finding that can be written to a file, whatever names and texts it tells of."""
    return replace(
        finding,
        found=printable(finding.found),
        expected=printable(finding.expected),
        id=printable(finding.id),
        file=printable(finding.file),
    )


def speaker_folder(file: str) -> str:
    """The folder that a recording's speaker may be called after: the last that does not just hold audio."""
    real = [part for part in PurePosixPath(file).parts[:-1] if without_audio_folder(f"{part}/x") != "x"]
    return real[-1] if real else ""
