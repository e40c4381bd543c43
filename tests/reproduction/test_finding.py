from __future__ import annotations

from pathlib import Path

import pytest

from reproduction import finding
from reproduction.finding import find_pair, find_past
from reproduction.lock import NoRun
from reproduction.past import NotReproducible, PastRun
from reproduction.results import Results
from tests.reproduction.conftest import Repository, make_lock


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry in which every version of every preset is, those of demo the newest."""
    monkeypatch.setattr(finding, "default_preset", lambda: "demo")
    monkeypatch.setattr(finding, "run_of_version", lambda wanted, preset: PastRun(wanted, preset, "", {}, Results()))


@pytest.fixture
def two_presets(repository: Repository) -> Repository:
    """A repository whose commits made smoke, then demo, then smoke again, then nothing."""
    repository.commit({"dvc.lock": make_lock(smoke="a")})
    repository.commit({"dvc.lock": make_lock(smoke="a", demo="a")})
    repository.commit({"dvc.lock": make_lock(smoke="b", demo="a")})
    repository.commit({"README.md": "words"})
    return repository


@pytest.mark.parametrize(("wanted", "preset"), [("HEAD~3", "smoke"), ("HEAD~2", "demo"), ("HEAD~1", "smoke")])
@pytest.mark.usefixtures("two_presets")
def test_the_preset_of_a_commit_is_that_which_it_made(wanted: str, preset: str) -> None:
    assert find_past(wanted, None).preset == preset


def test_the_preset_of_a_commit_that_made_none_is_asked_for(two_presets: Repository) -> None:
    commit = two_presets.git("rev-parse", "HEAD")
    with pytest.raises(NoRun) as refusal:
        find_past("HEAD", None)
    assert str(refusal.value) == f"commit {commit[:12]} records demo, smoke; name one with --preset"
    assert find_past("HEAD", "demo").preset == "demo"


def test_the_preset_of_a_commit_that_made_two_is_asked_for(repository: Repository) -> None:
    repository.commit({"dvc.lock": make_lock(smoke="a", demo="a")})
    with pytest.raises(NoRun, match="records demo, smoke; name one with --preset"):
        find_past("HEAD", None)


def test_the_only_preset_of_a_commit_needs_no_name(repository: Repository) -> None:
    repository.commit({"dvc.lock": make_lock(smoke="a")})
    repository.commit({"README.md": "words"})
    assert find_past("HEAD", None).preset == "smoke"


def test_the_preset_of_a_merge_is_that_which_came_with_it(repository: Repository) -> None:
    repository.commit({"dvc.lock": make_lock(demo="a")})
    repository.git("checkout", "--quiet", "-b", "aside")
    repository.commit({"dvc.lock": make_lock(demo="a", smoke="a")})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"README.md": "words"})
    repository.git("merge", "--quiet", "--no-ff", "--no-edit", "aside")
    assert find_past("HEAD", None).preset == "smoke"


def test_without_a_commit_the_last_recorded_run_is_meant(two_presets: Repository) -> None:
    run = find_past(None, None)
    assert (run.commit, run.preset) == (two_presets.git("rev-parse", "HEAD~1"), "smoke")
    run = find_past(None, "demo")
    assert (run.commit, run.preset) == (two_presets.git("rev-parse", "HEAD~2"), "demo")


def test_a_commit_that_only_removes_the_lock_is_not_the_last_recorded_run(two_presets: Repository) -> None:
    (two_presets.folder / "dvc.lock").unlink()
    two_presets.commit({})
    assert find_past(None, None).commit == two_presets.git("rev-parse", "HEAD~2")
    with pytest.raises(NotReproducible, match=r"has no dvc\.lock"):
        find_past("HEAD", None)


def test_without_a_recorded_run_there_is_none_to_mean(repository: Repository) -> None:
    repository.commit({"README.md": "words"})
    with pytest.raises(NoRun, match=r"no commit here records a run; `myxtts run --commit` makes one$"):
        find_past(None, None)
    repository.commit({"dvc.lock": make_lock(smoke="a")})
    with pytest.raises(NoRun, match="no commit here records a run of preset 'demo'"):
        find_past(None, "demo")


@pytest.mark.usefixtures("two_presets")
def test_a_commit_that_is_not_there_is_named() -> None:
    with pytest.raises(NoRun) as refusal:
        find_past("nowhere", None)
    assert str(refusal.value) == "there is no commit 'nowhere' in this clone"


@pytest.mark.parametrize(("wanted", "preset", "expected"), [("7", None, "demo"), ("@champion", "smoke", "smoke")])
def test_the_preset_of_a_version_is_that_of_the_newest(wanted: str, preset: str | None, expected: str) -> None:
    assert find_past(wanted, preset).preset == expected


@pytest.mark.usefixtures("two_presets")
def test_two_runs_of_one_preset_are_a_pair() -> None:
    one, other = find_pair("HEAD~2", "@challenger", None)
    assert one.preset == other.preset == "demo"
    one, other = find_pair("HEAD~2", "HEAD~1", "smoke")
    assert one.preset == other.preset == "smoke"


@pytest.mark.parametrize(
    ("other", "words"),
    [("@challenger", "HEAD~1 is a run of smoke, @challenger one of demo"), ("HEAD~2", "HEAD~2 one of demo")],
)
@pytest.mark.usefixtures("two_presets")
def test_two_runs_of_two_presets_are_no_pair(other: str, words: str) -> None:
    with pytest.raises(NoRun, match=f"{words}; name one preset with --preset"):
        find_pair("HEAD~1", other, None)


def test_a_shallow_clone_says_how_to_get_the_rest(
    two_presets: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_presets.git("reset", "--quiet", "--hard", "HEAD~1")
    clone = two_presets.clone(tmp_path / "shallow", "--depth", "1").use(monkeypatch)
    assert find_past(None, "smoke").commit == clone.git("rev-parse", "HEAD")
    fetch = "is shallow; `git fetch --unshallow` brings the rest"
    with pytest.raises(NoRun, match=rf"records demo, smoke; name one with --preset \(.*{fetch}\)"):
        find_past("HEAD", None)
    with pytest.raises(NoRun, match=f"there is no commit 'HEAD~1' in this clone, which {fetch}"):
        find_past("HEAD~1", None)
    clone.git("fetch", "--quiet", "--unshallow")
    assert find_past("HEAD", None).preset == "smoke"


def test_a_detached_head_a_worktree_and_a_submodule_know_their_runs(
    two_presets: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_presets.git("checkout", "--quiet", "--detach", "HEAD~1")
    assert find_past("HEAD", None).preset == "smoke"
    two_presets.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"), "HEAD~1")
    Repository(tmp_path / "worktree").use(monkeypatch)
    assert find_past("HEAD", None).preset == "demo"
    outer = Repository(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", two_presets.folder.as_uri(), "inner")
    Repository(tmp_path / "outer" / "inner").use(monkeypatch)
    assert find_past(None, None).preset == "smoke"
