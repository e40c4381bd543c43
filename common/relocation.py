"""Stores that follow their checkout: moved, they are found again; copied, each has files of its own.

MLflow and ZenML write down as absolute paths where their files lie. Ours lie beside the database, so that a path that
leads elsewhere is from before a move, and names the same file here.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from common.errors import Unanswerable
from common.files import replacing

ARTIFACTS = "artifacts"
"""Folder beside MLflow's database with the files of all runs and versions."""

_SQLITE = "sqlite:///"
_ZENML_DATABASE = Path("stores", "default_zen_store", "zenml.db")  # in ZenML's folder


class RelocationError(Unanswerable):
    """A store that cannot be made to follow its checkout."""


def relocate_stores() -> None:
    """Have the stores that the environment names follow this checkout, if it was moved or copied.

    To be called before MLflow or ZenML is imported. Raises `RelocationError`.
    """
    follow_mlflow(os.environ["MLFLOW_TRACKING_URI"])
    follow_zenml(Path(os.environ["ZENML_CONFIG_PATH"]))


def follow_mlflow(uri: str) -> None:
    """Have a database of MLflow's name the files that lie beside it. Raises `RelocationError`."""
    database = database_of(uri)
    if database is None or not database.is_file():
        return
    with _telling(database):
        for artifacts in _artifact_folders(database):
            _relocate_database(database, artifacts, database.parent / ARTIFACTS)


def follow_zenml(home: Path) -> None:
    """Have the database and the configuration in a folder of ZenML's name what lies there. Raises `RelocationError`."""
    config, database = home / "config.yaml", home / _ZENML_DATABASE
    if not config.is_file() or not database.is_file():
        return
    with _telling(config):
        content = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
        stored = str((content.get("store") or {}).get("database") or "")
        if not stored.endswith(f"/{_ZENML_DATABASE}"):
            return  # a server's, or one of somebody's own choice
        old = Path(stored.removesuffix(f"/{_ZENML_DATABASE}"))
        if _is_same(old, home):
            return
        _relocate_database(database, old, home)
        content["store"] = {key: _moved(value, old, home) for key, value in content["store"].items()}
        with replacing(config) as temporary:  # last, since it says that all is done
            temporary.write_text(yaml.safe_dump(content), encoding="utf-8")


def database_of(uri: str) -> Path | None:
    """The file of a database of SQLite's; None for other stores. Raises `RelocationError` for what no URI can name."""
    if not uri.startswith(_SQLITE):
        return None
    path = uri.removeprefix(_SQLITE)
    if "?" in path:
        raise RelocationError(f"{path}: a folder with `?` in its name cannot hold a database of MLflow's; rename it")
    return Path(path)


def _artifact_folders(database: Path) -> list[Path]:
    """Where the experiments of this project have their files, if not beside the database."""
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
            return []
        rows = connection.execute("SELECT DISTINCT artifact_location FROM experiments WHERE name LIKE 'myxtts-%'")
        folders = [Path(urllib.parse.unquote(urllib.parse.urlsplit(uri).path)) for (uri,) in rows if _is_file(uri)]
    here = database.parent / ARTIFACTS
    return [folder for folder in folders if folder.name == ARTIFACTS and not _is_same(folder, here)]


def _relocate_database(database: Path, old: Path, new: Path) -> None:
    """Have all text that names `old`, or what lies in it, as a path or a URI, name the same in `new`, or none of it."""
    with contextlib.closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # another process that does the same waits, and finds nothing to do
        for table, column in _text_columns(connection):
            for before, after in ((str(old), str(new)), (old.as_uri(), new.as_uri())):
                connection.execute(
                    f'UPDATE "{table}" SET "{column}" = :after || substr("{column}", length(:before) + 1) '
                    f"""WHERE "{column}" = :before OR substr("{column}", 1, length(:before) + 1) = :before || '/'""",
                    {"before": before, "after": after},
                )
        connection.execute("COMMIT")


def _text_columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for _, column, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
            if "CHAR" in kind.upper() or "TEXT" in kind.upper():
                yield table, column


def _moved(value: Any, old: Path, new: Path) -> Any:
    return value.replace(f"{old}/", f"{new}/", 1) if isinstance(value, str) else value


def _is_file(uri: str | None) -> bool:
    return bool(uri) and str(uri).startswith("file:///")


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one folder, perhaps by a link."""
    return one == other or (one.exists() and other.exists() and one.samefile(other))


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, yaml.YAMLError) as error:
        raise RelocationError(f"{path} cannot be used: {' '.join(str(error).split())}") from error
