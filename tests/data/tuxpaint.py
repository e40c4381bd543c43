"""Tux Paint's descriptions as a person would have them: a plain folder in LJSpeech format, with all their faults.

`python -m tests.data.tuxpaint fr FOLDER` makes it: copies, wrong texts, brackets and all.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from data.sources.debian.packages import unpack_packages
from data.sources.debian.tuxpaint import STAMPS, descriptions


def write_ljspeech(root: Path, language: str, folder: Path) -> int:
    """Write `metadata.csv` and `wavs/*.ogg`, as they are, of an unpacked package; how many rows there are."""
    (folder / "wavs").mkdir(parents=True)
    rows = []
    for audio, text in descriptions(root, language):
        if text is not None:
            id = "-".join((*audio.relative_to(root / STAMPS).parts[:-1], audio.name.partition("_desc_")[0]))
            shutil.copyfile(audio, folder / "wavs" / f"{id}{audio.suffix}")
            rows.append(f"{id}|{text}\n")
    (folder / "metadata.csv").write_text("".join(rows), encoding="utf-8")
    return len(rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        unpack_packages(["tuxpaint-stamps-default"], Path(scratch, "root"), Path(scratch))
        print(write_ljspeech(Path(scratch, "root"), sys.argv[1], Path(sys.argv[2])))
