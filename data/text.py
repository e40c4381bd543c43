"""From written text to tokens: normalisation, sentences, phonemes by espeak-ng."""

from __future__ import annotations

import functools
import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import espeakng_loader
from num2words import num2words
from phonemizer.backend import EspeakBackend
from phonemizer.backend.espeak.wrapper import EspeakWrapper
from phonemizer.separator import Separator

from data.languages import TRAITS
from data.vocabulary import COMMA, END, GAP, MODIFIERS, PHONES, QUESTION, SILENT, START, STOP, SYMBOLS, Tokens

_PUNCTUATION = {
    **dict.fromkeys(".!…;", STOP),
    **dict.fromkeys(",:—–،؛", COMMA),
    **dict.fromkeys("?؟¿", QUESTION),
}
_IGNORED = set(" -'\"’‘“”«»()¡\u200c")
_PIECE = re.compile("|".join(sorted(map(re.escape, (*PHONES, *MODIFIERS)), key=len, reverse=True)) + r"|\S|\s+")


@dataclass(frozen=True)
class Reading:
    """How a text is read aloud."""

    words: str
    """As `normalize` gives them."""
    tokens: Tokens
    """From start to end symbol; a text without a sound has just those two."""
    unknown: str
    """The characters and phones that the vocabulary has no place for, and that are left out; usually empty."""


def normalize(text: str, language: str) -> str:
    """Text as it is spoken and compared: Unicode NFC, digits and signs as words, lower case, single spaces."""
    return _speak_digits(text, language).lower()


def readings(texts: Sequence[str], language: str) -> list[Reading]:
    """How each text is read aloud; `language` is one of `configs.schema.LANGUAGES`."""
    spoken = [_speak_digits(text, language) for text in texts]
    found = []
    for words, phones in zip(spoken, _espeak(spoken, language), strict=True):
        tokens, strange = _tokens(phones)
        strange |= {character for character in words if not _is_known(character, language)}
        found.append(Reading(words.lower(), tokens, "".join(sorted(strange))))
    return found


def phonemize(texts: Sequence[str], language: str) -> list[Tokens]:
    """The tokens of each text, as in its `Reading`."""
    return [reading.tokens for reading in readings(texts, language)]


def split_sentences(text: str, max_characters: int = 160) -> list[str]:
    """Cut text into pieces to be spoken one after another: at sentence ends, then commas, then spaces."""
    pieces: list[str] = []
    for sentence in re.split(r"(?<=[.!?…؟۔])\s+|\n+", text.strip()):
        while len(sentence) > max_characters:
            window = sentence[: max_characters + 1]
            cut = max(window.rfind(mark) + 1 for mark in (", ", "; ", ": ", "، "))
            if cut < max_characters // 4:
                cut = window.rfind(" ") if " " in window.strip() else max_characters
            pieces.append(sentence[:cut].strip())
            sentence = sentence[cut:].strip()
        pieces.append(sentence)
    return [piece for piece in pieces if piece]


def _speak_digits(text: str, language: str) -> str:
    text = unicodedata.normalize("NFC", text)
    for sign, words in TRAITS[language].signs.items():
        text = text.replace(sign, f" {words} ")

    def words_of(match: re.Match[str]) -> str:
        number, ordinal = match.group(1), bool(match.group(2))
        if len(number) > 12:  # a telephone or card number: digit by digit
            return " " + " ".join(num2words(int(digit), lang=language) for digit in number if digit.isdigit()) + " "
        value = float(number) if "." in number else int(number)
        return f" {num2words(value, lang=language, to='ordinal' if ordinal else 'cardinal')} "

    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    ordinal = r"(st|nd|rd|th)\b" if language == "en" else r"(?!)()"
    text = re.sub(rf"(\d+(?:\.\d+)?)(?:{ordinal})?", words_of, text)
    return re.sub(r"\s+([.,!?;:…؟،])", r"\1", re.sub(r"\s+", " ", text)).strip()


def _is_known(character: str, language: str) -> bool:
    if character in _PUNCTUATION or character in _IGNORED:
        return True
    scripts = ("LATIN", "COMBINING", TRAITS[language].script)
    return unicodedata.category(character)[0] in "LM" and unicodedata.name(character, "").startswith(scripts)


@functools.cache
def _backend(language: str) -> EspeakBackend:
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    quiet = logging.getLogger("myxtts.phonemizer")
    quiet.setLevel(logging.ERROR)
    marks = "".join(_PUNCTUATION)
    return EspeakBackend(
        TRAITS[language].voice,
        punctuation_marks=marks,
        preserve_punctuation=True,
        with_stress=True,
        language_switch="remove-flags",
        logger=quiet,
    )


def _espeak(spoken: Sequence[str], language: str) -> list[str]:
    """espeak-ng's phones of texts in which digits are words; none of what has no letter."""
    given = [k for k, text in enumerate(spoken) if any(c.isalpha() for c in text)]
    phones = [""] * len(spoken)
    if given:
        separator = Separator(phone="", word=" ", syllable="")
        made = _backend(language).phonemize([spoken[k] for k in given], separator=separator, strip=True)
        for k, result in zip(given, made, strict=True):
            phones[k] = result.replace("q1", "q")  # espeak-ng's Persian spells /q/ so
    return phones


def _tokens(phones: str) -> tuple[Tokens, set[str]]:
    """Read espeak-ng's output; also returns the phones that have no symbol."""
    symbols, modifiers, unknown, stress = [START], [0], set(), 0
    for piece in _PIECE.findall(unicodedata.normalize("NFD", phones).replace("c\u0327", "ç")):
        if piece in _PUNCTUATION or piece.isspace():
            mark = _PUNCTUATION.get(piece, GAP)
            if symbols[-1] == START:
                continue
            if symbols[-1] in SILENT:  # of neighbouring pauses the strongest stays
                symbols[-1] = max(symbols[-1], mark)
            else:
                symbols.append(mark)
                modifiers.append(0)
        elif piece in MODIFIERS[:2]:  # stress comes before its vowel, the other modifiers after their phone
            stress = 1 << MODIFIERS.index(piece)
        elif piece in MODIFIERS:
            modifiers[-1] |= 1 << MODIFIERS.index(piece) if symbols[-1] not in SILENT else 0
        elif piece in PHONES:
            symbols.append(SYMBOLS.index(piece))
            modifiers.append(stress)
            stress = 0
        elif piece not in _IGNORED and piece not in '"^̪' and not piece.isdigit():
            unknown.add(piece)
    if symbols[-1] == GAP:
        symbols[-1], modifiers[-1] = END, 0
    else:
        symbols.append(END)
        modifiers.append(0)
    return Tokens(symbols, modifiers), unknown
