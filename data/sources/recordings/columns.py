"""Which column of a list is what, by evidence of all rows: files that are there, repetition, languages, words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from configs.schema import Column, Table
from data.audio import AUDIO_EXTENSIONS
from data.corpus import CorpusError
from data.sources.recordings.codes import language_code
from data.sources.recordings.grids import Grid, Row
from data.sources.recordings.tree import Tree

NONE, FOLDER = "none", "folder"
"""In the place of a column: there is none; the folder that a recording lies in."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_AUDIO_NAMES = _words(
    "file_name filename audio_filepath audio_file audio_path audio_filename audio_file_path wav_filename "
    "wav_path wav_file wav filepath file_path path audio file clip clip_name recording sound wavs segment_id "
    "utterance_id utt_id utt recording_id clip_id id name key uid basename stem"
)
_TEXT_NAMES = _words(
    "normalized_text normalised_text normalized_transcription normalized_transcript normalized_sentence "
    "text_normalized normalized text sentence transcription transcript transcriptions caption utterance "
    "prompt words raw_text raw_transcription raw_sentence raw original_text original"
)
_SPEAKER_NAMES = _words(
    "speaker speaker_id speaker_name speaker_ids speakerid client_id spk spk_id spkr voice reader narrator"
)
_LANGUAGE_NAMES = _words("language lang locale language_id lang_id language_code lang_code")
_OTHER_NAMES = _words(
    "duration gender age accent accents accented up_votes down_votes variant segment sentence_id "
    "sentence_domain wav_filesize split begin_time end_time sample_rate sampling_rate emotion style phonemes "
    "phoneme ipa snr dnsmos"
)
_ROLES = ("audio", "text", "speaker", "language")
_INSTEAD = {"speaker": (NONE, FOLDER), "language": (NONE,)}
_NOBODY = re.compile(r"(?i)m|f|male|female|other|[-+]?\d+[.,]\d+|")
_SAMPLE = 2000  # rows whose words are compared


class NoSuchColumn(CorpusError):
    """The settings name a column that a list does not have."""


@dataclass(frozen=True)
class Roles:
    """The columns of a list by number from 0, and how it was seen."""

    audio: int
    texts: tuple[int, ...]
    """The first of them that is not empty is what is said."""
    speaker: int | str = NONE
    language: int | None = None
    width: int = 2
    header: bool = False
    found: int = 0
    """How many rows name a file."""


def roles(grid: Grid, tree: Tree, table: Table) -> list[Roles]:
    """The ways in which the columns of a list can be understood, the likeliest first; none if it names no audio.

    Raises `NoSuchColumn`.
    """
    width = len(grid.names) or _width(grid)
    if not grid.rows or width < 2:
        return []
    folder = grid.file.rpartition("/")[0]
    header = not grid.names and _has_header(grid, width, tree, table)
    names = list(grid.names) or (grid.rows[0].fields if header else [])
    width = max(width, len(names)) if header else width
    body = grid.rows[1:] if header else grid.rows
    if not body:
        return []
    chosen = {role: _number(getattr(table, role), names, width, role) for role in _ROLES}
    if grid.embedded:
        chosen["audio"] = names.index(grid.embedded)
    view = _View(body, width, [_plain(name) for name in names], tree, folder)
    return [replace(found, header=header, width=width) for found in _ways(view, chosen)]


def _has_header(grid: Grid, width: int, tree: Tree, table: Table) -> bool:
    """Whether the first row names the columns: by known names, or as the one row that names no file."""
    if table.header is not None:
        return table.header
    folder, first = grid.file.rpartition("/")[0], grid.rows[0].fields
    if any(tree.find(value, folder).file for value in first):
        return False
    known = {*_AUDIO_NAMES, *_TEXT_NAMES, *_SPEAKER_NAMES, *_LANGUAGE_NAMES}
    named = sum(_plain(value) in known for value in first)
    if named == len(first) or (named and len(grid.rows) > 1):
        return True
    return len(grid.rows) > 2 and _View(grid.rows, width, (), tree, folder).first_row_is_a_header()


def fields_of(row: Row, roles: Roles, delimiter: str | None) -> list[str] | None:
    """The fields of a row, brought to the width of its list; None if they cannot be.

    More fields than that: the text holds the separator. Fewer: only what may be empty is missing.
    """
    fields, surplus = row.fields, len(row.fields) - roles.width
    if surplus > 0:
        if len(roles.texts) != 1 or delimiter is None:
            return _without_empty_end(fields, roles.width)
        k = roles.texts[0]
        return [*fields[:k], _joined(fields[k : k + surplus + 1], delimiter), *fields[k + surplus + 1 :]]
    needed = max(roles.audio, min(roles.texts))
    return [*fields, *[""] * -surplus] if len(fields) > needed else None


def _joined(parts: Sequence[str], delimiter: str) -> str:
    """A text that holds the separator; but of a text and what is read of it, as in LJSpeech, the second."""
    said = [part for part in parts if part]
    if len(said) == len(parts) == 2 and delimiter in "|\t" and _share(*said) >= 0.5:
        return parts[1]
    return said[0] if len(said) == 1 else delimiter.join(parts)


def _share(one: str, other: str) -> float:
    """How many words two texts have in common, from 0 to 1."""
    words, others = set(one.lower().split()), set(other.lower().split())
    return len(words & others) / max(1, len(words), len(others))


def _without_empty_end(fields: Sequence[str], width: int) -> list[str] | None:
    return None if any(fields[width:]) else list(fields[:width])


def _width(grid: Grid) -> int:
    """How many columns a list has: most rows are so wide; separators that stand in texts make some wider."""
    widths = Counter(len(row.fields) for row in grid.rows)
    widths.pop(1, None)
    if not widths:
        return 1
    if grid.delimiter in (",", ";") and not grid.quoting:
        return min(width for width, count in widths.items() if 20 * count >= max(widths.values()))
    return max(widths, key=lambda width: (widths[width], -width))


class _View:
    """What is known of the columns of a list."""

    def __init__(self, rows: Sequence[Row], width: int, names: Sequence[str], tree: Tree, folder: str) -> None:
        self.rows, self.width = rows, width
        self.names = [*names, *[""] * width][:width] if names else []
        whole = [row.fields for row in rows if len(row.fields) == width] or [
            [*row.fields, *[""] * width][:width] for row in rows
        ]
        self.columns = list(zip(*whole, strict=True))
        self.found = [0] * width
        self.files = [[tree.find(value, folder).file for value in column] for column in self.columns]
        self.found = [sum(file is not None for file in files) for files in self.files]
        self.distinct = [len({value for value in column if value}) for column in self.columns]
        self.count = len(whole)

    def first_row_is_a_header(self) -> bool:
        """Whether the first row names no file although nearly all others do, and holds no sentence."""
        audio = max(range(self.width), key=lambda k: self.found[k])
        return (
            self.files[audio][0] is None
            and self.found[audio] >= 0.9 * (self.count - 1)
            and not any(column[0].lower().endswith(AUDIO_EXTENSIONS) for column in self.columns)
            and all(len(column[0].split()) <= 2 for column in self.columns)
            and max(self.words(k) for k in range(self.width)) > 2.5
        )

    def named(self, wanted: Sequence[str]) -> list[int]:
        """Columns with one of these names, in the order of the names."""
        return [self.names.index(name) for name in wanted if name in self.names and self.names.index(name) < self.width]

    def words(self, k: int) -> float:
        values = [value for value in self.columns[k] if value]
        return sum(len(value.split()) for value in values) / max(1, len(values))

    def empty(self, k: int) -> bool:
        return not self.distinct[k]

    def is_language(self, k: int) -> bool:
        values = {value for value in self.columns[k] if value}
        return bool(values) and 2 * len(values) <= max(2, self.count) and all(map(language_code, values))

    def is_repeated(self, k: int) -> bool:
        """Whether its values stand in several rows each, as names of speakers do."""
        return self.distinct[k] > 0 and (self.distinct[k] == 1 or 2 * self.distinct[k] <= self.count)

    def alike(self, a: int, b: int) -> bool:
        """Whether two columns say much the same, as a text and what is read of it do."""
        pairs = list(zip(self.columns[a], self.columns[b], strict=True))[:_SAMPLE]
        shares = [_share(one, other) for one, other in pairs if one and other]
        return sum(shares) >= 0.5 * max(1, len(shares))


def _ways(view: _View, chosen: dict[str, int | str | None]) -> Iterator[Roles]:
    audio = _audio(view) if chosen["audio"] is None else int(chosen["audio"])
    if audio is None:
        return
    language = _language(view, audio, chosen)
    taken = {audio, language, *(k for k in (chosen["text"], chosen["speaker"]) if isinstance(k, int))}
    free = [
        k
        for k in range(view.width)
        if k not in taken and not view.empty(k) and not (view.names and view.names[k] in _OTHER_NAMES)
    ]
    other = [k for k in free if view.files[k] != view.files[audio]]
    free = other if any(not view.is_repeated(k) for k in other) else free
    found = Roles(audio, (), NONE, language, found=view.found[audio])
    speaker = chosen["speaker"]
    if speaker is None and (named := view.named(_SPEAKER_NAMES)) and named[0] in free:
        speaker = named[0]
    free = [k for k in free if k != speaker]
    named = [k for k in view.named(_TEXT_NAMES) if k in free]
    if chosen["text"] is not None:
        text = int(chosen["text"])
        texts = (text, *(k for k in free if k in named or view.alike(k, text)))
        yield from _speakers(view, replace(found, texts=texts), speaker, free)
    elif named:
        yield from _speakers(view, replace(found, texts=tuple(named)), speaker, free if not view.names else [])
    else:
        yield from _unnamed(view, found, speaker, free)


def _unnamed(view: _View, found: Roles, speaker: int | str | None, free: Sequence[int]) -> Iterator[Roles]:
    """Ways to tell text from speaker where no header does."""
    real = [k for k in free if not all(map(_NOBODY.fullmatch, view.columns[k]))] or list(free)
    if speaker is None:
        marked = [k for k in real if all(value.startswith("@") for value in view.columns[k] if value)]
        constant = [k for k in real if view.distinct[k] == 1 and view.count > 1]
        if len(real) > 1 and (marked or (len(constant) == 1 and len(constant) < len(real))):
            speaker = (marked or constant)[0]
            real = [k for k in real if k != speaker]
    real = sorted(
        real, key=lambda k: (view.is_repeated(k) and view.words(k) < 2, -round(view.words(k), 1), -view.distinct[k])
    )
    if not real:
        return
    text, *others = real
    twins = [k for k in others if view.alike(k, text)]
    texts = tuple(sorted((text, *twins), reverse=True))
    rest = [k for k in others if k not in twins]
    likeliest = list(_speakers(view, replace(found, texts=texts), speaker, rest))
    yield from likeliest
    for k in rest:
        if k == likeliest[0].speaker and _clearly(view, text, k):
            continue
        if view.words(k) >= 2 or not _clearly(view, text, k):
            yield from _speakers(view, replace(found, texts=(k,)), speaker, [j for j in (text, *rest) if j != k])


def _clearly(view: _View, text: int, other: int) -> bool:
    """Whether one column is a text, and another is none, beyond doubt."""
    more_words = view.words(text) >= 2.5 and view.words(text) > 1.5 * view.words(other)
    return view.is_repeated(other) and (more_words or view.distinct[text] >= max(4, 3 * view.distinct[other]))


def _speakers(view: _View, way: Roles, speaker: int | str | None, free: Sequence[int]) -> Iterator[Roles]:
    """A way, once for each column that may hold its speakers."""
    if speaker is not None:
        yield replace(way, speaker=speaker)
        return
    rest = [k for k in free if k not in way.texts and not all(map(_NOBODY.fullmatch, view.columns[k]))]
    likely = sorted((k for k in rest if view.is_repeated(k)), key=lambda k: (view.distinct[k] == 1, view.words(k)))
    several = [k for k in likely if view.distinct[k] > 1] or likely
    if several:
        for k in several:
            yield replace(way, speaker=k)
        return
    unclear = [k for k in rest if view.words(k) < 2 and view.distinct[k] > 1]
    yield way
    for k in unclear:
        yield replace(way, speaker=k)


def _audio(view: _View) -> int | None:
    """The column that names files, or would."""
    named = view.named(_AUDIO_NAMES)

    def rank(k: int) -> tuple[float, ...]:
        suffixed = sum(value.lower().endswith(AUDIO_EXTENSIONS) for value in view.columns[k])
        title = -named.index(k) if k in named else -len(_AUDIO_NAMES)
        return view.found[k], suffixed, title, -k

    best = max(range(view.width), key=rank)
    if view.found[best] or best in named or rank(best)[1] >= 0.5 * view.count:
        return best
    ids = [k for k in range(view.width) if view.distinct[k] >= 0.9 * view.count and view.words(k) == 1]
    return ids[0] if ids else None


def _language(view: _View, audio: int, chosen: dict[str, int | str | None]) -> int | None:
    if chosen["language"] is not None:
        return chosen["language"] if isinstance(chosen["language"], int) else None
    used = {audio, chosen["text"], chosen["speaker"]}
    if named := [k for k in view.named(_LANGUAGE_NAMES) if k not in used and not view.empty(k)]:
        return named[0]
    others = [k for k in range(view.width) if k not in used and not view.empty(k)]
    likely = [k for k in others if view.is_language(k) and not view.names]
    return likely[0] if likely and (len(others) > 1 or chosen["text"] is not None) else None


def _number(column: Column | None, names: Sequence[str], width: int, role: str) -> int | str | None:
    """The number, from 0, of a column that the settings name."""
    if column is None or column in _INSTEAD.get(role, ()):
        return column
    if column in names:
        return list(names).index(str(column))
    if isinstance(column, int) and 1 <= column <= width:
        return column - 1
    there = f"1 to {width} ({', '.join(names) or 'no names'})"
    raise NoSuchColumn(f"data.table.{role} = {column!r}: there is no such column; there are {there}")


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().strip("#").lower())
