"""Files and folders that are whole or not there at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from common.files import digest, file_digest, folder_digests, link, replacing, replacing_folder


class Interrupted(Exception):
    """What ends a write in between."""


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise Interrupted


def fill_half(folder: Path) -> None:
    with replacing_folder(folder) as new:
        (new / "half.txt").write_text("half")
        raise Interrupted


def test_a_replaced_file_is_the_old_one_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("first")
    with pytest.raises(Interrupted):
        write_half(path)
    assert path.read_text() == "first"
    assert os.listdir(path.parent) == ["file.txt"]


def test_a_file_that_cannot_be_replaced_is_named(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError, match=f"{path} could not be written"), replacing(path) as temporary:
        temporary.write_text("content")


def test_a_replaced_folder_is_the_old_one_or_the_new(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    with replacing_folder(folder) as new:
        (new / "first.txt").touch()
    with pytest.raises(Interrupted):
        fill_half(folder)
    assert os.listdir(folder) == ["first.txt"]
    with replacing_folder(folder) as new:
        (new / "second.txt").touch()
    assert os.listdir(folder) == ["second.txt"]
    assert os.listdir(folder.parent) == ["folder"]


def test_a_replaced_folder_that_is_a_link_stays_one(tmp_path: Path) -> None:
    disk, folder = tmp_path / "disk", tmp_path / "folder"
    disk.mkdir()
    folder.symlink_to(disk)
    with replacing_folder(folder) as new:
        (new / "file.txt").touch()
    assert folder.is_symlink()
    assert os.listdir(disk) == ["file.txt"]


def test_a_link_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_text("new")
    target.parent.mkdir()
    target.write_text("old")
    link(source, target)
    assert target.read_text() == "new"
    assert os.listdir(target.parent) == ["target"]
    assert target.stat().st_ino == source.stat().st_ino


def test_digests_tell_content_and_nothing_else(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "file").write_text("same")
    assert folder_digests(one) == folder_digests(other) == {"sub/file": file_digest(one / "sub" / "file")}
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest([1, 2]) != digest([2, 1])
