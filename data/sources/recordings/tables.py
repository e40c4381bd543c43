"""Recordings that one or more lists name, a row for each: LJSpeech and its many relatives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TypeVar

from configs.schema import Column, Layout, Table
from data.corpus import CorpusError
from data.problems import Finding, Kind
from data.sources.recordings.columns import FOLDER, NONE, NoSuchColumn, Roles, fields_of, roles
from data.sources.recordings.grids import BROKEN_ROW, LIST_SUFFIXES, Grid, read_grids
from data.sources.recordings.reading import Entry, Reading, id_of, speaker_folder
from data.sources.recordings.tree import Tree, without_audio_folder, without_suffix

Given = TypeVar("Given")
Made = TypeVar("Made")

HEADER = Kind("header", "note", "Nothing is to be done: the first row names the columns.")
NO_SPEAKER = Kind("no_speaker", "warning", "Fill in the column; until then they count as spoken by one more speaker.")
FOLDERS = Kind(
    "folders", "warning", "If they are speakers: --speaker-column folder (data.table.speaker); if not: none."
)
UNUSED_COLUMNS = Kind("unused_columns", "note", "If one is the speaker or so, say it: --speaker-column COLUMN.")
UNUSED_LIST = Kind("unused_list", "note", "If these rows are meant, name their list: --file LIST (data.table.files).")

_OTHERS = re.compile(r"(?i)(readme|licen[cs]e|copying|changelog|attribution|requirements|speakers?|findings)\b.*")
_PREFERRED = re.compile(r"(?i)(metadata|validated|train|list|transcripts?|filelist)")
_PARTS_OF_A_CORPUS = re.compile(
    r"(?i)(train|test|valid|validation|val|dev|eval|part|chunk|batch|disc|cd|split|data)[-_ ]?\w?\d*"
)
_TITLES: Mapping[Layout, str] = {
    "table": "a list, as LJSpeech has:",
    "audiofolder": "an audiofolder, as Hugging Face has:",
    "common_voice": "Common Voice:",
}
_COMMON_VOICE = {"client_id", "path", "sentence"}
_COMMON_VOICE_WHOLE = ("validated",)
_COMMON_VOICE_PARTS = ("train", "dev", "test")


@dataclass(frozen=True)
class _List:
    """A list, read in the likeliest dialect."""

    grid: Grid
    ways: Sequence[Roles]

    @property
    def file(self) -> str:
        return self.grid.file


def table_readings(tree: Tree, table: Table) -> list[Reading]:
    """The ways to read the lists of a folder, the likeliest first; none if it has no list of recordings."""
    files = table.files or ([tree.only_list] if tree.only_list else _candidates(tree))
    if lacking := [file for file in files if file not in tree]:
        raise CorpusError("\n".join(f"{tree.path(file)}: not found; it is in data.table.files" for file in lacking))
    lists = [found for found in _attempt(lambda file: _read(tree, file, table), files) if found is not None]
    if not lists:
        return []
    if table.files:
        return _readings(tree, table, lists, [])
    with_audio = [some for some in lists if 2 * some.ways[0].found >= len(some.grid.rows)]
    with_audio += [some for some in lists if some.grid.embedded and some not in with_audio]
    some_audio = with_audio or [some for some in lists if some.ways[0].found]
    groups = _groups(tree, some_audio or [max(lists, key=_rank)])
    readings = [reading for chosen, unused in groups for reading in _readings(tree, table, chosen, unused)]
    if len(groups) > 1:
        choice = f"--file {'|'.join(chosen[0].file for chosen, _ in groups)}"
        readings = [replace(reading, doubts=[*reading.doubts, choice]) for reading in readings]
    return readings


def _candidates(tree: Tree) -> list[str]:
    """The files that may be lists: not those that are called as a recording is."""
    stems = {without_suffix(PurePosixPath(file).name) for file in tree.audio}
    stems |= {stem.rpartition("_mic")[0] for stem in stems}
    return [
        file
        for file in tree.files
        if (path := PurePosixPath(file)).suffix.lower() in LIST_SUFFIXES
        and path.stem.partition(".")[0] not in stems
        and not _OTHERS.fullmatch(path.name)
    ]


def _read(tree: Tree, file: str, table: Table) -> _List | None:
    """A list in the dialect in which most of its rows name a file, and most have the columns that it has."""
    grids = read_grids(tree.path(file), file, table)
    read = [found for found in _attempt(lambda grid: _List(grid, roles(grid, tree, table)), grids) if found.ways]
    return max(read, key=_fit, default=None)


def _attempt(read: Callable[[Given], Made], given: Iterable[Given]) -> list[Made]:
    """What can be made with the columns that the settings name. Raises `NoSuchColumn` if nothing can."""
    made: list[Made] = []
    refusals: list[NoSuchColumn] = []
    for one in given:
        try:
            made.append(read(one))
        except NoSuchColumn as refusal:
            refusals.append(refusal)
    if refusals and not made:
        raise refusals[0]
    return made


def _fit(read: _List) -> tuple[int, int, bool]:
    way = read.ways[0]
    whole = sum(fields_of(row, way, read.grid.delimiter) is not None for row in read.grid.rows)
    return way.found, whole, read.grid.quoting


def _rank(read: _List) -> tuple[int, bool, str]:
    return read.ways[0].found, bool(_PREFERRED.match(PurePosixPath(read.file).name)), read.file


def _groups(tree: Tree, lists: Sequence[_List]) -> list[tuple[list[_List], list[_List]]]:
    """Lists that belong together, and those of the folder that are left out then, for each way to choose them."""
    if voice := [some for some in lists if set(_names(some)) >= _COMMON_VOICE]:
        by_name = {PurePosixPath(some.file).stem: some for some in voice}
        for wanted in (_COMMON_VOICE_WHOLE, _COMMON_VOICE_PARTS):
            if chosen := [by_name[name] for name in wanted if name in by_name]:
                return [(chosen, [])]
    ordered = sorted(lists, key=lambda some: (-_rank(some)[0], not _rank(some)[1], some.file))
    said = {some.file: dict(_said(tree, some)) for some in ordered}
    chosen, unused, rivals = [ordered[0]], [], []
    covered = dict(said[ordered[0].file])
    for some in ordered[1:]:
        own = said[some.file]
        shared = own.keys() & covered.keys()
        if len(shared) <= 0.02 * len(own):
            chosen.append(some)
            covered |= own
        elif all(own[file] == covered[file] for file in shared):
            unused += [some] if len(shared) < len(own) else []
        else:
            rivals.append(some)
    whole = (sorted(chosen, key=lambda some: some.file), unused)
    return [whole, *(([rival], [some for some in ordered if some is not rival]) for rival in rivals)]


def _said(tree: Tree, read: _List) -> list[tuple[str, str]]:
    """Recordings that a list names, and what it says that is said in them."""
    way, folder = read.ways[0], read.file.rpartition("/")[0]
    found = []
    for row in read.grid.rows:
        fields = fields_of(row, way, read.grid.delimiter)
        if fields and (file := tree.find(fields[way.audio], folder).file):
            found.append((file, _text(fields, way)))
    return found


def _text(fields: Sequence[str], way: Roles) -> str:
    return next((fields[k] for k in way.texts if fields[k]), "")


def _readings(tree: Tree, table: Table, lists: Sequence[_List], unused: Sequence[_List]) -> list[Reading]:
    """A reading for each way to understand the columns of the longest list, which is that of the others, too."""
    longest = max(lists, key=lambda some: len(some.grid.rows))
    ways = list(longest.ways)
    readings = [_reading(tree, table, lists, longest, way, unused) for way in ways]
    if table.speaker is None and ways[0].speaker == NONE and (folders := _folders_like_speakers(readings[0])):
        names = [entry.name for entry in readings[0].entries]
        if len({some.file.rpartition("/")[0] for some in lists}) > 1 or all(
            "/" in without_audio_folder(n) for n in names
        ):
            readings.insert(1, _reading(tree, table, lists, longest, replace(ways[0], speaker=FOLDER), unused))
        else:
            said = f"recordings in the folders {', '.join(folders)[:200]}"
            readings[0].findings.append(Finding(FOLDERS, said, "one speaker", file=longest.file))
    doubts = []
    for role in ("audio", "text", "speaker", "language"):
        values = {str(getattr(found.table, role)) for found in readings}
        if len(values) > 1:
            doubts.append(f"--{role}-column {'|'.join(sorted(values))}")
    return [replace(found, doubts=doubts) for found in readings]


def _folders_like_speakers(reading: Reading) -> list[str]:
    """The folders that all recordings lie in, if they are several and not called as parts of a corpus are."""
    folders = Counter(speaker_folder(entry.file) for entry in reading.entries)
    parts = all(_PARTS_OF_A_CORPUS.fullmatch(folder) for folder in folders)
    return [] if len(folders) < 2 or "" in folders or min(folders.values()) < 2 or parts else sorted(folders)


def _reading(
    tree: Tree, table: Table, lists: Sequence[_List], longest: _List, way: Roles, unused: Sequence[_List]
) -> Reading:
    names = _names(longest)

    def column(k: int | str | None) -> Column:
        if k is None or isinstance(k, str):
            return k or NONE
        return names[k] if k < len(names) and names[k] and names.count(names[k]) == 1 else k + 1

    settings = Table(
        files=[some.file for some in lists],
        delimiter=longest.grid.delimiter,
        header=way.header if longest.grid.delimiter else None,
        quoting=longest.grid.quoting if longest.grid.delimiter else None,
        encoding=longest.grid.encoding,
        fix_encoding=table.fix_encoding,
        audio=column(way.audio),
        text=column(way.texts[0]),
        speaker=column(way.speaker),
        language=column(way.language),
    )
    layout = _layout(longest)
    reading = Reading(layout, f"{_TITLES[layout]} {_describe(settings)}", table=settings)
    for some in lists:
        own = next((other for other in some.ways if other.width == way.width), some.ways[0])
        _take_rows(
            reading,
            tree,
            some,
            replace(own, audio=way.audio, texts=way.texts, speaker=way.speaker, language=way.language)
            if own.width == way.width
            else own,
        )
    used = {way.audio, way.speaker, way.language, *way.texts}
    if unused_columns := [str(column(k)) for k in range(way.width) if k not in used]:
        found = f"not used: {', '.join(unused_columns)}"
        reading.findings.append(Finding(UNUSED_COLUMNS, found, "text, speaker, language or audio", file=longest.file))
    for some in unused:
        rows = f"{len(some.grid.rows)} rows that name the same recordings"
        reading.findings.append(Finding(UNUSED_LIST, rows, "one list for each recording", file=some.file))
    return reading


def _take_rows(reading: Reading, tree: Tree, read: _List, way: Roles) -> None:
    grid = read.grid
    reading.findings += grid.findings
    rows = list(grid.rows)
    if way.header:
        names = ", ".join(rows[0].fields)
        reading.findings.append(
            Finding(HEADER, names[:200], "a clip, or names of columns", file=grid.file, row=rows[0].number)
        )
        rows = rows[1:]
    speakers = [
        fields[way.speaker]
        for row in rows
        if isinstance(way.speaker, int) and (fields := fields_of(row, way, grid.delimiter))
    ]
    marked = any(speakers) and all(speaker.startswith("@") for speaker in speakers if speaker)
    for row in rows:
        fields = fields_of(row, way, grid.delimiter)
        if fields is None or not (fields[way.audio] or grid.embedded):
            whole = (grid.delimiter or ", ").join(row.fields)
            found = f"{len(row.fields)} columns: {whole!r}" if fields is None else f"no recording: {whole!r}"
            expected = f"{way.width} columns, the recording in number {way.audio + 1}"
            reading.find(BROKEN_ROW, Entry("", "", "", list=grid.file, row=row.number), found, expected)
        else:
            _take_row(reading, tree, grid, way, row.number, fields, marked)


def _take_row(
    reading: Reading, tree: Tree, grid: Grid, way: Roles, number: int, fields: Sequence[str], marked: bool
) -> None:
    """Take a whole row; `marked` if names of speakers begin with @."""
    name = fields[way.audio]
    speaker = fields[way.speaker].removeprefix("@" if marked else "") if isinstance(way.speaker, int) else ""
    language = fields[way.language] if way.language is not None else ""
    entry = Entry("", name, _text(fields, way), speaker, language, grid.file, number, name)
    if isinstance(way.speaker, int) and not speaker:
        reading.find(NO_SPEAKER, entry, "an empty field", "the speaker's name")
    if grid.embedded and not tree.find(name, grid.file.rpartition("/")[0]).file:
        id = id_of(name or f"{PurePosixPath(grid.file).stem}-{number}")
        reading.entries.append(replace(entry, id=id, file=str(number), archive=grid.file))
        return
    taken = len(reading.entries)
    reading.add(tree, entry)
    if way.speaker == FOLDER and len(reading.entries) > taken:
        reading.entries[-1] = replace(reading.entries[-1], speaker=speaker_folder(reading.entries[-1].file))


def _names(read: _List) -> Sequence[str]:
    if read.grid.names:
        return read.grid.names
    return read.grid.rows[0].fields if read.ways[0].header else []


def _layout(read: _List) -> Layout:
    names = set(_names(read))
    if names >= _COMMON_VOICE:
        return "common_voice"
    return "audiofolder" if "file_name" in names and PurePosixPath(read.file).stem == "metadata" else "table"


def _describe(table: Table) -> str:
    """What a list was taken for, in a line."""
    files = ", ".join(table.files or [])
    separators = {"|": "pipes", "\t": "tabs", ",": "commas", ";": "semicolons", " ": "spaces", ":": "colons"}
    parts = [f"columns between {separators.get(table.delimiter, repr(table.delimiter))}"] if table.delimiter else []
    parts += ["quoted"] if table.quoting else []
    parts += [f"in {table.encoding}"] if table.encoding else []
    parts += ["with a header"] if table.header else []
    roles = ((role, getattr(table, role)) for role in ("audio", "text", "speaker", "language"))
    columns = [f"{role}: {'column ' if isinstance(column, int) else ''}{column}" for role, column in roles]
    return f"{files}: {', '.join([*parts, *columns])}"
