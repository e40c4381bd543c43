"""What is known of each language. Another one is a line here, and its code in `configs.schema.Language`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Traits(NamedTuple):
    """How a language is spoken and written."""

    voice: str
    """Whose phonemes espeak-ng gives, by the name that phonemizer knows."""
    script: str
    """What the Unicode names of its letters begin with."""
    signs: Mapping[str, str]
    """Signs that are read as words."""


TRAITS: Mapping[str, Traits] = {
    "en": Traits("en-us", "LATIN", {"%": "percent", "&": "and", "*": "star", "#": "pound"}),
    "es": Traits("es-419", "LATIN", {"%": "por ciento", "&": "y", "*": "asterisco", "#": "numeral"}),
    "fa": Traits("fa", "ARABIC", {"%": "درصد", "&": "و", "*": "ستاره", "#": "مربع"}),
    "fr": Traits("fr-fr", "LATIN", {"%": "pour cent", "&": "et", "*": "étoile", "#": "dièse"}),
    "it": Traits("it", "LATIN", {"%": "per cento", "&": "e", "*": "asterisco", "#": "cancelletto"}),
    "ru": Traits("ru", "CYRILLIC", {"%": "процентов", "&": "и", "*": "звёздочка", "#": "решётка"}),
}
