"""Past runs made again from their commits, in a clone with a run of the smallest steps."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
import yaml

from tests.pipelines.clone import Clone

CLI = ("-m", "commands.main")
SMALLEST = {
    "train.steps": 2,
    "vocoder.pitch_steps": 1,
    "vocoder.filter_steps": 1,
    "evaluation.sentences": 1,
    "evaluation.far_sentences": 1,
    "evaluation.hard_sentences": 1,
    "evaluation.audio_examples": 1,
}
BELONGING = [
    "configs/smoke.yaml",
    "dvc.lock",
    "reports/smoke/metrics.json",
    "reports/smoke/training.csv",
]


def git(clone: Clone, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=clone.folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def reproduce(clone: Clone, wanted: str = "HEAD", code: int = 0) -> dict[str, Any]:
    process = clone.start(*CLI, "reproduce", wanted, "--preset", "smoke", "--json")
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
        self.said["uncommitted"] = self.clone.python(*CLI, "reproduce", "@challenger", "--preset", "smoke", code=1)
        self.said["commit"] = self.clone.run("--commit")
        self.commit = git(self.clone, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"))


def test_a_run_says_what_to_commit_and_commits_nothing_else(history: History) -> None:
    clone = history.clone
    assert sorted(history.said["run"]["to_commit"]) == BELONGING
    assert history.said["commit"]["to_commit"] == []
    assert sorted(git(clone, "show", "--name-only", "--format=", "HEAD").split()) == BELONGING
    recipe = clone.challenger()["identity"]["recipe.id"]
    assert git(clone, "log", "-1", "--format=%B") == f"Run smoke: version 1, recipe {recipe[:12]}"
    assert git(clone, "status", "--porcelain").splitlines() == ["M README.md", "A  staged.txt"]


def test_a_version_learns_its_commit(history: History) -> None:
    identity = history.clone.challenger()["identity"]
    assert (identity["commit"], identity["clean"], identity["uncommitted"]) == (history.commit, "true", "")
    assert "configs/smoke.yaml" in history.said["uncommitted"]
    assert "uncommitted changes" in history.said["uncommitted"]


def test_a_run_of_uncommitted_code_is_not_committed(history: History) -> None:
    source = history.clone.folder / "model/layers.py"
    original = source.read_text()
    source.write_text(original + "# changed\n")
    try:
        error = history.clone.python(*CLI, "run", "smoke", "--commit", code=1)
    finally:
        source.write_text(original)
    assert "not committed; commit them first: model/layers.py" in error
    assert git(history.clone, "rev-parse", "HEAD") == history.commit


@pytest.mark.parametrize("wanted", ["HEAD", pytest.param("@challenger", marks=pytest.mark.slow)])
def test_a_run_is_made_again_to_the_last_bit_beside_an_altered_checkout(
    history: History, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = history.clone
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    source = clone.folder / "model/layers.py"
    original = source.read_text()
    source.write_text(original.replace("1000.0 **", "2000.0 **"))
    try:
        before = surroundings(clone)
        verdict = reproduce(clone, wanted)
        assert surroundings(clone) == before
    finally:
        source.write_text(original)
    assert (verdict["verdict"], verdict["cause"], verdict["differences"]) == ("bit-identical", None, [])
    assert verdict["not_compared"] == []
    assert {"mel_l1", "utterances.csv"} <= {row["what"] for row in verdict["results"]}
    assert verdict["commit"] == history.commit
    assert verdict["data"].startswith("from DVC's cache, as recorded")
    assert verdict["kept"].startswith("run ") and "reproductions/" in verdict["kept"]
    assert clone.challenger()["identity"]["reproduced"] == f"bit-identical {verdict['at']}"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("myxtts-")]
    assert len(git(clone, "worktree", "list").splitlines()) == 1


def surroundings(clone: Clone) -> dict[str, Any]:
    """What a reproduction must leave as it is."""
    versions = json.loads(clone.python(*CLI, "models", "--json"))
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
    "a setting": (
        replaced("configs/smoke.yaml", "learning_rate: 1.0e-3", "learning_rate: 2.0e-3"),
        "config: train.learning_rate",
    ),
    "the seed": (replaced("configs/smoke.yaml", "seed: 1", "seed: 2"), "seed: seed"),
    "the thread count": (replaced("configs/smoke.yaml", "threads: 1", "threads: 2"), "thread count: threads"),
    "a function": (replaced("model/layers.py", "1000.0 **", "2000.0 **"), "code: model/layers.py"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", ALTERATIONS)
def test_what_was_changed_alone_is_named_alone(history: History, what: str) -> None:
    alter, cause = ALTERATIONS[what]
    clone = history.clone
    clone.git("stash")
    alter(clone.folder)
    clone.git("commit", "-qam", "an alteration without a run")
    try:
        verdict = reproduce(clone, code=1)
    finally:
        clone.git("reset", "-q", "--hard", history.commit)
        clone.git("stash", "pop", "--index")
    assert (verdict["verdict"], verdict["cause"]) == ("different", cause)
    assert [f"{row['cause']}: {row['name']}" for row in verdict["differences"]] == [cause]
    assert "differ" in verdict["tensors"]["model.safetensors"]


@pytest.mark.slow
def test_another_package_is_named(history: History) -> None:
    clone = history.clone
    pin = next(line for line in (clone.folder / "requirements.lock").read_text().splitlines() if "tabulate==" in line)
    clone.git("stash")
    replaced("requirements.lock", pin, "tabulate==0.0.1")(clone.folder)
    clone.git("commit", "-qam", "another lock file without a run")
    try:
        verdict = reproduce(clone, code=1)
    finally:
        clone.git("reset", "-q", "--hard", history.commit)
        clone.git("stash", "pop", "--index")
    assert verdict["cause"] == "lock file: requirements.lock"
    library = {"cause": "library", "name": "tabulate", "past": "0.0.1", "now": pin.partition("==")[2]}
    assert library in verdict["differences"]
    assert len(verdict["differences"]) == 2


@pytest.mark.slow
def test_a_sample_of_one_recording_is_named(history: History) -> None:
    clone = history.clone
    recording = sorted((clone.folder / "corpora/smoke/audio").glob("*.flac"))[0]
    name = f"audio/{recording.name}"
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())
    cache = clone.folder / ".dvc/cache/files/md5"
    corpus = lock["stages"]["corpus@smoke"]["outs"][0]["md5"]
    listing = json.loads((cache / corpus[:2] / corpus[2:]).read_text())
    md5 = next(row["md5"] for row in listing if row["relpath"] == name)
    cached = cache / md5[:2] / md5[2:]
    original, mode = cached.read_bytes(), stat.S_IMODE(cached.stat().st_mode)
    samples, rate = sf.read(recording, dtype="int16")
    samples[len(samples) // 2] += 64
    cached.chmod(0o644)
    sf.write(str(cached), samples, rate, format="FLAC", subtype="PCM_16")
    cached.chmod(mode)
    try:
        verdict = reproduce(clone, code=1)
    finally:
        cached.chmod(0o644)
        cached.write_bytes(original)
        cached.chmod(mode)
    assert verdict["cause"] == f"data: {name}"
    assert {row["cause"] for row in verdict["differences"]} == {"data"}
    assert "but recorded was" in verdict["data"]


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        ("nowhere", 2, "there is no commit 'nowhere' in this clone"),
        ("99", 2, "myxtts-smoke has no version 99"),
        ("@champion", 2, "myxtts-smoke has no version @champion"),
        ("HEAD~1", 1, "has no dvc.lock: it records no run"),
    ],
)
def test_what_is_not_there_is_said(history: History, wanted: str, code: int, message: str) -> None:
    assert message in history.clone.python(*CLI, "reproduce", wanted, "--preset", "smoke", code=code)
    assert message in history.clone.python(*CLI, "diff", "HEAD", wanted, "--preset", "smoke", code=code)


def test_a_commit_without_a_run_of_the_preset_names_those_that_it_has(history: History) -> None:
    assert "no run of preset 'demo'; it records smoke" in history.clone.python(*CLI, "reproduce", "HEAD", code=1)


def test_a_stopped_reproduction_leaves_nothing(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = history.clone.start(*CLI, "reproduce", "HEAD", "--preset", "smoke")
    while not list(tmp_path.glob("myxtts-*/checkout/corpora/smoke/*")):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, error
    assert not list(tmp_path.glob("myxtts-*"))
    assert len(git(history.clone, "worktree", "list").splitlines()) == 1


def test_a_second_run_is_refused_until_the_first_is_gone(history: History) -> None:
    hold = "import time; from commands.run import _alone\nwith _alone():\n print('held', flush=True); time.sleep(60)"
    holder = history.clone.start("-c", hold)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    error = history.clone.python(*CLI, "run", "smoke", code=1)
    assert f"Process {holder.pid} is making a run in this checkout" in error
    holder.kill()
    holder.communicate()
    assert not history.clone.run()["changed"]


def test_two_runs_are_told_apart(history: History) -> None:
    clone = history.clone
    same = json.loads(clone.python(*CLI, "diff", "HEAD", "@challenger", "--preset", "smoke", "--json"))
    assert (same["differences"], same["results"]) == ([], [])
    clone.run("--set", "train.steps=3", "--commit")
    try:
        for pair in (("HEAD~1", "HEAD"), ("1", "2")):
            told = json.loads(clone.python(*CLI, "diff", *pair, "--preset", "smoke", "--json"))
            assert told["differences"] == [{"cause": "config", "name": "train.steps", "past": 2, "now": 3}]
            assert "mel_l1" in {row["what"] for row in told["results"]}
        assert "config: train.steps: commit" in clone.python(*CLI, "diff", "HEAD~1", "HEAD", "--preset", "smoke")
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
def test_a_stranger_makes_the_run_again_from_a_remote(
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
