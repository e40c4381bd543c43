"""What is known of each language beyond what espeak-ng knows: its script, and signs that are read in another way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from configs.languages import voices

_LATIN = ("LATIN",)
_CHINESE = ("CJK", "IDEOGRAPHIC", "BOPOMOFO")
_SCRIPTS: Mapping[tuple[str, ...], str] = {
    ("ARABIC",): "ar fa sd ug ur",
    ("ARMENIAN",): "hy hyw",
    ("BENGALI",): "as bn bpy",
    ("CHEROKEE",): "chr",
    _CHINESE: "cmn yue zh",
    ("CYRILLIC",): "ba be bg cv kk ky mk nog ru tt uk",
    ("CYRILLIC", "LATIN"): "sr uz",
    ("DEVANAGARI",): "hi kok mr ne",
    ("ETHIOPIC",): "am ti",
    ("GEORGIAN",): "ka",
    ("GREEK",): "el grc",
    ("GUJARATI",): "gu",
    ("GURMUKHI",): "pa",
    ("HANGUL",): "ko",
    ("HEBREW",): "he",
    ("HIRAGANA", "KATAKANA", *_CHINESE): "ja",
    ("KANNADA",): "kn",
    ("MALAYALAM",): "ml",
    ("MYANMAR",): "my shn",
    ("ORIYA",): "or",
    ("SHAVIAN",): "en-shaw",
    ("SINHALA",): "si",
    ("TAMIL",): "ta",
    ("TELUGU",): "te",
    ("THAI",): "th",
}
_SCRIPTS_OF = {code: scripts for scripts, codes in _SCRIPTS.items() for code in codes.split()}
_SIGNS: Mapping[str, Mapping[str, str]] = {
    "en": {"%": "percent", "&": "and", "*": "star", "#": "pound"},
    "es": {"%": "por ciento", "&": "y", "*": "asterisco", "#": "numeral"},
    "fa": {"%": "درصد", "&": "و", "*": "ستاره", "#": "مربع"},
    "fr": {"%": "pour cent", "&": "et", "*": "étoile", "#": "dièse"},
    "it": {"%": "per cento", "&": "e", "*": "asterisco", "#": "cancelletto"},
    "ru": {"%": "процентов", "&": "и", "*": "звёздочка", "#": "решётка"},
}
_VOICES = {"en": "en-us", "es": "es-419"}


class Traits(NamedTuple):
    """How a language is spoken and written."""

    voice: str
    """Whose phonemes are meant: a voice of espeak-ng."""
    scripts: tuple[str, ...]
    """What the Unicode names of its letters begin with."""
    signs: Mapping[str, str]
    """Signs that are read as words; what others are called is left to espeak-ng."""


def traits(language: str) -> Traits:
    """What is known of a language, one of `configs.languages.voices`."""
    family = language.partition("-")[0]
    scripts = _SCRIPTS_OF.get(language) or (_LATIN if "-latn" in language else _SCRIPTS_OF.get(family, _LATIN))
    return Traits(voices()[_VOICES.get(language, language)], scripts, _SIGNS.get(language, {}))
