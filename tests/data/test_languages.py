from __future__ import annotations

import gettext
import itertools
import random
import re
import unicodedata
from pathlib import Path

import pytest

from configs.languages import voices
from data.languages import traits
from data.text import readings
from data.vocabulary import SILENT

TRANSLATIONS = Path("/usr/share/locale")
"""Debian's `iso-codes` puts the names of countries and languages here, in a hundred languages."""


def test_a_language_is_written_in_its_script() -> None:
    letters = {"ru": "ж", "fa": "گ", "hi": "क", "ro": "ș", "zh": "中", "sr": "ж", "ru-lv": "ж", "cmn-latn-pinyin": "ǎ"}
    for language, letter in letters.items():
        assert unicodedata.name(letter).startswith(traits(language).scripts), language


def test_the_voice_of_a_language_is_a_file_of_its_own() -> None:
    assert traits("en").voice == "gmw/en-US"
    assert traits("es").voice == "roa/es-419"
    assert traits("ro").voice == "roa/ro"
    assert traits("zh").voice == traits("cmn").voice == "sit/cmn"


def test_sixty_languages_have_no_unknown_phone() -> None:
    texts: dict[str, set[str]] = {}
    for catalogue in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/iso_3166*.mo")):
        language = {"zh_CN": "cmn", "pt_BR": "pt-br"}.get(catalogue.parts[-3], catalogue.parts[-3])
        if language in voices():
            with catalogue.open("rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            texts.setdefault(language, set()).update(text for key, text in catalog.items() if key)
    texts = {language: some for language, some in texts.items() if len(some) > 20}
    if not texts:
        pytest.skip("Debian's package iso-codes is not installed")
    assert len(texts) >= 60
    strange: dict[str, set[str]] = {}
    for language, some in texts.items():
        chosen = random.Random(0).sample(sorted(some), min(len(some), 40))
        read = readings(chosen, language)
        assert sum(symbol not in SILENT for reading in read for symbol in reading.tokens.symbols) > 40, language
        phones = {c for reading in read for c in reading.unknown if c not in "".join(chosen)}
        strange |= {language: phones} if phones else {}
    assert not strange


@pytest.mark.parametrize("language", sorted(voices()))
def test_every_language_is_read(language: str) -> None:
    """The letters of the language's own script, in a row of short words."""
    name = traits(language).scripts[0]
    letters = [c for c in map(chr, range(0x21, 0x3100)) if unicodedata.name(c, "").startswith(f"{name} ")]
    if name == "CJK":
        letters = [chr(k) for k in range(0x4E00, 0x4E80)]
    small = [c for c in letters if unicodedata.category(c) in ("Ll", "Lo") and c.isalpha()][:60]
    (reading,) = readings([" ".join(a + b + a for a, b in itertools.pairwise(small))], language)
    assert not re.sub(r"[\W\d_]|" + "|".join(small), "", reading.unknown), reading.unknown
