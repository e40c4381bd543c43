"""Results of steps: whole or not there at all, and checked to the byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from common.files import folder_digests
from steps import work
from steps.work import AlteredResult, Result, check, is_whole, making, result_of, states_folder, work_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a step keeps its result in a checkout of its own."""
    monkeypatch.setattr(work, "ROOT", tmp_path)
    return work_folder("test", {"id": "0123456789abcdef0"})


def make(folder: Path, content: str = "made") -> Result:
    with making(folder) as out:
        (out / "sub").mkdir()
        (out / "sub" / "file.txt").write_text(content)
    return result_of(folder)


def fail(folder: Path) -> None:
    with making(folder) as out:
        (out / "half.txt").write_text("half")
        raise ZeroDivisionError


def test_a_result_is_whole_until_a_byte_changes(folder: Path) -> None:
    assert not is_whole(folder)
    result = make(folder)
    assert is_whole(folder)
    check(result)
    result.path("sub/file.txt").write_text("mad")
    assert not is_whole(folder)
    with pytest.raises(AlteredResult, match=r"sub/file\.txt: not the file that its step made"):
        check(result)


@pytest.mark.parametrize("earlier", [True, False])
def test_a_failure_leaves_the_result_that_was_there_and_nothing_else(
    tmp_path: Path, folder: Path, earlier: bool
) -> None:
    if earlier:
        make(folder, "first")
    before = folder_digests(tmp_path)
    with pytest.raises(ZeroDivisionError):
        fail(folder)
    assert folder_digests(tmp_path) == before
    assert is_whole(folder) == earlier


def test_a_result_made_again_takes_the_place_of_the_first(folder: Path) -> None:
    first = make(folder, "first")
    second = make(folder, "second")
    assert second.path("sub/file.txt").read_text() == "second"
    assert is_whole(folder)
    check(first)  # what was remembered of a step that was killed and made its result again


def test_a_file_too_many_or_a_folder_that_is_gone_is_no_result(folder: Path) -> None:
    result = make(folder)
    (folder / "sub" / "other.txt").touch()
    with pytest.raises(AlteredResult, match=r"sub/other\.txt: not the file that its step made"):
        check(result)
    shutil.rmtree(folder)
    with pytest.raises(AlteredResult, match="not what its step made"):
        check(result)
    assert not is_whole(folder)


def test_states_are_kept_until_the_result_that_they_are_for_is_whole(folder: Path) -> None:
    state = states_folder(folder) / "state"
    state.parent.mkdir(parents=True)
    state.touch()
    with pytest.raises(ZeroDivisionError):
        fail(folder)
    assert state.exists()
    make(folder)
    assert not state.parent.exists()


def test_a_result_is_found_in_a_checkout_that_has_moved(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = make(folder)
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    monkeypatch.setattr(work, "ROOT", moved)
    check(result)
    assert result.path("sub/file.txt").read_text() == "made"


def test_results_of_other_recipes_and_steps_lie_apart(folder: Path) -> None:
    others = {work_folder("test", {"id": "f" * 64}), work_folder("other", {"id": "0123456789abcdef0"})}
    assert len({folder, *others}) == 3
    assert {other.parent for other in others} == {folder.parent}
