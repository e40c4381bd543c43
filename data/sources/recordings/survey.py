"""A first look at recordings of one's own: what they are, how many, how long, in which languages."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import av
import soundfile as sf

from common.errors import Unanswerable
from common.progress import Report, watched
from configs.schema import Layout, Table
from data.problems import Finding, Kind
from data.sources.recordings.archives import contents
from data.sources.recordings.codes import language_code
from data.sources.recordings.guesses import guess_language
from data.sources.recordings.offers import in_languages, nothing_to_read, readings
from data.sources.recordings.reading import Entry, Reading, printable, sayable
from data.sources.recordings.tree import Tree

UNREADABLE = Kind("unreadable_audio", "error", "Record or export these files again, or remove their rows.")
UNSURE_LANGUAGE = Kind("unsure_language", "error", "Say which it is: --language CODE.")
SEVERAL_WAYS = Kind("several_ways", "error", "Say what is what by the flags that are expected.")
UNSURE = (UNSURE_LANGUAGE, SEVERAL_WAYS)
"""What keeps a preset from being written."""

_THREADS = 8
_G722_RATE = 16000


class NothingToRead(Unanswerable):
    """There are no recordings with texts in any layout that is known."""


class _Header(NamedTuple):
    rate: int
    seconds: float


@dataclass
class Survey:
    """What there is to learn from."""

    tree: Tree
    reading: Reading
    entries: Sequence[Entry]
    """The clips, each with the code of its language."""
    languages: Counter[str]
    """How many clips each has."""
    speakers: Counter[str]
    """How many clips each has."""
    minutes: float
    rates: Counter[int]
    """How many files have each sample rate, Hz."""
    findings: list[Finding] = field(default_factory=list)


def ways_to_read(path: Path, layout: Layout | None, table: Table) -> tuple[Tree, list[Reading]]:
    """The files at a path, and the ways to understand them, the likeliest first.

    Raises `NothingToRead` if there are none, and `CorpusError` where `readings` does.
    """
    if not path.exists():
        raise NothingToRead(f"{path}: not found; expected a folder of recordings, or a list in it")
    tree = Tree(path)
    found = readings(tree, layout, table)
    if not found or not any(reading.entries or reading.findings for reading in found):
        raise NothingToRead(nothing_to_read(tree))
    return tree, found


def survey(tree: Tree, reading: Reading, languages: Sequence[str], report: Report) -> Survey:
    """Count the clips of a reading in these languages, or in those that are found, and read their files' headers."""
    findings = [*tree.outside, *reading.findings]
    entries = list(reading.entries)
    if any(entry.language for entry in entries):
        written = {code for entry in entries if (code := language_code(entry.language))}
        entries = list(in_languages(entries, languages or sorted(written), findings))
    else:
        language = languages[0] if languages else _guess(entries, findings)
        entries = [replace(entry, language=language) for entry in entries]
    headers = dict(watched(_headers(tree, entries), "reading headers", len({_place(e) for e in entries}), report))
    seconds = 0.0
    for entry in entries:
        header = headers[_place(entry)]
        if header is None:
            findings.append(
                Finding(UNREADABLE, "no audio that can be read", "a recording", entry.id, entry.file, entry.row)
            )
        elif entry.seconds is not None:
            seconds += entry.seconds
        else:
            seconds += max(0.0, header.seconds - entry.start)
    return Survey(
        tree,
        reading,
        entries,
        Counter(entry.language for entry in entries),
        Counter(printable(entry.speaker) or tree.root.name for entry in entries),
        seconds / 60,
        Counter(header.rate for header in headers.values() if header is not None),
        [sayable(finding) for finding in findings],
    )


def _guess(entries: Sequence[Entry], findings: list[Finding]) -> str:
    """The language of all texts, by their words."""
    guess = guess_language([entry.text for entry in entries])
    if guess is None or not guess.sure:
        found = f"perhaps {guess.language}" if guess else "no words that tell it"
        findings.append(Finding(UNSURE_LANGUAGE, found, "texts that show their language"))
    return guess.language if guess else ""


def _place(entry: Entry) -> tuple[str, str]:
    return entry.archive, entry.file


def _headers(tree: Tree, entries: Sequence[Entry]) -> Iterator[tuple[tuple[str, str], _Header | None]]:
    """Of each file what its header says; None if it has none that can be read."""
    places = list(dict.fromkeys(map(_place, entries)))
    files = [tree.path(file) for archive, file in places if not archive]
    with ThreadPoolExecutor(_THREADS) as pool:
        plain = [place for place in places if not place[0]]
        yield from zip(plain, pool.map(_header, files), strict=True)
    for archive in dict.fromkeys(archive for archive, _ in places if archive):
        members: dict[str, _Header | None] = {file: None for other, file in places if other == archive}
        for member, content in contents(tree.path(archive), members):
            members[member] = _attempt(_by_soundfile, io.BytesIO(content)) or _attempt(_by_av, io.BytesIO(content))
        yield from (((archive, file), header) for file, header in members.items())


def _header(path: Path) -> _Header | None:
    if path.suffix.lower() == ".g722":
        return _Header(_G722_RATE, 2 * path.stat().st_size / _G722_RATE)
    return _attempt(_by_soundfile, path) or _attempt(_by_av, path)


def _attempt(read: Callable[[Path | io.BytesIO], _Header], source: Path | io.BytesIO) -> _Header | None:
    try:
        return read(source)
    except (OSError, RuntimeError, ValueError, IndexError, TypeError, av.FFmpegError):
        return None


def _by_soundfile(source: Path | io.BytesIO) -> _Header:
    info = sf.info(source)
    return _Header(info.samplerate, info.duration)


def _by_av(source: Path | io.BytesIO) -> _Header:
    with av.open(source, mode="r") as container:
        stream = container.streams.audio[0]
        duration = container.duration / av.time_base if container.duration else 0.0
        return _Header(int(stream.rate or 0), float(duration))
