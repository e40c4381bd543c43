"""Tux Paint's stamps, described by one person for each of nine languages (`tuxpaint-stamps-default`).

`NAME_desc_LANGUAGE.ogg` says what the line `LANGUAGE.utf8=` of `NAME.txt` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_TEXT, UNCLEAR_TEXT, left_out

STAMPS = PurePosixPath("usr", "share", "tuxpaint", "stamps")

_UNREAD = set("()[]{}<>*#/\\=+@€$£%_")
"""Whether what stands in brackets was read, and how signs were, differs from stamp to stamp."""


def read(root: Path, language: str, speaker: str) -> Iterator[SourceClip | Finding]:
    """The descriptions by path."""
    for audio, text in descriptions(root, language):
        if text is None:
            yield left_out(NO_TEXT, audio, root, "no such line", f"{_name(audio)}.txt: a line {language}.utf8=TEXT")
        elif _UNREAD & set(text) or not any(c.isalpha() for c in text):
            yield left_out(UNCLEAR_TEXT, audio, root, repr(text), "words alone")
        else:
            where = "-".join((*audio.relative_to(root / STAMPS).parts[:-1], _name(audio)))
            yield SourceClip(f"{language}-tuxpaint-{where}", text, language, speaker, audio)


def descriptions(root: Path, language: str) -> Iterator[tuple[Path, str | None]]:
    """Every description in a language, and what it says, if the package knows, as the package writes it."""
    for audio in sorted((root / STAMPS).rglob(f"*_desc_{language}.*")):
        texts = audio.with_name(f"{_name(audio)}.txt")
        lines = texts.read_text(encoding="utf-8", errors="replace").splitlines() if texts.is_file() else []
        said = [line.partition("=")[2] for line in lines if line.startswith(f"{language}.utf8=")]
        yield audio, " ".join(said[-1].split()) if said else None


def _name(audio: Path) -> str:
    return audio.name.partition("_desc_")[0]
