"""A run in every kind of checkout that people have."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from common import edit
from tests.pipelines.clone import SMALLEST, Clone

pytestmark = [pytest.mark.slow, pytest.mark.pipeline]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A checkout with a preset of the smallest steps, in which nothing ran."""
    clone = Clone(tmp_path_factory.mktemp("origin") / "checkout")
    preset = clone.folder / "configs" / "smoke.yaml"
    content = edit.read(preset)
    edit.assign(content, SMALLEST)
    edit.write(preset, content)
    clone.git("commit", "-qam", "the smallest steps")
    return clone


def call(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)


def shallow(origin: Clone, folder: Path) -> Path:
    call("git", "clone", "-q", "--depth", "1", f"file://{origin.folder}", folder / "shallow")
    return folder / "shallow"


def detached(origin: Clone, folder: Path) -> Path:
    call("git", "clone", "-q", origin.folder, folder / "detached")
    call("git", "-C", folder / "detached", "checkout", "-q", "--detach")
    return folder / "detached"


def worktree(origin: Clone, folder: Path) -> Path:
    call("git", "-C", origin.folder, "worktree", "add", "-q", "--detach", folder / "worktree")
    return folder / "worktree"


def submodule(origin: Clone, folder: Path) -> Path:
    call("git", "init", "-q", folder / "outer")
    allow = ("-c", "protocol.file.allow=always")
    call("git", *allow, "-C", folder / "outer", "submodule", "--quiet", "add", origin.folder, "voice")
    return folder / "outer" / "voice"


def reached_through_a_link(origin: Clone, folder: Path) -> Path:
    call("git", "clone", "-q", origin.folder, folder / "real")
    (folder / "link").symlink_to(folder / "real")
    return folder / "link"


def oddly_named(origin: Clone, folder: Path) -> Path:
    call("git", "clone", "-q", origin.folder, folder / "my proj#2 é 100%20x")
    return folder / "my proj#2 é 100%20x"


def with_converted_line_ends(origin: Clone, folder: Path) -> Path:
    call("git", "clone", "-q", "-c", "core.autocrlf=true", origin.folder, folder / "windows")
    return folder / "windows"


KINDS: list[Callable[[Clone, Path], Path]] = [
    *(shallow, detached, worktree, submodule, reached_through_a_link, oddly_named, with_converted_line_ends),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_run_in_a_checkout_that_is(kind: Callable[[Clone, Path], Path], origin: Clone, tmp_path: Path) -> None:
    clone = Clone.of(kind(origin, tmp_path))
    made = clone.run("--commit")
    assert (made["version"], made["to_commit"]) == (1, [])
    assert clone.challenger()["identity"]["clean"] == "true"
    clone.assert_agreement()
    assert not clone.run()["changed"]
    assert clone.myxtts("verify").endswith("Everything agrees.\n")


def test_a_run_of_somebody_elses_checkout_counts_as_uncommitted(origin: Clone, tmp_path: Path) -> None:
    clone = Clone.of(detached(origin, tmp_path))
    for path in (clone.folder, clone.folder / ".git"):
        os.chown(path, 65534, 65534)
    made = clone.run()
    assert made["to_commit"] == []
    identity = clone.challenger()["identity"]
    assert identity["clean"] == "false"
    assert "dubious ownership" in identity["uncommitted"]
    assert "dubious ownership" in clone.myxtts("run", "smoke", "--commit", code=1)


def test_a_run_without_a_home(origin: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/proc/nowhere")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert Clone.of(detached(origin, tmp_path)).run()["version"] == 1


def test_a_corpus_on_another_disk_is_read_there(origin: Clone, tmp_path: Path) -> None:
    clone = Clone.of(detached(origin, tmp_path))
    clone.run()
    corpus, disk = clone.folder / "corpora" / "smoke", tmp_path / "disk" / "smoke"
    disk.parent.mkdir()
    shutil.move(corpus, disk)
    corpus.symlink_to(disk)
    assert not clone.run()["changed"]
    made = clone.run("--set", "audio.trim_db=37.0")
    assert (made["changed"], made["version"]) == (True, 2)
    assert clone.steps()["extract_features"] == "completed"
    assert corpus.is_symlink()
    assert clone.myxtts("verify").endswith("Everything agrees.\n")


def test_a_run_goes_on_after_a_lock_that_a_killed_dvc_left(origin: Clone, tmp_path: Path) -> None:
    clone = Clone.of(detached(origin, tmp_path))
    lock = clone.folder / ".dvc" / "tmp" / "rwlock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert clone.run()["version"] == 1
