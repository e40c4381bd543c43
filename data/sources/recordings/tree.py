"""The files of a folder of recordings, and which of them a list means by a name."""

from __future__ import annotations

import functools
import os
import posixpath
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rapidfuzz import process

from data.audio import AUDIO_EXTENSIONS
from data.corpus import CorpusError
from data.problems import Finding, Kind

OUTSIDE = Kind("outside", "error", "Copy the files into the folder and name them relative to the list.")
LINK_OUTSIDE = Kind("link_outside", "warning", "Put the file itself into the folder, or make its folder data.path.")

_AUDIO_FOLDERS = ("wavs", "wav", "clips", "audio", "audios", "flac", "mp3", "recordings")


_LONGEST_NAME = 1000  # characters


class Named(NamedTuple):
    """What a name in a list stands for."""

    file: str | None
    """Relative to the root; None if there is no such file."""
    exact: bool = True
    """Whether the list calls it so, apart from extension left out, folder of all audio, case and Unicode form."""
    outside: bool = False
    """Whether it names what does not lie in the folder."""


class Tree:
    """All files below a folder (or beside a single list), except hidden ones and links that leave it."""

    def __init__(self, path: Path) -> None:
        """Look at a folder or a list; raises `CorpusError` if there is none."""
        path = Path(os.path.abspath(path))
        if not path.exists():
            raise CorpusError(f"{path}: not found; data.path must be a folder of recordings, or a list in it")
        self.root = path if path.is_dir() else path.parent
        """Absolute; it may be a link itself."""
        self.only_list = None if path.is_dir() else path.name
        """The list that `path` is, if it is one."""
        self.outside: list[Finding] = []
        """Links that leave the folder."""
        self._real = self.root.resolve()
        try:
            self.files = sorted(self._walk("", frozenset({self._real})))
        except OSError as error:
            raise CorpusError(f"{self.root}: {error.strerror}: {error.filename}") from None
        self._known = set(self.files)
        self._found: dict[tuple[str, str], Named] = {}

    def __contains__(self, file: object) -> bool:
        return file in self._known

    def path(self, file: str) -> Path:
        """Where a file of the tree lies."""
        return self.root / file

    @functools.cached_property
    def audio(self) -> Sequence[str]:
        """The files that are recordings by their suffix."""
        return [file for file in self.files if _suffix(file) in AUDIO_EXTENSIONS]

    def find(self, name: str, folder: str = "") -> Named:
        """The recording that a list in `folder` calls `name`: a file name or path with or without suffix, or an id."""
        if not name or "\0" in name or len(name) > _LONGEST_NAME:
            return Named(None)
        if (name, folder) not in self._found:
            self._found[name, folder] = self._look_for(name, folder)
        return self._found[name, folder]

    def _look_for(self, name: str, folder: str) -> Named:
        plain = name[0] != "/" and ".." not in name
        if plain and _key(re.split(r"[/\\]", name)[-1])[0] not in self._by_tail:
            return Named(None)
        place = self._inside(name, folder)
        if place is None:
            unslashed = name.replace("\\", "/")
            return self.find(unslashed, folder) if unslashed != name and ":" not in name else Named(None, outside=True)
        if place in self._known and _suffix(place) in AUDIO_EXTENSIONS:
            return Named(place)
        key, suffix = _key(place)
        parents = ("", *(f"{audio_folder}/" for audio_folder in _AUDIO_FOLDERS))
        here = f"{folder}/" if folder else ""
        tail = key.removeprefix(here.casefold())
        for candidate in (key, *(f"{here}{parent}{tail}".casefold() for parent in parents), tail):
            if found := self._best(self._by_path.get(candidate) or self._by_tail.get(candidate), suffix, here):
                return Named(found, exact=not suffix or _suffix(found) == suffix)
        while "/" in tail:
            tail = tail.partition("/")[2]
            if found := self._best(self._by_tail.get(tail), suffix, here):
                return Named(found, exact=False)
        if "\\" in name:
            return self.find(name.replace("\\", "/"), folder)
        return Named(None)

    def nearest(self, name: str) -> str:
        """The recording whose path resembles a name most; empty if none does."""
        best = process.extractOne(name, self.audio, score_cutoff=60)
        return best[0] if best else ""

    def _inside(self, name: str, folder: str) -> str | None:
        """A name relative to the root, or None if it leads out of it."""
        if name[0] != "/" and ".." not in name:
            return f"{folder}/{name}" if folder else name
        path = PurePosixPath(name)
        if name.startswith("/"):
            for root in (self.root, self._real):
                if path.is_relative_to(root):
                    return os.path.normpath(path.relative_to(root))
            return None if ".." in path.parts or os.path.exists(name) else str(path).lstrip("/")
        place = os.path.normpath(PurePosixPath(folder, name))
        return None if place.startswith("..") else place

    def _walk(self, folder: str, above: frozenset[Path]) -> list[str]:
        found = []
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                file = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_symlink():
                    target = Path(os.path.realpath(entry.path))
                    if not target.is_relative_to(self._real):
                        self.outside.append(Finding(LINK_OUTSIDE, str(target), f"a file in {self.root}", file=file))
                        continue
                    if target in above:
                        continue
                if entry.is_dir():
                    found += self._walk(file, above | {Path(os.path.realpath(entry.path))})
                elif entry.is_file():
                    found.append(file)
        return found

    @functools.cached_property
    def _by_path(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for file in self.audio:
            index.setdefault(_key(file)[0], []).append(file)
        return index

    @functools.cached_property
    def _by_tail(self) -> dict[str, list[str]]:
        """By the last parts of their paths, as many as one likes."""
        index: dict[str, list[str]] = {}
        for file in self.audio:
            tail = _key(file)[0]
            index.setdefault(tail, []).append(file)
            while "/" in tail:
                tail = tail.partition("/")[2]
                index.setdefault(tail, []).append(file)
        return index

    def _best(self, files: Sequence[str] | None, suffix: str, here: str) -> str | None:
        """The one of several recordings of a name that is meant; None if they differ in more than their suffix."""
        if not files:
            return None
        near = [file for file in files if file.startswith(here)] or files
        like = [file for file in near if suffix and _suffix(file) == suffix] or near
        if len({_key(file)[0] for file in like}) > 1:
            return None
        return min(like, key=lambda file: AUDIO_EXTENSIONS.index(_suffix(file)))


def without_suffix(name: str) -> str:
    """A name without the extension of an audio file; `1.10` has none."""
    return name[: -len(_suffix(name))] if _suffix(name) in AUDIO_EXTENSIONS else name


def without_audio_folder(name: str) -> str:
    """A name without the folder that holds all audio, such as `wavs/`."""
    first, _, rest = name.partition("/")
    return rest if rest and first.casefold() in _AUDIO_FOLDERS else name


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()


@functools.lru_cache(maxsize=1 << 16)
def _key(name: str) -> tuple[str, str]:
    """A path as names are compared, without an audio file's suffix, and that suffix."""
    plain = posixpath.normpath(unicodedata.normalize("NFC", name)).casefold()
    bare = without_suffix(plain)
    return bare, plain[len(bare) :]
