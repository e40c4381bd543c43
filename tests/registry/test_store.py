"""What the registry says: what is not there, what is gone, and that a store that cannot answer is told of."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow.cli
import pytest
from click.testing import CliRunner

from common.errors import Unanswerable
from registry.champions import examine, history, promote, prune, rollback
from registry.isolated import speak_with
from registry.registration import register
from registry.store import CHALLENGER, NoSuchModel, StoreError, default_preset, find, list_versions, store, store_exists
from tests.registry.conftest import NAME, PRESET, Registry


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """A server that has just gone."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:secret@127.0.0.1:{port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "ask",
    [
        list_versions,
        default_preset,
        lambda: find(PRESET, "1"),
        lambda: find(PRESET, "@champion"),
        lambda: history(PRESET),
        lambda: examine(PRESET, "1"),
        lambda: promote(PRESET, "1"),
        lambda: rollback(PRESET),
        lambda: prune(PRESET, 1),
        lambda: register(PRESET, "a run", {}),
        lambda: speak_with(PRESET, None, [{"text": "Hello."}], int8=False),
    ],
    ids=["list", "default", "find", "alias", "history", "examine", "promote", "rollback", "prune", "register", "speak"],
)
def test_a_registry_that_cannot_be_reached_is_told_of(nowhere: str, ask: Callable[[], Any]) -> None:
    with pytest.raises(StoreError) as told:
        ask()
    message = str(told.value)
    assert message.startswith(f"the registry at {nowhere} cannot answer: ")
    assert "refused" in message
    assert "secret" not in message
    assert "\n" not in message


def test_a_registry_of_a_newer_mlflow_is_told_of(registry: Registry) -> None:
    with closing(sqlite3.connect(registry.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'f00f00f00f00'")
    with pytest.raises(StoreError, match=r"its schema is f00f00f00f00, .* expects .*: a newer MLflow made it") as told:
        list_versions()
    assert "\n" not in str(told.value)


def test_a_registry_of_an_older_mlflow_says_how_it_is_mended(registry: Registry) -> None:
    with closing(sqlite3.connect(registry.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    with pytest.raises(
        StoreError, match=r"its schema is 451aebb31d03, .*: `mlflow db upgrade 'sqlite:///.*'` mends it"
    ):
        list_versions()


@pytest.mark.usefixtures("registry")
def test_a_version_whose_run_is_gone_is_listed_as_that() -> None:
    promote(PRESET, "1")
    run = str(find(PRESET, "1").run_id)
    store().delete_run(run)
    (version,) = list_versions()
    assert version["fault"] == ""  # it is in the trash, and can be brought back
    done = CliRunner().invoke(mlflow.cli.gc, ["--backend-store-uri", mlflow.get_tracking_uri(), "--run-ids", run])
    assert done.exit_code == 0, done.output
    (version,) = list_versions()
    assert (version["version"], version["aliases"]) == (1, ["champion"])
    assert version["fault"] == "its run is gone"
    assert version["metrics"] == {}
    assert version["identity"]["commit"] == "c0ffee"
    _, verdicts = examine(PRESET, "1")
    found = {verdict.gate: str(verdict.found) for verdict in verdicts if not verdict.passed}
    assert found["hard_ended_percent"] == found["mel_l1"] == "not measured"
    assert "utterances.json is missing" in found["files"]


def test_a_champion_that_was_deleted_by_hand_is_none(registry: Registry) -> None:
    better = registry.register(0.9)
    promote(PRESET, "1")
    store().set_registered_model_alias(NAME, CHALLENGER, str(better))
    store().delete_model_version(NAME, "1")
    assert [(version["version"], version["aliases"]) for version in list_versions()] == [(better, [CHALLENGER])]
    with pytest.raises(NoSuchModel, match="myxtts-smoke has no champion: the alias of version 1 is gone"):
        speak_with(PRESET, None, [{"text": "Hello."}], int8=False)
    with pytest.raises(NoSuchModel, match="has no champion"):
        rollback(PRESET)
    entry = promote(PRESET, str(better))
    assert entry.decision
    assert (entry.decision.outcome, entry.decision.before) == ("promoted", None)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("preset", ["it's", 'so "so"', "a/b", "a:b", "nosuch", "é"])
def test_a_preset_that_has_no_model_is_named(preset: str) -> None:
    for ask in (lambda: find(preset, "1"), lambda: promote(preset, "@challenger")):
        with pytest.raises(NoSuchModel) as told:
            ask()
        assert str(told.value).startswith(f"there is no model myxtts-{preset};")


@pytest.mark.usefixtures("registry")
def test_versions_of_what_cannot_be_a_preset_are_not_asked_for() -> None:
    with pytest.raises(Unanswerable, match="there is no model myxtts-it's; `myxtts models` lists what there is"):
        list_versions("it's")
    assert list_versions("nosuch") == []


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("wanted", ["7", "0", "-1", "x", "", "@", "@champion", "@it's", "9" * 30, "1 or 1"])
def test_a_version_that_is_not_there_is_named(wanted: str) -> None:
    with pytest.raises(NoSuchModel) as told:
        find(PRESET, wanted)
    assert str(told.value).startswith(f"myxtts-smoke has no version {wanted};")


@pytest.mark.usefixtures("registry")
def test_the_default_preset_is_that_of_the_newest_version() -> None:
    assert default_preset() == PRESET
    store().create_registered_model("myxtts-demo")
    store().create_model_version("myxtts-demo", "nowhere:/")
    promote(PRESET, "1")  # an entry of a ledger is no version
    assert default_preset() == "demo"


def test_a_registry_that_is_not_there_is_not_made_by_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert not store_exists()
    with pytest.raises(NoSuchModel, match="No model is registered yet; `myxtts run` makes one"):
        default_preset()
    assert list(tmp_path.iterdir()) == []
