"""The registry on a team's MLflow server with PostgreSQL behind it, and a version behind `mlflow models serve`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from registry.champions import history, promote, rollback
from tests.registry.conftest import PRESET, Registry
from tests.registry.promoters import ended, start_promotion
from tests.registry.test_champions import champion, outcomes
from tests.registry.test_served_model import MALFORMED, TEXT, decoded, offline

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class TeamRegistry(Registry):
    """A registry behind a server."""

    server: str

    @property
    def uri(self) -> str:
        return self.server


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def answering(command: list[str], url: str, log: Path) -> Iterator[str]:
    """A server, from its first answer to the end of the block."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # MLflow starts programs by name
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, env=os.environ | {"PATH": path}
        )
    try:
        for _ in range(600):
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(url, timeout=5).ok:
                    break
            assert process.poll() is None, log.read_text()[-3000:]
            time.sleep(0.2)
        else:
            pytest.fail(log.read_text()[-3000:])
        yield url.rpartition("/")[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait()


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a database of PostgreSQL's, on this machine only."""
    programs = [shutil.which("initdb"), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))]
    if not any(programs):
        pytest.fail("PostgreSQL is missing; `make servers` installs it")
    initdb = Path(next(program for program in programs if program))
    folder, port = Path(tempfile.mkdtemp()), free_port()
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to be run by root
    if user:
        shutil.chown(folder, user)
    control = [str(initdb.with_name("pg_ctl")), "-D", str(folder / "data"), "-l", str(folder / "log"), "-w"]
    subprocess.run([initdb, "-D", folder / "data", "-U", "team", "-A", "trust"], check=True, user=user, cwd=folder)
    options = f"-h 127.0.0.1 -p {port} -k {folder}"
    subprocess.run([*control, "-o", options, "start"], check=True, user=user, cwd=folder)
    try:
        yield f"postgresql://team@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, user=user, cwd=folder)
        shutil.rmtree(folder)


@pytest.fixture
def team(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TeamRegistry]:
    """An empty registry on `mlflow server`, used as a member of the team uses it."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", postgres, "--workers", "2"]
    command += ["--artifacts-destination", str(tmp_path / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    with answering(command, f"http://127.0.0.1:{port}/health", tmp_path / "log") as server:
        registry = TeamRegistry(tmp_path, tmp_path, server)
        registry.use(monkeypatch)
        yield registry


def test_a_team_shares_champions_and_ledger_on_a_server(team: TeamRegistry) -> None:
    first, worse, better = team.register(1.0), team.register(1.3), team.register(0.9)
    for version in (first, worse, better):
        promote(PRESET, str(version))
    rollback(PRESET)
    assert outcomes() == [
        ("promoted", first, first),
        ("refused", worse, first),
        ("promoted", better, better),
        ("rolled back", first, first),
    ]
    assert champion() == first
    before = len(history(PRESET))
    versions = [team.register(0.8), team.register(0.7)]
    promoters = [start_promotion(version) for version in versions]
    assert [ended(promoter) for promoter in promoters] == [0, 0]
    entries = history(PRESET)[before:]
    assert sorted(entry.version for entry in entries) == versions
    assert all(entry.closed for entry in entries)
    decisions = [entry.decision for entry in entries if entry.decision]
    assert decisions[0].before == first
    assert decisions[1].before == decisions[0].champion
    # Whichever was first, the better one, registered last, stays.
    assert champion() == decisions[1].champion == max(versions)


NO_ROWS = ["", "{", "[]", "{}", '{"dataframe_records": [{"txt": "Hello."}]}']


def post(url: str, body: str) -> requests.Response:
    return requests.post(f"{url}/invocations", body, headers={"Content-Type": "application/json"}, timeout=300)


def ask(url: str, row: dict[str, Any]) -> requests.Response:
    return post(url, json.dumps({"dataframe_records": [row]}))


def test_a_served_champion_says_what_is_said_offline(registry: Registry, tmp_path: Path) -> None:
    promote(PRESET, "1")
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/myxtts-smoke@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with answering(command, f"http://127.0.0.1:{port}/ping", tmp_path / "log") as url:
        rows: list[dict[str, Any]] = [{"text": TEXT, "seed": k % 4} for k in range(32)]
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda row: ask(url, row), [*rows, *(row for row, _ in MALFORMED)]))
        folder = registry.checkpoint(1, "model.safetensors").parent
        said = [offline(folder, seed) for seed in range(4)]
        for row, answer in zip(rows, answers, strict=False):
            (spoken,) = answer.json()["predictions"]
            assert spoken["error"] == ""
            assert np.array_equal(decoded(spoken["audio"]), said[row["seed"]])
        for (_, message), answer in zip(MALFORMED, answers[len(rows) :], strict=True):
            # MLflow itself refuses what is not of the schema.
            assert answer.status_code == 400 or message in answer.json()["predictions"][0]["error"], answer.text
        assert [post(url, body).status_code for body in NO_ROWS] == [400] * len(NO_ROWS)
        assert requests.get(f"{url}/ping", timeout=10).ok
        (again,) = ask(url, rows[0]).json()["predictions"]
        assert np.array_equal(decoded(again["audio"]), said[0])
