"""Recordings that lie inside of one file: in a tar, as Shar has them, or in Parquet, as Hugging Face has them."""

from __future__ import annotations

import tarfile
from collections.abc import Container, Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet


def contents(archive: Path, members: Container[str]) -> Iterator[tuple[str, bytes]]:
    """Those of the members that can be read, by name; of Parquet, a member is called as its row is counted, from 1."""
    yield from _of_parquet(archive, members) if archive.suffix.lower() == ".parquet" else _of_tar(archive, members)


def embedding(schema: pyarrow.Schema) -> str | None:
    """The column that holds recordings: objects with `bytes`."""
    for column in schema:
        if pyarrow.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
            return str(column.name)
    return None


def _of_parquet(archive: Path, members: Container[str]) -> Iterator[tuple[str, bytes]]:
    with pyarrow.parquet.ParquetFile(archive) as file:
        column = embedding(file.schema_arrow)
        row = 0
        for batch in file.iter_batches(batch_size=64, columns=[column]):
            for audio in batch.column(0):
                row += 1
                if str(row) in members and audio.is_valid and audio["bytes"].is_valid:
                    yield str(row), audio["bytes"].as_py()


def _of_tar(archive: Path, members: Container[str]) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.name in members else None
                if content is not None:
                    yield member.name, content.read()
    except (tarfile.TarError, EOFError):
        return  # torn: what it lacks is missed where it is needed
