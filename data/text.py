"""From written text to tokens: normalisation, sentences, phonemes by espeak-ng."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from num2words import CONVERTER_CLASSES, num2words

from data import espeak
from data.cleaning import clean
from data.languages import traits
from data.vocabulary import COMMA, END, GAP, MODIFIERS, PHONES, QUESTION, SILENT, START, STOP, SYMBOLS, TONES, Tokens

_PUNCTUATION = {
    **dict.fromkeys(".!…;。！；।॥۔։။።፨", STOP),
    **dict.fromkeys(",:—–،؛、，：၊՝፣፤፥", COMMA),
    **dict.fromkeys("?؟¿？፧", QUESTION),
}
_IGNORED = set(" -'\"’‘“”«»()¡\u200c\u200dʼʻ·・־׳״՛՞՜፡")
_SAID = set("/+=@°§№ºª%&*#")
"""Signs that espeak-ng has words for in many languages."""

_ONLY_NAMED = re.compile(r"l_ˈ[eɛ]\u031e?_[tɾ]_[əɚʁ]")
"""What espeak-ng makes of a letter that it cannot read: "Chinese letter"."""

_MARK = re.compile(rf"((?:[{''.join(set(_PUNCTUATION) - set('.,:'))}]|(?<!\d)[.,:]|[.,:](?!\d)|\s+(?=[.,:]))+)")
_BEFORE = {*MODIFIERS[:2], *TONES}
"""Modifiers that come before their phone; the others come after it."""

_PIECE = re.compile("|".join(sorted(map(re.escape, (*PHONES, *MODIFIERS)), key=len, reverse=True)) + r"|\S|\s+")
_NOT_HEARD = set("\"'^-()[]*+|!<>\\0189") | {"̪", "̞", "̈", "̻", "ᵝ", "͡"}
"""In espeak-ng's phones: what tells apart no two phones of a language, and what is no phone."""

_TONE_HEIGHTS = str.maketrans("˥˦˧˨˩ɜ+", "5432135")
_SPELLINGS = str.maketrans(
    {"ʦ": "ts", "ε": "ɛ", "ɫ": "lˠ", "g": "ɡ", "S": "ʃ", "Z": "ʒ", "N": "ŋ", "X": "χ", "A": "ɑ", ":": "ː", "?": "ʔ"}
    | {"#": "̥", "̊": "̥", "`": "ʼ", "̆": "̯", ".": "ˤ", "͡": ""}
    | {"ᵐ": "m̯", "ⁿ": "n̯", "ᵑ": "ŋ̯", "ᶮ": "ɲ̯", "ᶯ": "ɳ̯"}
)
_RETROFLEX = dict(zip("sztdnrl", "ʂʐʈɖɳɽɭ", strict=True))


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
    """Text as it is spoken and compared: clean, digits and signs as words, lower case, single spaces."""
    return _speak_digits(clean(text), language).lower()


def readings(texts: Sequence[str], language: str) -> list[Reading]:
    """How each text is read aloud; `language` is one of `configs.languages.voices`."""
    found = []
    for text in texts:
        words = _speak_digits(clean(text), language)
        tokens, strange = _tokens(_espeak(words, language))
        found.append(Reading(words.lower(), tokens, "".join(sorted(strange | set(unread(words, language))))))
    return found


def unread(text: str, language: str) -> str:
    """The characters of a clean text that are no part of the language and of no sign that it has words for."""
    return "".join(sorted({character for character in text if not _is_known(character, language)}))


def phonemize(texts: Sequence[str], language: str) -> list[Tokens]:
    """The tokens of each text, as in its `Reading`."""
    return [reading.tokens for reading in readings(texts, language)]


def split_sentences(text: str, max_characters: int = 160) -> list[str]:
    """Cut text into pieces to be spoken one after another: at sentence ends, then commas, then spaces."""
    pieces: list[str] = []
    for sentence in re.split(r"(?<=[.!?…؟۔।॥։။።])\s+|(?<=[。！？])|\n+", text.strip()):
        while len(sentence) > max_characters:
            window = sentence[: max_characters + 1]
            cut = max(window.rfind(mark) + 1 for mark in (", ", "; ", ": ", "، ", "、", "，"))
            if cut < max_characters // 4:
                cut = window.rfind(" ") if " " in window.strip() else max_characters
            pieces.append(sentence[:cut].strip())
            sentence = sentence[cut:].strip()
        pieces.append(sentence)
    return [piece for piece in pieces if piece]


def _speak_digits(text: str, language: str) -> str:
    """A clean text with its digits and signs as words, as far as they are not left to espeak-ng."""
    for sign, words in traits(language).signs.items():
        text = text.replace(sign, f" {words} ")

    def words_of(match: re.Match[str]) -> str:
        number, ordinal = match.group(1), bool(match.group(2))
        if len(number) > 12:  # a telephone or card number: digit by digit
            return f" {' '.join(_number(digit, language) for digit in number if digit.isdigit())} "
        return f" {_number(number, language, ordinal)} "

    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    if language in CONVERTER_CLASSES:
        ordinal = r"(st|nd|rd|th)\b" if language == "en" else r"(?!)()"
        text = re.sub(rf"(\d+(?:\.\d+)?)(?:{ordinal})?", words_of, text)
    return re.sub(r"\s+([.,!?;:…؟،])", r"\1", re.sub(r"\s+", " ", text)).strip()


def _number(digits: str, language: str, ordinal: bool = False) -> str:
    value = float(digits) if "." in digits else int(digits)
    try:
        return str(num2words(value, lang=language, to="ordinal" if ordinal else "cardinal"))
    except (ArithmeticError, LookupError, NotImplementedError, TypeError, ValueError):
        return digits  # espeak-ng reads it


@functools.cache
def _is_known(character: str, language: str) -> bool:
    if character in _PUNCTUATION or character in _IGNORED or character.isdecimal():
        return True
    if character in _SAID:
        return bool(espeak.phones(character, traits(language).voice).strip())
    category, name, own = unicodedata.category(character)[0], unicodedata.name(character, ""), traits(language).scripts
    if category == "L" and name.startswith(own) and not name.startswith("LATIN"):
        return not _ONLY_NAMED.search(espeak.phones(character, traits(language).voice))
    return category in "LM" and name.startswith(("LATIN", "COMBINING", *own))


def _espeak(words: str, language: str) -> list[str]:
    """espeak-ng's phones of what stands between marks, and the marks, in turn; none of what has no letter."""
    if not any(character.isalnum() for character in words):
        return [""]
    voice = traits(language).voice
    parts = _MARK.split(words)
    parts[::2] = [espeak.phones(part.strip(), voice) if part.strip() else "" for part in parts[::2]]
    return parts


def _spelled(phones: str) -> str:
    words = (re.split(r"_+", word) for word in phones.replace("q_1", "q").split())  # so it spells Persian's q
    return " ".join("".join(map(_spell, word)) for word in words)


@functools.lru_cache(100_000)
def _spell(phone: str) -> str:
    """A phone of espeak-ng's, some of which are in its own notation, in symbols and modifiers of the vocabulary."""
    phone = unicodedata.normalize("NFD", phone).replace("c\u0327", "ç").replace("i̪", "ɹ̩")
    phone = re.sub(r"([sztdnrl])\.", lambda match: _RETROFLEX[match[1]], phone)
    phone = re.sub(r"(.)([1-7˥˦˧˨˩ɜ+]+)$", lambda match: match[1] + match[2].translate(_TONE_HEIGHTS), phone)
    phone = re.sub(r"(?<=[aeiouy])nɡ(?=[1-7]*$)", "ŋ", phone.translate(_SPELLINGS))
    phone = re.sub(r"(?<=[ptkcqsɕʃʂʈ])h$", "ʰ", phone)
    return re.sub(r"^([ˈˌ]?)(.*[^1-7])([1-7]+)$", r"\1\3\2", phone)


def _tokens(parts: Sequence[str]) -> tuple[Tokens, set[str]]:
    """The tokens of phones and marks in turn; also returns the phones that have no symbol."""
    symbols, modifiers, unknown = [START], [0], set()

    def pause(mark: int) -> None:
        if symbols[-1] == START:
            return
        if symbols[-1] in SILENT:  # of neighbouring pauses the strongest stays
            symbols[-1] = max(symbols[-1], mark)
        else:
            symbols.append(mark)
            modifiers.append(0)

    for k, part in enumerate(parts):
        if k % 2:
            pause(max(_PUNCTUATION.get(mark, GAP) for mark in part))
            continue
        before = 0
        flagless = re.sub(r"\(.+?\)", "", part)  # where espeak-ng changes the language, it says so
        for piece in _PIECE.findall(_spelled(flagless)):
            if piece.isspace():
                pause(GAP)
            elif piece in _BEFORE:
                before |= 1 << MODIFIERS.index(piece)
            elif piece in MODIFIERS:
                modifiers[-1] |= 1 << MODIFIERS.index(piece) if symbols[-1] not in SILENT else 0
            elif piece in PHONES:
                symbols.append(SYMBOLS.index(piece))
                modifiers.append(before)
                before = 0
            elif piece not in _NOT_HEARD:
                unknown.add(piece)
    if symbols[-1] == GAP:
        symbols[-1], modifiers[-1] = END, 0
    else:
        symbols.append(END)
        modifiers.append(0)
    return Tokens(symbols, modifiers), unknown
