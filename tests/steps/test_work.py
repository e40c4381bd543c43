from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from common import ROOT
from steps.work import Result, check, is_whole, link, making, result_of, states_folder, work_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    import shutil

    folder = work_folder("test", {"id": "0123456789abcdef0"})
    for old in (folder, states_folder(folder)):
        shutil.rmtree(old, ignore_errors=True)
    yield folder
    for made in (folder, states_folder(folder)):
        shutil.rmtree(made, ignore_errors=True)


def make(folder: Path, content: str = "made") -> Result:
    with making(folder) as out:
        (out / "sub").mkdir()
        (out / "sub" / "file.txt").write_text(content)
    return result_of(folder)


def test_a_result_is_whole_until_a_byte_changes(folder: Path) -> None:
    assert not is_whole(folder)
    result = make(folder)
    assert is_whole(folder)
    check(result)
    result.path("sub/file.txt").write_text("mad")
    assert not is_whole(folder)
    with pytest.raises(RuntimeError, match=r"sub/file\.txt: not the file that its step made"):
        check(result)


def test_a_failure_leaves_what_was_there(folder: Path) -> None:
    make(folder, "first")
    with pytest.raises(ZeroDivisionError), making(folder) as out:
        (out / "half.txt").write_text("half")
        _ = 1 / 0
    assert is_whole(folder)
    assert [path.name for path in folder.rglob("*.txt")] == ["file.txt"]
    assert not list(folder.parent.glob(f"{folder.name}.tmp*"))


def test_making_again_replaces(folder: Path) -> None:
    make(folder, "first")
    make(folder, "second")
    assert (folder / "sub/file.txt").read_text() == "second"
    assert is_whole(folder)


def test_states_are_kept_until_what_they_are_for_is_whole(folder: Path) -> None:
    state = states_folder(folder) / "state"
    state.parent.mkdir(parents=True)
    state.touch()
    with pytest.raises(ZeroDivisionError), making(folder):
        _ = 1 / 0
    assert state.exists()
    make(folder)
    assert not state.parent.exists()


def test_a_link_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_text("new")
    target.parent.mkdir()
    target.write_text("old")
    link(source, target)
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_results_lie_in_the_checkout() -> None:
    assert work_folder("train_model", {"id": "abc"}).parent == ROOT / ".work"
