"""What a folder of recordings offers as a source of speech."""

from __future__ import annotations

import functools
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
from data.sources.recordings.codes import language_code
from data.sources.recordings.folders import folder_readings
from data.sources.recordings.reading import Entry, Reading, printable
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
    found = readings(tree, data.layout, data.table)
    if not found:
        raise CorpusError(nothing_to_read(tree, path))
    reading = found[0]
    if not reading.sure:
        ways = "\n".join(f"  {way.said}" for way in found)
        flags = "\n".join(f"  {doubt}" for doubt in reading.doubts)
        raise CorpusError(
            f"{path}: it is not sure what is what in its lists. It can be read as\n{ways}\n"
            f"`myxtts data import {path}` writes into a preset which it is; what decides:\n{flags}"
        )
    findings = [*tree.outside, *reading.findings]
    spoken = list(_spoken(reading.entries, data, findings))
    files = [_File(entry, tree, scratch, k) for k, entry in enumerate(spoken)]
    clips = []
    _unpack(tree, [file for file in files if file.entry.archive])
    for file in (
        watched(files, "cutting recordings", len(files), report) if any(f.entry.seconds for f in files) else files
    ):
        entry = file.entry
        try:
            audio = file.path()
        except _BeyondEnd as error:
            findings.append(
                Finding(BEYOND_END, str(error), "times within the recording", entry.id, entry.list, entry.row)
            )
            continue
        speaker = printable(entry.speaker) or tree.root.name
        clips.append(SourceClip(entry.id, entry.text, entry.language, speaker, audio, entry.row))
    if not clips and not findings:
        raise CorpusError(nothing_to_read(tree, path))
    attribution = (
        f"# Attribution\n\nFrom the recordings `{path.name}` of whoever built this corpus: its rights and licence are "
        "theirs to know.\n\nChanges: re-encoded to 16-bit mono FLAC at the sample rate of each file.\n"
    )
    return Offer(clips, attribution, findings)


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


def nothing_to_read(tree: Tree, path: Path) -> str:
    """What was looked for and not found."""
    there = f"{len(tree.audio)} recordings and {len(tree.files) - len(tree.audio)} other files"
    return (
        f"{path}: no list of recordings with their texts was found among {there}; expected a list such as metadata.csv "
        "(a line NAME|TEXT for each recording), a text file beside each recording, or a data folder of Kaldi or lhotse"
    )


def languages_of(reading: Reading) -> Counter[str]:
    """The languages that its rows name, as codes, by number of rows; empty if they name none."""
    return Counter(code for entry in reading.entries if entry.language and (code := language_code(entry.language)))


def _spoken(entries: Sequence[Entry], data: Data, findings: list[Finding]) -> Iterator[Entry]:
    """The entries in the languages that are asked for."""
    if not any(entry.language for entry in entries):
        language = only_language(data)
        yield from (replace(entry, language=language) for entry in entries)
        return
    for entry in entries:
        code = language_code(entry.language) if entry.language else None
        if code in data.languages:
            yield replace(entry, language=code)
            continue
        kind = NO_LANGUAGE if code is None else OTHER_LANGUAGE
        expected = f"one of {', '.join(data.languages)}"
        findings.append(Finding(kind, repr(entry.language), expected, entry.id, entry.list, entry.row))


class _BeyondEnd(ValueError):
    """A part ends after its recording."""


class _File:
    """The audio of an entry as a file of its own."""

    def __init__(self, entry: Entry, tree: Tree, scratch: Path, number: int) -> None:
        self.entry = entry
        suffix = PurePosixPath(entry.file).suffix
        self.whole = scratch / f"{number}-whole{suffix}" if entry.archive else tree.path(entry.file)
        self._part = scratch / f"{number}.wav"

    def path(self) -> Path:
        """Where it lies; a part is cut out first, unless the recording is broken, which the validation says."""
        if self.entry.seconds is None and not self.entry.start:
            return self.whole
        try:
            samples, rate = _last_read(self.whole)
        except AudioError:
            return self.whole
        start = round(self.entry.start * rate)
        stop = len(samples) if self.entry.seconds is None else start + round(self.entry.seconds * rate)
        if stop > len(samples) + _TOLERATED * rate or start >= len(samples):
            raise _BeyondEnd(f"{start / rate:g} to {stop / rate:g} s of {len(samples) / rate:g} s")
        sf.write(self._part, samples[start:stop], rate, subtype="PCM_16")
        return self._part


@functools.lru_cache(maxsize=1)
def _last_read(path: Path) -> tuple[Pcm, int]:  # the parts of a recording follow each other
    return read_pcm(path)


def _unpack(tree: Tree, files: Sequence[_File]) -> None:
    for archive in sorted({file.entry.archive for file in files}):
        wanted: dict[str, list[_File]] = {}
        for file in files:
            if file.entry.archive == archive:
                wanted.setdefault(file.entry.file, []).append(file)
        with tarfile.open(tree.path(archive)) as tar:
            for member in tar:
                for file in wanted.get(member.name, []):
                    if (content := tar.extractfile(member)) is not None:
                        file.whole.write_bytes(content.read())


def _say_unnamed(tree: Tree, reading: Reading) -> None:
    if reading.layout in ("vctk", "text_files", "libritts"):
        return  # said where texts were looked for
    named = {entry.file for entry in reading.entries}
    for file in tree.audio:
        if file not in named:
            reading.findings.append(Finding(UNNAMED, "no row", "a row in a list", file=file))
