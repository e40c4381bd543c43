"""The MD5s by which DVC knows files and folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def file_md5(path: Path) -> str:
    """The MD5 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def content_md5(content: str) -> str:
    """The MD5 of a file with this text."""
    return hashlib.md5(content.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()


def folder_md5s(folder: Path) -> dict[str, str]:
    """The MD5 of every file below a folder, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_md5(path) for path in files}


def listing_md5(md5s: Mapping[str, str]) -> str:
    """The MD5 of a folder whose files have these MD5s."""
    rows = [{"md5": md5, "relpath": path} for path, md5 in sorted(md5s.items())]
    return content_md5(json.dumps(rows, sort_keys=True)) + ".dir"


def cached_md5s(cache: Path, md5: str) -> dict[str, str]:
    """The MD5 of every file of a folder, by relative path, if DVC's cache knows the folder; empty if not."""
    path = cache / "files/md5" / md5[:2] / md5[2:]
    return {row["relpath"]: row["md5"] for row in json.loads(path.read_text())} if path.is_file() else {}
