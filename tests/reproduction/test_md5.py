from __future__ import annotations

import hashlib
import json
from pathlib import Path

from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.meta import Meta
from dvc_data.hashfile.tree import Tree
from hypothesis import given
from hypothesis import strategies as st

from reproduction.md5 import cached_md5s, content_md5, file_md5, folder_md5s, listing_md5

NAMES = st.text("ab-/é. ", min_size=1, max_size=8).filter(lambda name: all(part for part in name.split("/")))


@given(st.dictionaries(NAMES, st.sampled_from(["1" * 32, "2" * 32]), min_size=1, max_size=6))
def test_the_md5_of_a_listing_is_that_of_dvc(md5s: dict[str, str]) -> None:
    tree = Tree()  # type: ignore[no-untyped-call]
    for path, md5 in md5s.items():
        tree.add(tuple(path.split("/")), Meta(), HashInfo("md5", md5))
    tree.digest()
    assert listing_md5(md5s) == tree.hash_info.value


def test_the_md5s_of_a_folder_are_those_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "été.txt").write_text("summer")
    (tmp_path / "a.txt").write_text("")
    md5 = hashlib.md5(b"summer").hexdigest()
    assert folder_md5s(tmp_path) == {"a.txt": hashlib.md5(b"").hexdigest(), "below/été.txt": md5}
    assert file_md5(tmp_path / "below" / "été.txt") == content_md5("summer") == md5


def test_the_md5s_of_a_cached_folder_are_read_as_dvc_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "files" / "md5" / "ab" / "cdef.dir"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"md5": "1", "relpath": "audio/a.flac"}]))
    assert cached_md5s(tmp_path, "abcdef.dir") == {"audio/a.flac": "1"}
    assert cached_md5s(tmp_path, "ffffff.dir") == {}
