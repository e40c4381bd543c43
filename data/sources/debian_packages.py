"""Debian's packages by name and SHA-256: downloaded once by each user, and unpacked without being root."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from common.files import file_digest
from data.corpus import CorpusError


def fetch_packages(packages: Mapping[str, str], version: str, scratch: Path) -> list[Path]:
    """The files of packages, given as name → SHA-256, out of this user's cache, or downloaded into it.

    The cache is `$XDG_CACHE_HOME/myxtts/packages`; where it cannot be written, `scratch` takes its place. Raises
    `CorpusError` if apt is not there, cannot download, or gives other bytes than expected.
    """
    folder = _cache() or scratch
    archives = {folder / f"{name}_{version}_all.deb": sha256 for name, sha256 in packages.items()}
    lacking = {path: sha256 for path, sha256 in archives.items() if not path.is_file() or file_digest(path) != sha256}
    if lacking:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as new:
            _download([f"{path.name.partition('_')[0]}={version}" for path in lacking], Path(new))
            found = {path: file_digest(Path(new, path.name)) for path in lacking}
            wrong = [
                f"{p.name}: SHA-256 is {found[p]}, expected {lacking[p]}" for p in lacking if found[p] != lacking[p]
            ]
            if wrong:
                raise CorpusError("\n".join(wrong))
            for path in lacking:  # another process may do the same: each puts a whole file in place of one like it
                os.replace(Path(new, path.name), path)
    return list(archives)


def unpack_package(archive: Path, root: Path) -> None:
    """Lay a package's files out below `root`. Raises `CorpusError` if dpkg is not there or fails."""
    _call(["dpkg-deb", "-x", str(archive), str(root)])


def _cache() -> Path | None:
    """The cache of this user; None if it cannot be written."""
    with contextlib.suppress(OSError, RuntimeError):  # a home that cannot be written, or that nobody knows
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base, "myxtts", "packages")
        folder.mkdir(parents=True, exist_ok=True)
        return folder if os.access(folder, os.W_OK) else None
    return None


def _download(packages: list[str], folder: Path) -> None:
    apt = ["apt-get", "--quiet", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]
    try:
        _call([*apt, "download", *packages], folder)
    except CorpusError:  # a slim image has no package lists, or old ones: fetch them for this download only
        state, cache = folder / "apt" / "state", folder / "apt" / "cache"
        (state / "lists" / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        apt += ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}"]
        apt += ["-o", "Dir::State::status=/var/lib/dpkg/status"]
        _call([*apt, "update"], folder)
        _call([*apt, "download", *packages], folder)


def _call(command: list[str], folder: Path | None = None) -> None:
    if not shutil.which(command[0]):
        raise CorpusError(f"{command[0]} not found: Debian's packages cannot be read without it")
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if result.returncode:
        output = (result.stderr or result.stdout).strip().splitlines()
        raise CorpusError(f"{command[0]} failed ({result.returncode}): " + "; ".join(output[-3:]))
