"""Asterisk's telephone prompts: one studio voice for each of five languages (`asterisk-core-sounds`)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_TEXT, UNCLEAR_TEXT, left_out

_TONES = {"ascending-2tone", "beep", "beeperr", "confbridge-join", "confbridge-leave", "descending-2tone", "tt-monkeys"}


def read(root: Path, language: str, speaker: str) -> Iterator[SourceClip | Finding]:
    """The prompts in the order of their transcript, then what it does not name."""
    share = root / "usr" / "share"
    transcript = share / "doc" / f"asterisk-core-sounds-{language}" / f"core-sounds-{language}.txt.gz"
    spoken, others = _texts(gzip.decompress(transcript.read_bytes()).decode("utf-8-sig"))
    folder = share / "asterisk" / "sounds" / speaker
    there = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.g722"))}
    for name, text in spoken.items():
        if name in there:  # some texts have no recording
            yield SourceClip(f"{language}-{name.replace('/', '-')}", text, language, speaker, there[name])
    for name, audio in there.items():
        if name in others:
            yield left_out(UNCLEAR_TEXT, audio, root, repr(others[name]), "words alone")
        elif name not in spoken:
            yield left_out(NO_TEXT, audio, root, "no such line", f"{transcript.name}: a line {name}: TEXT")


def _texts(transcript: str) -> tuple[dict[str, str], dict[str, str]]:
    """Name → text of what the transcript says is spoken, as far as it can be trusted; and of the rest."""
    spoken: dict[str, str] = {}
    others: dict[str, str] = {}
    for line in transcript.splitlines():
        name, colon, text = line.partition(":")
        name, text = name.strip(), text.strip()
        if not colon or line.startswith(";"):
            continue
        is_sound = name in _TONES or name.startswith("silence/")
        texts = spoken if not is_sound and _is_spoken(text) else others
        texts.setdefault(name, text)  # where a name is there twice, the second line is meant for another clip
    return spoken, {name: text for name, text in others.items() if name not in spoken}


def _is_spoken(text: str) -> bool:
    stage_directions = re.search(r"[\[\]()<>]", text)  # tones, noises, silence, remarks to the speaker
    unread_signs = re.search(r"[*#/]", text)  # the voice says "star" or "pound", the transcript does not say which
    after_question = re.search(r"\?\s*([^\W\d_])", text)
    lost_letters = after_question and after_question[1].islower()  # "pu? essere": lost when it was re-encoded
    several_lines = re.search(r"\b[a-z]+-[a-z-]+:", text)  # the transcripts of several clips run together
    has_word = any(c.isalnum() for c in text)
    return has_word and not (stage_directions or unread_signs or lost_letters or several_lines)
