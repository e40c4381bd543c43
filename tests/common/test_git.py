"""What git knows of a checkout, and that what it cannot say never reads as clean."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from common import git as module
from common.git import GitError, changed_files, checkout_state, file_at, find_commit, git


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository with one commit."""
    for name in ("author", "committer"):
        monkeypatch.setenv(f"GIT_{name.upper()}_NAME", "test")
        monkeypatch.setenv(f"GIT_{name.upper()}_EMAIL", "test@localhost")
    folder = tmp_path / "checkout"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "layers.py").write_text("WIDTH = 1\n")
    (folder / ".gitignore").write_text("/checkpoints/\n")
    monkeypatch.setattr(module, "ROOT", folder)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    return folder


def test_a_checkout_as_it_was_committed_is_clean(checkout: Path) -> None:
    state = checkout_state()
    assert state.commit == find_commit("HEAD")
    assert state.uncommitted == ""
    assert file_at("HEAD", "model/layers.py") == "WIDTH = 1\n"
    assert file_at("HEAD", "model/other.py") == ""
    assert find_commit("nowhere") is None
    (checkout / "dvc.lock").write_text("schema: '2.0'\n")
    (checkout / "params.yaml").write_text("presets: {demo: {source: data/sources}}\n")
    (checkout / "reports" / "demo").mkdir(parents=True)
    (checkout / "reports" / "demo" / "metrics.json").write_text("{}")
    assert checkout_state().uncommitted == ""


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("model/layers.py", True),
        ("model/größe é.py", True),
        ("configs/mine.yaml", True),
        ("data/LJSpeech-1.1/wavs/a.wav", False),
        ("data/LJSpeech-1.1/metadata.csv", False),
        ("notes.txt", False),
    ],
)
def test_only_what_can_decide_a_run_makes_a_checkout_unclean(checkout: Path, path: str, counts: bool) -> None:
    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
    (checkout / path).write_text("WIDTH = 2\n")
    assert checkout_state().uncommitted == (path if counts else "")
    assert changed_files() == [path]


def test_many_recordings_beside_the_code_do_not_stop_children(checkout: Path) -> None:
    """LJSpeech has 13,100 files; their names do not fit into an environment variable."""
    for number in range(13_100):
        (checkout / f"LJ{number:06}-a-name-as-long-as-people-give-them.wav").touch()
    state = checkout_state()
    subprocess.run(["true"], env=os.environ | {module.DIRTY_VARIABLE: state.uncommitted}, check=True)
    assert state.uncommitted == ""


def test_many_changes_are_told_in_few_words(checkout: Path) -> None:
    for number in range(300):
        (checkout / "model" / f"layer{number:03}.py").touch()
    state = checkout_state()
    assert state.uncommitted.startswith("model/layer000.py,model/layer001.py,")
    assert state.uncommitted.endswith(",and 280 more")


def damage_index(checkout: Path) -> None:
    (checkout / ".git" / "index").write_bytes(b"noise")


def give_away(checkout: Path) -> None:
    if os.getuid():
        pytest.fail("only root can give a file to somebody else: run this in a container, as CI does")
    for path in (checkout, checkout / ".git"):
        os.chown(path, 65534, 65534)


def remove_git(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")


@pytest.mark.parametrize(
    ("damage", "words"),
    [(damage_index, "index file"), (give_away, "dubious ownership"), (remove_git, "not a git repository")],
)
def test_what_git_cannot_say_is_never_clean(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, damage: object, words: str
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(checkout.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert callable(damage)
    damage(checkout)
    state = checkout_state()
    assert state.uncommitted.startswith("unknown: git ")
    assert words in state.uncommitted
    with pytest.raises(GitError, match=words):
        changed_files()


def test_a_checkout_without_git_installed_is_told_of(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert "git cannot be started" in checkout_state().uncommitted
