"""What is wrong with the text of a clip: what nobody can have read aloud, and what espeak-ng would read in another way.

What `data.cleaning.clean` puts right without a loss is no fault.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from data.cleaning import PICTURE, clean, look_alikes
from data.languages import traits
from data.problems import Finding, Kind
from data.text import unread

LONGEST = 1000
"""Characters of a text above which its recording is rather a chapter than a clip."""

NOTHING_TO_SAY = Kind("nothing_to_say", "error", "write what is said, or leave the clip out")
PLACEHOLDER = Kind("placeholder_text", "error", "write what is said: a program has put this where a text was missing")
MOJIBAKE = Kind("wrong_encoding", "error", "read the list in the encoding that it was written in")
LOST_CHARACTERS = Kind("lost_characters", "error", "write the characters again that an earlier conversion lost")
MARKUP = Kind("markup", "error", "remove tags, templates and stage directions: nobody reads them aloud")
MIXED_SCRIPTS = Kind("mixed_scripts", "error", "write each word in one script")
OTHER_SCRIPT = Kind("other_script", "error", "set the language of the clip, or write its text in the language's script")
OUTSIDE_LANGUAGE = Kind("characters_outside_language", "error", "write as words what is said, or remove the characters")
REORDERED = Kind("direction_override", "warning", "remove U+202D and U+202E, then see whether the text reads as spoken")
LONG_TEXT = Kind("long_text", "warning", "cut the recording and its text into sentences")
LOOK_ALIKES = Kind("look_alike_letters", "note", "nothing: they are read as the letters that they look like")
CONTROL_CHARACTERS = Kind("control_characters", "note", "nothing: they are read as spaces")
PICTURES = Kind("emoji", "note", "nothing: they are not read")

_PLACEHOLDERS = {"nan", "null", "none", "nil", "n/a", "#n/a", "<na>", "undefined", "todo", "tbd", "lorem ipsum"}
_SOUNDS = (
    "applau|beep|breath|chuckl|clap|cough|cries|crosstalk|crying|gasp|giggl|groan|inaudible|laugh|lip|mouth|mumbl|music|"
    "noise|pause|scream|sigh|silence|sings|singing|smack|sneez|sniff|sob|static|throat|unintelligible|unk\\b|whisper|yawn"
)
_MARKUP = re.compile(
    r"</?[A-Za-z][^<>]{0,200}>|&(?:#\d{1,6}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos|nbsp);|\{\{.{0,200}?\}\}|\{%.{0,200}?%\}|\$\{.{0,200}?\}"
    rf"|\{{\d*\}}|\{{\w+_\w*\}}|%\(\w+\)[sd]|%[sd]\b|\*\*\w|\]\(\S+\)|[\[(<*](?:{_SOUNDS})[^\])>*]{{0,40}}[\])>*]|^\s*\[[^\[\]]*\]\s*$",
    re.IGNORECASE | re.DOTALL,
)
_DOUBLY_ENCODED = re.compile(r"[\u00c2-\u00f4][^\x00-\x7f]{1,8}|[\u00c3\u00c2] ")
_LETTERS = re.compile(r"[^\W\d_]+")


def text_faults(texts: Sequence[str], language: str) -> list[list[Finding]]:
    """What is wrong with each text; `language` is one of `configs.languages.voices`. The findings name no clip."""
    return [list(_faults(text, language)) for text in texts]


def _faults(text: str, language: str) -> Iterator[Finding]:
    words = clean(text)
    yield from _controls(text)
    if text.strip().casefold() in _PLACEHOLDERS:
        yield Finding(PLACEHOLDER, _shown(text), "what is said")
        return
    if not any(character.isalnum() for character in words):
        yield Finding(NOTHING_TO_SAY, _shown(text) or "an empty text", "a word, or a number")
        return
    if len(words) > LONGEST:
        yield Finding(LONG_TEXT, f"{len(words)} characters", f"at most {LONGEST}")
    if markup := _MARKUP.search(text):
        yield Finding(MARKUP, _shown(markup[0]), "words only")
    if repaired := _repaired(text):
        yield Finding(MOJIBAKE, _shown(repaired[0]), f"{repaired[1]}, as it seems")
        return
    if alike := look_alikes(text)[1]:
        yield Finding(LOOK_ALIKES, _shown(", ".join(alike)), "letters of one script in a word")
    yield from _scripts(words, language)


def _controls(text: str) -> Iterator[Finding]:
    """Characters that cannot be seen but tell of a fault, and pictures."""
    kinds: Sequence[tuple[Kind, Callable[[str], bool], str]] = (
        (LOST_CHARACTERS, lambda c: unicodedata.category(c) == "Cs" or c == "\ufffd", "whole characters"),
        (REORDERED, lambda c: c in "\u202d\u202e", "text in the order in which it is read"),
        (CONTROL_CHARACTERS, lambda c: unicodedata.category(c) == "Cc" and c not in "\t\n\r", "none"),
        (PICTURES, lambda c: bool(PICTURE.match(c)), "words"),
    )
    if text.isascii() and text.isprintable():
        return
    for kind, belongs, expected in kinds:
        if found := sorted(set(filter(belongs, text))):
            yield Finding(kind, _named(found), expected)


def _scripts(words: str, language: str) -> Iterator[Finding]:
    own = traits(language).scripts
    letters = [c for c in words if c.isalpha() and c not in "ºª"]
    count = sum(_script_of(c, own) == "own" for c in letters)
    if letters and not count and (len(letters) > 3 or "LATIN" in own):
        yield Finding(OTHER_SCRIPT, _shown(words), f"letters of {language}: {own[0].capitalize()}")
        return
    if mixed := [word for word in _LETTERS.findall(words) if _is_mixed(word, own)]:
        letters_in = ", ".join(sorted({f"{c} (Latin)" for c in mixed[0] if _script_of(c, own) == "Latin"}))
        yield Finding(MIXED_SCRIPTS, f"{_shown(mixed[0])}: {letters_in}", f"{own[0].capitalize()} letters only")
    if strange := [c for c in unread(words, language) if c != "\ufffd"]:
        yield Finding(OUTSIDE_LANGUAGE, _named(strange), f"letters and signs of {language}")


@functools.lru_cache(100_000)
def _script_of(letter: str, own: tuple[str, ...]) -> str:
    name = unicodedata.name(letter, "")
    return "own" if name.startswith(own) else "Latin" if name.startswith("LATIN") else "other"


def _is_mixed(word: str, own: tuple[str, ...]) -> bool:
    """Whether a word has Latin letters that are not an abbreviation with an ending, as in "SMSок"."""
    latin = [c for c in word if _script_of(c, own) == "Latin"]
    if not latin or len(latin) == len(word) or "LATIN" in own:
        return False
    start = word.startswith("".join(latin)) or word.endswith("".join(latin))
    return not (start and all(c.isupper() for c in latin))


def _repaired(text: str) -> tuple[str, str] | None:
    """A part of the text that looks like UTF-8 read as Windows-1252, and what it was."""
    for match in _DOUBLY_ENCODED.finditer(text):
        for end in range(len(match[0]), 1, -1):
            part = match[0][:end]
            try:
                was = b"".join(map(_byte, part.replace(" ", "\u00a0"))).decode("utf-8")
            except (UnicodeError, ValueError):
                continue
            if all("\u00a0" <= c <= "\u017f" or "\u2010" <= c <= "\u20ac" for c in was) or len(was) > 1:
                return part, was
    return None


def _byte(character: str) -> bytes:
    """The byte that was read as a character."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return bytes([ord(character)])  # what Windows-1252 leaves open; above 255 a ValueError


def _named(characters: Sequence[str]) -> str:
    shown = [f"{c} (U+{ord(c):04X})" if c.isprintable() else f"U+{ord(c):04X}" for c in characters[:8]]
    return ", ".join(shown) + (f" and {len(characters) - 8} more" if len(characters) > 8 else "")


def _shown(text: str) -> str:
    """The beginning of a text, with what cannot be printed written out."""
    start = text[:60] + ("…" if len(text) > 60 else "")
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in start)
