"""Fish Fillets' dialogues: a big fish, spoken by a man, and a small one, by a woman (`fillets-ng-data`).

`script/LEVEL/dialogs_LANGUAGE.lua` names lines, their speakers (by the font that their text is shown in) and texts;
`sound/LEVEL/LANGUAGE/LINE.ogg` holds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_TEXT, OTHER_PERSON, UNCLEAR_TEXT, left_out

_FISHES = {"font_big": "man", "font_small": "woman"}
_TEXT = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(rf'dialogId\(\s*{_TEXT}\s*,\s*"(\w*)"\s*,\s*{_TEXT}\s*\)\s*dialogStr\(\s*{_TEXT}\s*\)')


def read_man(root: Path, language: str, speaker: str) -> Iterator[SourceClip | Finding]:
    """The lines of the big fish by level, and those of the minor characters as left out."""
    return _read(root, language, speaker, "man")


def read_woman(root: Path, language: str, speaker: str) -> Iterator[SourceClip | Finding]:
    """The lines of the small fish by level, and those of the minor characters as left out."""
    return _read(root, language, speaker, "woman")


def _read(root: Path, language: str, speaker: str, person: str) -> Iterator[SourceClip | Finding]:
    game = root / "usr" / "share" / "games" / "fillets-ng"
    for folder in sorted(game.glob(f"sound/*/{language}")):
        level = folder.parent.name
        script = game / "script" / level / f"dialogs_{language}.lua"
        found = _LINE.findall(script.read_text(encoding="utf-8")) if script.is_file() else []
        lines = {name: (font, text.replace('\\"', '"')) for name, font, _, text in found}
        for audio in sorted(folder.glob("*.ogg")):
            if audio.stem not in lines:
                yield left_out(NO_TEXT, audio, root, "no such line", f'{level}/{script.name}: dialogId("{audio.stem}"')
                continue
            font, text = lines[audio.stem]
            if font not in _FISHES:
                yield left_out(OTHER_PERSON, audio, root, font or "no font", " or ".join(_FISHES))
            elif _FISHES[font] == person:
                if "\\" in text or not any(c.isalpha() for c in text):
                    yield left_out(UNCLEAR_TEXT, audio, root, repr(text), "words alone")
                else:
                    yield SourceClip(f"{language}-fillets-{level}-{audio.stem}", text, language, speaker, audio)
