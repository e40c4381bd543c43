"""What a clone of this repository holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

from common import ROOT


def git(folder: Path, *arguments: str, given: str = "") -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, input=given, capture_output=True, text=True, check=True
    ).stdout


def test_a_clone_with_autocrlf_has_the_bytes_of_its_commit(tmp_path: Path) -> None:
    """Recipes are hashes of bytes; a carriage return before every line feed would make each run another."""
    clone = tmp_path / "clone"
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "--quiet", "--config", "core.autocrlf=true", str(ROOT), "clone")
    entries = [entry.split("\t", 1) for entry in git(clone, "ls-files", "--stage", "-z").split("\0") if entry]
    committed = {path: facts.split()[1] for facts, path in entries}
    paths = "\n".join(committed)
    found = git(clone, "hash-object", "--no-filters", "--stdin-paths", given=paths).splitlines()
    assert len(found) == len(committed) > 100
    assert dict(zip(committed, found, strict=True)) == committed
    assert git(clone, "status", "--porcelain") == ""
