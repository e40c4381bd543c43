"""Past runs made again from their commits, in a clone with a run of the smallest steps."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.clone import CLI, SMALLEST, Clone

pytestmark = pytest.mark.pipeline
BELONGING = [
    "configs/smoke.yaml",
    "dvc.lock",
    "params.yaml",
    "reports/smoke/identity.json",
    "reports/smoke/metrics.json",
    "reports/smoke/training.csv",
]


def git(clone: Clone, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=clone.folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def reproduce(clone: Clone, *wanted: str, code: int = 0) -> dict[str, Any]:
    process = clone.start(*CLI, "reproduce", *wanted, "--json")
    out, error = process.communicate()
    assert process.returncode == code, error[-5000:]
    verdict: dict[str, Any] = json.loads(out)
    return verdict


class History:
    """A clone whose last commit is the run that it made; `said` is what was said on the way."""

    def __init__(self, folder: Path):
        self.clone = Clone(folder)
        shutil.rmtree(self.clone.folder / "reports", ignore_errors=True)
        self.clone.git("commit", "-qam", "without reports", "--allow-empty")
        self.said: dict[str, Any] = {}
        (self.clone.folder / "README.md").open("a").write("A change that is nobody's business.\n")
        (self.clone.folder / "staged.txt").write_text("staged for another commit")
        self.clone.git("add", "staged.txt")
        settings = [argument for key, value in SMALLEST.items() for argument in ("--set", f"{key}={value}")]
        self.said["run"] = self.clone.run(*settings)
        self.said["uncommitted"] = self.clone.myxtts("reproduce", "@challenger", code=1)
        self.said["commit"] = self.clone.run("--commit")
        self.commit = git(self.clone, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"))


def test_a_run_says_what_to_commit_and_the_commit_has_nothing_else(history: History) -> None:
    clone = history.clone
    assert sorted(history.said["run"]["to_commit"]) == BELONGING
    assert history.said["commit"]["to_commit"] == []
    assert sorted(git(clone, "show", "--name-only", "--format=", "HEAD").split()) == BELONGING
    recipe = clone.challenger()["identity"]["recipe.id"]
    assert git(clone, "log", "-1", "--format=%B") == f"Run smoke: version 1, recipe {recipe[:12]}"
    assert git(clone, "status", "--porcelain").splitlines() == ["M README.md", "A  staged.txt"]


def test_a_version_of_smoke_learns_its_commit(history: History) -> None:
    identity = history.clone.challenger()["identity"]
    assert (identity["commit"], identity["clean"], identity["uncommitted"]) == (history.commit, "true", "")
    assert "configs/smoke.yaml" in history.said["uncommitted"]
    assert "uncommitted changes" in history.said["uncommitted"]


@pytest.mark.parametrize(
    "wanted", [(), pytest.param(("@challenger",), marks=pytest.mark.slow)], ids=["last", "version"]
)
def test_a_run_of_smoke_is_reproduced_to_the_last_bit_beside_an_altered_checkout(
    history: History, wanted: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = history.clone
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    source = clone.folder / "model/layers.py"
    original = source.read_text()
    source.write_text(original.replace("1000.0 **", "2000.0 **"))
    try:
        before = surroundings(clone)
        verdict = reproduce(clone, *wanted)
        assert surroundings(clone) == before
    finally:
        source.write_text(original)
    assert (verdict["verdict"], verdict["cause"], verdict["differences"]) == ("bit-identical", None, [])
    assert verdict["not_compared"] == []
    assert {"mel_l1", "utterances.csv"} <= {row["what"] for row in verdict["results"]}
    assert verdict["commit"] == history.commit
    assert verdict["data"].startswith("from DVC's cache, as recorded")
    assert verdict["kept"].startswith("run ")
    assert "reproductions/" in verdict["kept"]
    assert clone.challenger()["identity"]["reproduced"] == f"bit-identical {verdict['at']}"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("myxtts-")]


def surroundings(clone: Clone) -> dict[str, Any]:
    """What a reproduction must leave as it is."""
    versions = json.loads(clone.myxtts("models", "--json"))
    for version in versions:
        version["identity"].pop("reproduced", None)
    folders = ("checkpoints", "corpora", "reports", ".dvc/cache", ".work", ".zenml-home/stores")
    files = [path for folder in folders for path in (clone.folder / folder).rglob("*") if path.is_file()]
    return {
        "status": git(clone, "status", "--porcelain"),
        "head": git(clone, "rev-parse", "HEAD"),
        "diff": git(clone, "diff", "HEAD"),
        "versions": versions,
        "files": sorted((path.relative_to(clone.folder).as_posix(), path.stat().st_mtime_ns) for path in files),
    }


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def alter(folder: Path) -> None:
        content = (folder / path).read_text()
        assert old in content
        (folder / path).write_text(content.replace(old, new, 1))

    return alter


ALTERATIONS = {
    "the thread count": (replaced("configs/smoke.yaml", "threads: 1", "threads: 2"), "thread count: threads"),
    "a function": (replaced("model/layers.py", "1000.0 **", "2000.0 **"), "code: model/layers.py"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", ALTERATIONS)
def test_a_reproduction_of_smoke_names_the_only_cause(history: History, what: str) -> None:
    alter, cause = ALTERATIONS[what]
    clone = history.clone
    clone.git("stash")
    try:
        alter(clone.folder)
        clone.git("commit", "-qam", "an alteration without a run")
        verdict = reproduce(clone, "HEAD", code=1)
    finally:
        clone.git("reset", "-q", "--hard", history.commit)
        clone.git("stash", "pop", "--index")
    assert (verdict["verdict"], verdict["cause"]) == ("different", cause)
    assert [f"{row['cause']}: {row['name']}" for row in verdict["differences"]] == [cause]
    assert "differ" in verdict["tensors"]["model.safetensors"]


def test_a_reproduction_that_is_stopped_leaves_nothing(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = history.clone.start(*CLI, "reproduce", "HEAD")
    while not list(tmp_path.glob("myxtts-*/checkout/corpora/smoke/*")):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, error
    assert not list(tmp_path.glob("myxtts-*"))


def test_a_diff_tells_two_runs_apart(history: History) -> None:
    clone = history.clone
    same = json.loads(clone.myxtts("diff", "HEAD", "@challenger", "--json"))
    assert (same["differences"], same["results"]) == ([], [])
    try:
        clone.run("--set", "train.steps=3", "--commit")
        for pair in (("HEAD~1", "HEAD"), ("1", "2")):
            told = json.loads(clone.myxtts("diff", *pair, "--json"))
            assert told["differences"] == [{"cause": "config", "name": "train.steps", "past": 2, "now": 3}]
            assert "mel_l1" in {row["what"] for row in told["results"]}
        assert "config: train.steps: commit" in clone.myxtts("diff", "HEAD~1", "HEAD")
    finally:
        clone.git("stash")
        clone.git("reset", "-q", "--hard", history.commit)
        clone.git("stash", "pop", "--index")
        clone.run()


@pytest.mark.slow
def test_a_run_that_is_told_to_stop_goes_on_where_it_was(history: History) -> None:
    clone = history.clone
    process = clone.start(*CLI, "run", "smoke", "--set", "train.steps=5000")
    states = clone.folder / ".work"
    try:
        while not list(states.glob("train_model-*.states/state-*.safetensors")):
            assert process.poll() is None
            time.sleep(0.2)
        os.kill(process.pid, signal.SIGTERM)
        _, error = process.communicate()
        assert process.returncode == 128 + signal.SIGTERM
        assert "stopped by SIGTERM after step" in error
        assert "it will resume from" in error
        assert "Traceback" not in error
        assert list(states.glob("train_model-*.states/state-*.safetensors"))
    finally:
        clone.run("--set", f"train.steps={SMALLEST['train.steps']}")


@pytest.fixture
def ssh_remote(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A DVC remote behind a real SSH server on this machine: its address and the key that opens it."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if sshd is None or os.getuid():
        pytest.fail("this needs root and openssh-server, which `make servers` installs")
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/client.pub\n"
        "PermitRootLogin prohibit-password\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\nPidFile none\n"
    )
    server = subprocess.Popen([sshd, "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=subprocess.DEVNULL)
    try:
        yield {"url": f"ssh://root@127.0.0.1:{port}{tmp_path}/store", "keyfile": str(tmp_path / "client")}
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
def test_a_reproduction_by_a_stranger_fetches_from_a_remote(
    history: History, ssh_remote: dict[str, str], tmp_path: Path
) -> None:
    clone = history.clone
    stranger = copy.copy(clone)
    stranger.folder = tmp_path / "stranger"
    git(clone, "clone", "-q", str(clone.folder), str(stranger.folder))
    dvc = ("-m", "dvc")
    for checkout in (clone, stranger):
        checkout.python(*dvc, "remote", "add", "--local", "--default", "store", ssh_remote["url"])
        checkout.python(*dvc, "remote", "modify", "--local", "store", "keyfile", ssh_remote["keyfile"])
    try:
        clone.python(*dvc, "push", "corpus@smoke", "voice@smoke")
        stranger.python(*dvc, "pull", "corpus@smoke", "voice@smoke")
        assert stranger.checkpoint.read_bytes() == clone.checkpoint.read_bytes()
        shutil.rmtree(stranger.folder / ".dvc/cache")
        verdict = reproduce(stranger)
    finally:
        clone.python(*dvc, "remote", "remove", "--local", "store")
    assert (verdict["verdict"], verdict["not_compared"]) == ("bit-identical", [])
    assert verdict["data"].startswith("pulled from DVC's remote, as recorded")
    kept = f"reports/smoke/reproduction-{history.commit[:12]}.json"
    assert verdict["kept"] == kept
    assert json.loads((stranger.folder / kept).read_text())["verdict"] == "bit-identical"
