"""Debian's packages by name: downloaded once by each user, and unpacked without being root."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common.cache import cache_folder
from common.progress import Report, silent, watched
from data.corpus import CorpusError


def unpack_packages(names: Sequence[str], root: Path, scratch: Path, report: Report = silent) -> None:
    """Lay the files of packages out below `root`, out of this user's cache, or downloaded into it.

    Whatever version is there, or offered here, will do: what it holds is for its readers to check. The cache is
    `$XDG_CACHE_HOME/myxtts/packages`; where it cannot be written, `scratch` takes its place. Raises `CorpusError` if
    apt or dpkg is not there, or fails.
    """
    if not shutil.which("dpkg-deb"):
        raise CorpusError("dpkg-deb not found: Debian's packages cannot be read without it")
    folder = cache_folder("packages") or scratch
    root.mkdir(parents=True, exist_ok=True)
    lacking = [n for n in watched(names, "unpacking packages", len(names), report) if not _unpack_kept(n, folder, root)]
    if lacking:
        report("downloading packages", 0, len(lacking))
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as new:
            _download(lacking, Path(new))
            for archive in watched(sorted(Path(new).glob("*.deb")), "unpacking packages", len(lacking), report):
                _unpack(archive, root)
                for damaged in folder.glob(f"{archive.name.partition('_')[0]}_*.deb"):
                    damaged.unlink(missing_ok=True)
                os.replace(archive, folder / archive.name)  # other processes may do the same: each puts a whole file


def _unpack_kept(name: str, folder: Path, root: Path) -> bool:
    """Whether the cache had the package, whole."""
    for archive in folder.glob(f"{name}_*.deb"):
        with contextlib.suppress(CorpusError):  # what was compressed has checksums: it is damaged
            _unpack(archive, root)
            return True
    return False


def _unpack(archive: Path, root: Path) -> None:
    _call(["dpkg-deb", "-x", str(archive), str(root)])


def _download(packages: Sequence[str], folder: Path) -> None:
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
