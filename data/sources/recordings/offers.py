"""What a folder of recordings offers as a source of speech."""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import soundfile as sf

from common.progress import Report, watched
from configs.outs import source_path
from configs.schema import Data, Layout, Table
from data.audio import AudioError, Pcm, read_pcm
from data.corpus import CorpusError
from data.problems import Finding, Kind
from data.sources.base import Offer, SourceClip, only_language
from data.sources.recordings.archives import contents
from data.sources.recordings.codes import language_code
from data.sources.recordings.folders import folder_readings
from data.sources.recordings.reading import Entry, Reading, printable, sayable
from data.sources.recordings.tables import table_readings
from data.sources.recordings.tree import Tree

BEYOND_END = Kind("beyond_end", "error", "Correct the times, or bring the whole recording.")
NO_LANGUAGE = Kind(
    "no_language", "error", "Write codes such as en or pt-BR, or name another column: --language-column."
)
OTHER_LANGUAGE = Kind(
    "other_language", "note", "If they are to be learned from, add their languages to data.languages."
)
UNNAMED = Kind("unnamed_recording", "note", "If they belong to the corpus, add rows with their texts.")

_TABLES = ("table", "audiofolder", "common_voice")
_TOLERATED = 0.1  # by which a part may end after its recording, s


def offer(data: Data, scratch: Path, report: Report) -> Offer:
    """The clips at `data.path`, with what keeps rows of its lists from being clips."""
    path = source_path(str(data.path))
    tree = Tree(path)
    reading = _only_reading(tree, data)
    findings = [*tree.outside, *reading.findings]
    if any(entry.language for entry in reading.entries):
        entries = list(in_languages(reading.entries, data.languages, findings))
    else:
        language = only_language(data)
        entries = [replace(entry, language=language) for entry in reading.entries]
    audio = _Audio(tree, scratch, entries)
    clips = []
    for entry in watched(entries, "finding recordings", len(entries), report):
        try:
            file = audio.file(entry)
        except _BeyondEnd as error:
            reading.find(BEYOND_END, entry, str(error), "times within the recording")
            findings.append(reading.findings[-1])
            continue
        speaker = printable(entry.speaker) or tree.root.name
        clips.append(SourceClip(entry.id, entry.text, entry.language, speaker, file, entry.row))
    attribution = (
        f"# Attribution\n\nFrom the recordings `{path.name}` of whoever built this corpus: its rights and licence are "
        "theirs to know.\n\nChanges: re-encoded to 16-bit mono FLAC at the sample rate of each file.\n"
    )
    return Offer(clips, attribution, [sayable(finding) for finding in findings])


def _only_reading(tree: Tree, data: Data) -> Reading:
    """What the folder is taken for. Raises `CorpusError` if it can be nothing, or more than one thing."""
    found = readings(tree, data.layout, data.table)
    if not found:
        raise CorpusError(nothing_to_read(tree))
    if not found[0].sure:
        ways = "\n".join(f"  {reading.said}" for reading in found)
        raise CorpusError(
            f"{tree.root}: it can be read in more than one way:\n{ways}\n"
            f"`myxtts data import {tree.root}` writes into a preset which it is, with {', '.join(found[0].doubts)}"
        )
    return found[0]


def readings(tree: Tree, layout: Layout | None, table: Table) -> list[Reading]:
    """The ways in which a folder can be understood, the likeliest first; those of one layout, if it is given.

    Each is complete: ids are unique, texts repaired or named, and recordings that no list names are said.
    """
    found = list(_readings(tree, layout, table))
    for reading in found:
        reading.complete(table.fix_encoding)
        _say_unnamed(tree, reading)
    return found


def _readings(tree: Tree, layout: Layout | None, table: Table) -> Iterable[Reading]:
    if layout in _TABLES or tree.only_list:
        return table_readings(tree, table)
    folders = [reading for reading in folder_readings(tree, table.fix_encoding) if layout in (None, reading.layout)]
    special = [reading for reading in folders if reading.entries and reading.layout != "text_files"]
    if special or layout is not None:
        return special or folders
    tables = table_readings(tree, table)
    if any(reading.entries for reading in tables):
        return tables
    return [reading for reading in folders if reading.entries] or folders or tables


def nothing_to_read(tree: Tree) -> str:
    """What was looked for and not found."""
    return (
        f"{tree.root}: no list of recordings with their texts was found among {len(tree.audio)} recordings and "
        f"{len(tree.files) - len(tree.audio)} other files; expected a list such as metadata.csv (a row NAME|TEXT for "
        "each recording), a text file beside each recording, or a data folder of Kaldi or lhotse"
    )


def in_languages(entries: Iterable[Entry], languages: Sequence[str], findings: list[Finding]) -> Iterator[Entry]:
    """The entries in these languages, by their codes; of the others, it is said."""
    for entry in entries:
        code = language_code(entry.language, languages)
        if code is not None and code in languages:
            yield replace(entry, language=code)
            continue
        kind = NO_LANGUAGE if code is None else OTHER_LANGUAGE
        expected = f"one of {', '.join(languages)}"
        findings.append(Finding(kind, repr(entry.language), expected, entry.id, entry.list, entry.row))


class _BeyondEnd(ValueError):
    """A part ends after its recording."""


class _Audio:
    """The audio of entries as files of their own: parts are cut out, and archives unpacked, into a scratch folder."""

    def __init__(self, tree: Tree, scratch: Path, entries: Iterable[Entry]) -> None:
        self._tree, self._scratch = tree, scratch
        self._unpacked: dict[tuple[str, str], Path] = {}
        wanted: dict[str, set[str]] = {}
        for entry in entries:
            if entry.archive:
                wanted.setdefault(entry.archive, set()).add(entry.file)
        for archive, members in wanted.items():
            self._unpack(archive, members)

    def file(self, entry: Entry) -> Path:
        """Where it lies. Raises `_BeyondEnd`; a part of a broken recording is the recording, as validation will say."""
        torn = self._scratch / entry.archive  # nothing: what a torn archive lacks, validation will miss
        whole = self._unpacked.get((entry.archive, entry.file), torn) if entry.archive else self._tree.path(entry.file)
        if entry.seconds is None and not entry.start:
            return whole
        try:
            samples, rate = _last_read(whole)
        except AudioError:
            return whole
        start = round(entry.start * rate)
        stop = len(samples) if entry.seconds is None else start + round(entry.seconds * rate)
        if stop > len(samples) + _TOLERATED * rate or start >= len(samples):
            raise _BeyondEnd(f"{start / rate:g} to {stop / rate:g} s of {len(samples) / rate:g} s")
        part = self._scratch / f"{entry.id}.wav"
        sf.write(part, samples[start:stop], rate, subtype="PCM_16")
        return part

    def _unpack(self, archive: str, members: Container[str]) -> None:
        for member, content in contents(self._tree.path(archive), members):
            file = self._scratch / f"unpacked-{len(self._unpacked)}{PurePosixPath(member).suffix}"
            file.write_bytes(content)
            self._unpacked[archive, member] = file


@functools.lru_cache(maxsize=1)
def _last_read(path: Path) -> tuple[Pcm, int]:  # the parts of a recording follow each other
    return read_pcm(path)


def _say_unnamed(tree: Tree, reading: Reading) -> None:
    if reading.layout in ("vctk", "text_files", "libritts"):
        return  # said where texts were looked for
    named = {entry.file for entry in reading.entries}
    for file in tree.audio:
        if file not in named:
            reading.findings.append(Finding(UNNAMED, "no row", "a row in a list", file=file))
