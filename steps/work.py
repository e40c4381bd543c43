"""Where steps keep what they make: `.work/<step>-<recipe>/`, whole or not there at all."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from common import ROOT
from common.errors import Refused
from common.files import folder_digests, replacing_folder

_MANIFEST = ".files.json"


class AlteredResult(Refused):
    """Files are not what their step made; the message names every one."""


class Result(BaseModel):
    """A folder that a step made.

    Its manifest, and not this, has the SHA-256 of each file: a step that was killed after its folder was whole, but
    before ZenML knew, may have made other figures of the clock than the run that ZenML remembers.
    """

    folder: str

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file, by path in the folder. Raises `AlteredResult` if there is no such folder."""
        try:
            files: dict[str, str] = json.loads(self.path(_MANIFEST).read_text())
        except (OSError, ValueError) as error:
            raise AlteredResult(f"{self.path()}: not what its step made ({error})") from None
        return files

    def path(self, name: str = ".") -> Path:
        """The folder, or a file in it."""
        return ROOT / self.folder / name


def work_folder(step: str, recipe: Mapping[str, Any]) -> Path:
    """The folder of a step's result for a recipe."""
    return ROOT / ".work" / f"{step}-{recipe['id'][:16]}"


def states_folder(folder: Path) -> Path:
    """Where what is made in `folder` keeps its states on the way; gone when it is whole."""
    return folder.with_name(f"{folder.name}.states")


def kept_folder(step: str, preset: str) -> Path:
    """Where a step keeps between its runs what the next can use, whatever its recipe."""
    return ROOT / ".work" / f"{step}-{preset}.kept"


@contextlib.contextmanager
def making(folder: Path) -> Iterator[Path]:
    """A temporary folder to fill; it takes the place of `folder`, with its manifest, when the block ends well."""
    with replacing_folder(folder) as new:
        yield new
        (new / _MANIFEST).write_text(json.dumps(folder_digests(new), indent=1, sort_keys=True))
    shutil.rmtree(states_folder(folder), ignore_errors=True)


def is_whole(folder: Path) -> bool:
    """Whether the folder holds what its manifest says, byte for byte."""
    try:
        check(result_of(folder))
    except AlteredResult:
        return False
    return True


def result_of(folder: Path) -> Result:
    """The result in a finished folder."""
    return Result(folder=folder.relative_to(ROOT).as_posix())


def check(result: Result) -> None:
    """Raise `AlteredResult` if a file is not what the step made."""
    folder = result.path()
    files, found = result.files, folder_digests(folder)
    found.pop(_MANIFEST, None)
    wrong = sorted(name for name in files.keys() | found.keys() if files.get(name) != found.get(name))
    if wrong:
        raise AlteredResult("\n".join(f"{folder / name}: not the file that its step made" for name in wrong))
