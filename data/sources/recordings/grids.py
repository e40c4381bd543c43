"""Lists as rows of fields: text with separators in every dialect, JSON lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pyarrow.parquet

from configs.schema import Table
from data.problems import Finding, Kind
from data.sources.recordings.archives import embedding
from data.sources.recordings.encodings import decode

TEXT_SUFFIXES = (".csv", ".txt", ".tsv", ".list", ".lst", ".psv", ".tab", ".data", ".meta")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
LIST_SUFFIXES = (*TEXT_SUFFIXES, *JSON_SUFFIXES, ".parquet")

BROKEN_ROW = Kind("broken_row", "error", "Correct these rows of the list.")

SEPARATORS = "|\t;,"
"""Between columns, in order of preference."""

_FESTIVAL = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)')  # a line of txt.done.data
_FIRST_ONLY = ": "  # what separates a name from a text in which it is no separator
_LONGEST_FIELD = 1 << 24


class Row(NamedTuple):
    """The fields of a row, without white space around them."""

    number: int
    fields: list[str]


@dataclass(frozen=True)
class Grid:
    """One way in which a list can be read."""

    file: str
    rows: Sequence[Row]
    names: Sequence[str] = ()
    """Of the columns, where the format itself has them."""
    delimiter: str | None = None
    quoting: bool = False
    encoding: str | None = None
    findings: list[Finding] = field(default_factory=list)
    embedded: str | None = None
    """The column that holds the recordings themselves."""


def read_grids(path: Path, file: str, table: Table) -> list[Grid]:
    """The ways in which a list can be read, as far as the settings leave them open; none if it has no columns."""
    suffix = PurePosixPath(file).suffix.lower()
    if suffix == ".parquet":
        return _read_parquet(path, file)
    content = path.read_bytes()
    decoded = decode(content, file, table.encoding, table.fix_encoding)
    text, findings = decoded.text, decoded.findings
    if suffix in JSON_SUFFIXES:
        grid = _read_json(text, file)
        return [Grid(grid.file, grid.rows, grid.names, findings=findings + grid.findings)] if grid.rows else []
    return [
        Grid(grid.file, grid.rows, (), grid.delimiter, grid.quoting, decoded.encoding, findings + grid.findings)
        for grid in _dialects(text, file, table)
    ]


def _dialects(text: str, file: str, table: Table) -> Iterator[Grid]:
    lines = _lines(text)
    if not lines:
        return
    if all(festival := [_FESTIVAL.fullmatch(line.strip()) for _, line in lines]):
        pairs = zip(lines, festival, strict=True)
        yield Grid(file, [Row(n, [found[1], found[2].replace('\\"', '"')]) for (n, _), found in pairs if found])
        return
    for delimiter in [table.delimiter] if table.delimiter else [*SEPARATORS, *_FIRST_ONLY]:
        if table.delimiter is None and 2 * sum(delimiter in line for _, line in lines) < len(lines):
            continue
        split = _splitter(lines, delimiter)
        rows = [Row(number, [value.strip() for value in split(line)]) for number, line in lines]
        quoted = None
        if table.quoting is not False and delimiter not in _FIRST_ONLY and _opens(delimiter).search(text):
            quoted = _quoted(text, file, delimiter, lines, insist=table.quoting is True)
        if quoted is not None:
            yield quoted
        if table.quoting is not True or quoted is None:
            yield Grid(file, rows, delimiter=delimiter)


def _quoted(text: str, file: str, delimiter: str, lines: Sequence[tuple[int, str]], insist: bool) -> Grid | None:
    """The list with "quoted" fields, or None if its quotes are part of its texts."""
    for escape in (None, "\\"):
        try:
            rows = list(_csv_rows(text, delimiter, escape))
        except csv.Error:
            continue
        return Grid(file, rows, delimiter=delimiter, quoting=True)
    rows, broken = [], []
    quotes = 0
    for number, line in lines:
        quotes += bool(_opens(delimiter).search(line))
        try:
            rows += [Row(number, row.fields) for row in _csv_rows(line, delimiter, None)]
        except csv.Error as error:
            found = f"{line[:60]!r}: {str(error).replace(delimiter, 'separator')}"
            broken.append(Finding(BROKEN_ROW, found, "a closing quote for each opening one", file=file, row=number))
    return (
        Grid(file, rows, delimiter=delimiter, quoting=True, findings=broken)
        if insist or 10 * len(broken) < quotes
        else None
    )


def _opens(delimiter: str) -> re.Pattern[str]:
    """A quote at the beginning of a field."""
    return re.compile(rf'(?:^|{re.escape(delimiter)})[^\S\t]*"', re.MULTILINE)


def _csv_rows(text: str, delimiter: str, escape: str | None) -> Iterator[Row]:
    """The rows with the lines that they begin on; raises `csv.Error` if a quote is out of place."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        skipinitialspace=True,
        strict=True,
        escapechar=escape,
        doublequote=escape is None,
    )
    first = 1
    for fields in reader:
        if any(value.strip() for value in fields):
            yield Row(first, [value.strip() for value in fields])
        first = reader.line_num + 1


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines that are not empty, counted from 1."""
    return [(n, line) for n, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1) if line.strip()]


def _splitter(lines: Sequence[tuple[int, str]], delimiter: str) -> Callable[[str], list[str]]:
    """How an unquoted line falls into fields."""
    if delimiter in _FIRST_ONLY:
        return lambda line: line.split(delimiter, 1)
    # If every line has others, a comma or semicolon before a space belongs to a text.
    separator = re.compile(rf"{re.escape(delimiter)}(?!\s)")
    if delimiter in ",;" and all(separator.search(line) for _, line in lines):
        return separator.split
    return lambda line: line.split(delimiter)


def _read_json(text: str, file: str) -> Grid:
    """JSON lines, or one array, of objects."""
    rows, findings = [], []
    if text.lstrip().startswith("["):
        try:
            entries = list(enumerate(json.loads(text), start=1))
        except (ValueError, RecursionError):
            entries = []
    else:
        entries = []
        for number, line in _lines(text):
            try:
                entries.append((number, json.loads(line)))
            except (ValueError, RecursionError) as error:
                findings.append(
                    Finding(BROKEN_ROW, f"{line[:60]!r}: {error}", "an object in JSON", file=file, row=number)
                )
    for number, entry in entries:
        if isinstance(entry, dict):
            rows.append((number, entry))
        else:
            findings.append(Finding(BROKEN_ROW, f"{str(entry)[:60]!r}", "an object in JSON", file=file, row=number))
    return _grid_of_objects(file, rows, findings)


def _read_parquet(path: Path, file: str) -> list[Grid]:
    try:
        with pyarrow.parquet.ParquetFile(path) as parquet:
            column = embedding(parquet.schema_arrow)
            names = [name for name in parquet.schema_arrow.names if name != column]
            plain = parquet.read(columns=[*names, *([f"{column}.path"] if column else [])]).to_pylist()
    except (OSError, ValueError) as error:
        return [Grid(file, [], findings=[Finding(BROKEN_ROW, str(error), "a file in Parquet", file=file)])]
    rows = [{column: None, **row} if column else row for row in plain]
    grid = _grid_of_objects(file, list(enumerate(rows, start=1)), [])
    return [replace(grid, embedded=column)]


def _grid_of_objects(file: str, rows: Sequence[tuple[int, Mapping[str, Any]]], findings: list[Finding]) -> Grid:
    names = list(dict.fromkeys(name for _, entry in rows for name in entry))
    fields = [Row(number, [_text(entry.get(name)) for name in names]) for number, entry in rows]
    return Grid(file, fields, names, findings=findings)


def _text(value: object) -> str:
    """A value as text; of an audio object, as Hugging Face writes it, the path."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return str(value.get("path") or "")
    return str(value).strip()
