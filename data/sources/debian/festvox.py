"""The recordings that Festival's Russian voice is cut from: a man in a studio (`festvox-ru`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_TEXT, left_out

_PROMPT = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)')


def read(root: Path, language: str, speaker: str) -> Iterator[SourceClip | Finding]:
    """The prompts by name."""
    voice = root / "usr" / "share" / "festival" / "voices" / "russian" / "msu_ru_nsh_clunits"
    prompts = voice / "etc" / "txt.done.data"
    texts = dict(_PROMPT.findall(prompts.read_text(encoding="utf-8")))
    for audio in sorted((voice / "wav").glob("*.wav")):
        if audio.stem in texts:
            text = texts[audio.stem].replace("+", "")  # marks the vowel under stress
            number = audio.stem.removeprefix("ru_")
            yield SourceClip(f"{language}-festvox-{number}", text, language, speaker, audio)
        else:
            yield left_out(NO_TEXT, audio, root, "no such line", f'{prompts.name}: a line ( {audio.stem} "TEXT" )')
