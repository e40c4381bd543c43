"""Which languages there are: those that espeak-ng has a voice and a dictionary for, by the codes of its voice files."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Mapping
from pathlib import Path

import espeakng_loader

_DEFAULT_PRIORITY = 5


@functools.cache
def voices() -> Mapping[str, str]:
    """Code of a language → the voice that speaks it best, a file of espeak-ng's `lang/` such as `gmw/en-US`."""
    data = Path(espeakng_loader.get_data_path())
    found: dict[str, tuple[int, bool, str]] = {}
    for file in sorted(path for path in (data / "lang").rglob("*") if path.is_file()):
        content = file.read_text(encoding="utf-8", errors="replace")
        codes = re.findall(r"^language\s+(\S+)[ \t]*(\d*)", content, re.MULTILINE)
        named = re.search(r"^dictionary\s+(\S+)", content, re.MULTILINE)
        dictionary = named[1] if named else codes[0][0].partition("-")[0]
        if (data / f"{dictionary}_dict").is_file():
            for code, priority in codes:
                rank = (
                    int(priority or _DEFAULT_PRIORITY),
                    file.name != code,
                    file.relative_to(data / "lang").as_posix(),
                )
                found[code] = min(found.get(code, rank), rank)
    return {code: voice for code, (_, _, voice) in sorted(found.items())}


def known_language(code: str) -> str:
    """The code of a language. Raises `ValueError` with the nearest ones if there is no such language."""
    if code in voices():
        return code
    near = difflib.get_close_matches(code.lower(), voices(), n=3, cutoff=0.5)
    nearest = f"; nearest: {', '.join(near)}" if near else ""
    raise ValueError(f"language is {code!r}, expected a code that espeak-ng knows, such as en, pt-br or cmn{nearest}")
