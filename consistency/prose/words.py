"""The words of all languages together, as the reader looks for them."""

from __future__ import annotations

from consistency.prose.languages import LANGUAGES


def _any(field: str, besides: str = "") -> str:
    """A pattern that matches whatever a field of any language does; nothing, if none has it."""
    patterns = [besides, *(getattr(language, field) for language in LANGUAGES)]
    return "|".join(filter(None, patterns)) or r"(?!)"


def _characters(field: str) -> str:
    return "".join(getattr(language, field) for language in LANGUAGES)


MARKUP = r"\s`*_\"'«»~≈"
"""Characters that mean nothing between words; to stand in brackets."""

ARROW = r"→|⟶|➔|⇒|->|=>"
_SEMICOLONS, _COMMAS, _CONJUNCTIONS = f";{_characters('semicolons')}", f",{_characters('commas')}", _any("conjunctions")

COMPONENTS = [entry for language in LANGUAGES for entry in language.components]
ATTRIBUTES = [entry for language in LANGUAGES for entry in language.attributes]
LABELS = {word: names for language in LANGUAGES for word, names in language.labels.items()}
ENDINGS = _any("endings")
PRESET, PRESET_AFTER = _any("preset"), _any("preset_after")

SENTENCE_END = rf"(?<=[.!?{_characters('sentence_ends')}])\s+(?=[^a-z\s])|[{_SEMICOLONS}]"
CLAUSE_END = rf"[{_COMMAS}—]|\b(?:{_any('clause_starts')})\b|{ARROW}"
IN_SERIES = rf"{ARROW}|[>/·:{_COMMAS}]|,?(?:{_CONJUNCTIONS})"
"""What parts the numbers of a series, without markup and brackets."""
COORDINATION = rf"(?:[{_COMMAS}&/\s]|\b(?:{_CONJUNCTIONS}|{_any('articles')})\b)*"
LAST_COORDINATION = rf"[&/]|\b(?:{_CONJUNCTIONS})\b"
"""What parts components that belong together, and the last two of them."""

UNITS = _any("units")
ADJECTIVES = _any("adjectives", UNITS)
OF_SHARES = _any("of_shares", ADJECTIVES)
CONNECTORS = _any("connectors")
PREPOSITIONS = _any("prepositions")
OPENING = rf"\W|\b(?:{_any('opening')})\b"
COUNTS = _any("counts")
ALL_SIZES = _any("all_sizes")
ONE_HEAD, HEADS_ARE, CONDITIONING = _any("one_head"), _any("heads_are"), _any("conditioning")

OTHERS, OURS, PAST, SUPPOSED = _any("others"), _any("ours"), _any("past"), _any("supposed")
FIRST = _any("first")
INDEXES = _any("indexes", FIRST)
RANGE = rf"\s*(?:{_any('ranges')}|\.\.|[-–—‑])\s*"
