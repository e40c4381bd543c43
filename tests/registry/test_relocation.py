"""Stores that are moved, copied and linked with their checkout, whatever that is called."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from common.environment import stores
from common.files import folder_digests
from common.relocation import RelocationError, follow_mlflow, follow_zenml
from configs.outs import MODEL_FILE
from registry.champions import promote, prune
from registry.evidence import fetched
from registry.isolated import speak_with
from registry.store import find, list_versions, store
from tests.registry.conftest import PRESET, Registry, copied, make_outs

NAMES = ["my proj é", "proj#2", "100%20x", "50%", "it's", 'so "so"', "a&b=c;d"]


def numbers() -> list[int]:
    return sorted(version["version"] for version in list_versions(PRESET))


def wrong_files(version: int) -> dict[str, str]:
    with fetched(find(PRESET, str(version))) as evidence:
        return dict(evidence.wrong)


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and time of every file."""
    digests = folder_digests(folder)
    return {path: (sha256, (folder / path).stat().st_mtime_ns) for path, sha256 in digests.items()}


def test_a_moved_registry_is_listed_promoted_and_spoken_with(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(0.9)
    moved = tmp_path / "elsewhere" / "registry"
    moved.parent.mkdir()
    shutil.move(registry.folder, moved)
    Registry(moved, moved / "mlflow.db").use(monkeypatch)
    assert numbers() == [1, 2]
    assert wrong_files(1) == wrong_files(2) == {}
    entry = promote(PRESET, "2")
    assert entry.decision
    assert entry.decision.outcome == "promoted"
    (answer,) = speak_with(PRESET, None, [{"text": "Good morning."}], int8=False)
    assert answer["audio"]
    assert not registry.folder.exists()


def test_a_copied_registry_is_its_own_and_the_original_stays_untouched(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(0.9)
    registry.register(1.2)
    before = state(registry.folder)
    copy = copied(registry, tmp_path / "copy").use(monkeypatch)
    promote(PRESET, "2")
    prune(PRESET, keep=1)
    made = copy.register_outs(make_outs(tmp_path / "outs", 0.7, {}))
    assert wrong_files(made) == {}
    copy.checkpoint(1 if 1 in numbers() else 2, MODEL_FILE).write_bytes(b"noise")
    assert state(registry.folder) == before
    registry.use(monkeypatch)
    assert numbers() == [1, 2, 3]
    assert wrong_files(2) == {}


def test_a_registry_that_is_reached_by_a_link_is_left_as_it_is(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers()
    before = state(registry.folder)
    (tmp_path / "link").symlink_to(registry.folder)
    Registry(tmp_path / "link", tmp_path / "link" / "mlflow.db").use(monkeypatch)
    assert wrong_files(1) == {}
    assert state(registry.folder) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_registry_works_in_a_folder_called(
    pool: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    registry = copied(pool, tmp_path / name).use(monkeypatch)
    made = registry.register_outs(make_outs(tmp_path / name / "outs", 1.0, {}))
    assert wrong_files(1) == wrong_files(made) == {}
    assert {path.name for path in tmp_path.iterdir()} == {name}
    again = copied(registry, tmp_path / f"{name} again").use(monkeypatch)
    again.checkpoint(1, MODEL_FILE).unlink()
    assert wrong_files(made) == {}
    assert list(wrong_files(1).values()) == [f"served/artifacts/smoke/{MODEL_FILE} is missing"]


def test_a_registry_in_a_folder_with_a_question_mark_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a?b"
    folder.mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stores(folder)["MLFLOW_TRACKING_URI"])
    with pytest.raises(
        RelocationError, match=r"a\?b/\.mlflow/mlflow\.db: a folder with `\?` in its name .*; rename it"
    ):
        store()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_registry_is_relocated_once_by_processes_at_once(registry: Registry, tmp_path: Path) -> None:
    copy = copied(registry, tmp_path / "copy")
    threads = [threading.Thread(target=follow_mlflow, args=(copy.uri,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(sqlite3.connect(copy.database)) as connection:
        found = connection.execute("SELECT artifact_location FROM experiments WHERE name LIKE 'myxtts-%'").fetchall()
    assert found == [((copy.folder / "artifacts").as_uri(),)]


def test_a_registry_that_is_no_database_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlflow.db").write_text("This is no database, but it is long enough to be taken for one.\n" * 20)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(RelocationError, match=r"mlflow\.db cannot be used: file is not a database"):
        list_versions()


def zenml_store(home: Path, texts: list[str]) -> Path:
    """A folder laid out as ZenML lays out its own, whose database has these texts."""
    database = home / "stores" / "default_zen_store" / "zenml.db"
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE artifact_version (id CHAR(32), uri TEXT, size INTEGER)")
        connection.executemany("INSERT INTO artifact_version VALUES ('1', ?, 7)", [(text,) for text in texts])
    content = {"store": {"database": str(database), "url": f"sqlite:///{database}", "ssl": False}, "version": "0.98.0"}
    (home / "config.yaml").write_text(yaml.safe_dump(content))
    return database


def uris(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "stores" / "default_zen_store" / "zenml.db")) as connection:
        return [uri for (uri,) in connection.execute("SELECT uri FROM artifact_version ORDER BY rowid")]


def test_a_copied_zenml_names_its_own_files_and_nothing_else_changes(tmp_path: Path) -> None:
    old, new = tmp_path / "old é" / ".zenml-home", tmp_path / "new%20" / ".zenml-home"
    others = [f"{old}s/x", f"see {old}/x", str(tmp_path), "", f"x{old}"]
    zenml_store(old, [f"{old}/stores/a/", str(old), f"{old.as_uri()}/b", *others])
    before = state(old)
    shutil.copytree(old, new)
    follow_zenml(new)
    assert uris(new) == [f"{new}/stores/a/", str(new), f"{new.as_uri()}/b", *others]
    content = yaml.safe_load((new / "config.yaml").read_text())
    database = new / "stores" / "default_zen_store" / "zenml.db"
    assert content == {
        "store": {"database": str(database), "url": f"sqlite:///{database}", "ssl": False},
        "version": "0.98.0",
    }
    after = state(new)
    follow_zenml(new)
    assert state(new) == after
    assert state(old) == before


def test_a_zenml_on_a_server_is_left_as_it_is(tmp_path: Path) -> None:
    database = zenml_store(tmp_path, [])
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"store": {"url": "https://zenml.example.org"}}))
    before = state(tmp_path)
    follow_zenml(tmp_path)
    assert state(tmp_path) == before
    assert database.is_file()


@pytest.mark.slow
def test_a_moved_zenml_finds_its_artifacts(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    code = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from common.environment import stores
        os.environ |= stores(Path(sys.argv[1]))
        from common.relocation import follow_zenml
        follow_zenml(Path(os.environ["ZENML_CONFIG_PATH"]))
        if sys.argv[2] == "make":
            from zenml import pipeline, step
            @step
            def answer() -> int:
                return 42
            @pipeline
            def asking() -> None:
                answer()
            asking()
        from zenml.client import Client
        (artifact,) = Client().list_artifact_versions().items
        print(artifact.load(), artifact.uri)
    """)
    script = tmp_path / "asking.py"
    script.write_text(code)

    def run(*arguments: str) -> str:
        command = [sys.executable, str(script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1]

    assert run(str(old), "make").startswith(f"42 {old}/.zenml-home/stores/")
    shutil.move(old, new)
    assert run(str(new), "look").startswith(f"42 {new}/.zenml-home/stores/")
    assert not old.exists()
