"""Numbers as documents write them: in any language's digits or words, with separators and suffixes."""

from __future__ import annotations

import re

from consistency.prose.languages import LANGUAGES

DIGITS = "0-9" + "".join(f"{digits[0]}-{digits[-1]}" for language in LANGUAGES for digits in language.digits)
"""All digits, to stand in brackets of a pattern."""

_POINTS = "." + "".join(language.decimal_points for language in LANGUAGES)
_MARKS = ",_" + "".join(language.separators for language in LANGUAGES)
_SEPARATORS = f"{_MARKS}\u202f\u2009"
_PERCENT = "%" + "".join(language.percent_signs for language in LANGUAGES)
_WORDS = {  # how languages call the numbers that each of these words is among; "one" is too common to be one
    word: language.numbers for language in LANGUAGES for word in reversed(language.numbers[2:])
}
_SUFFIX_WORDS = {word: suffix for language in LANGUAGES for word, suffix in language.suffixes.items()}
_SUFFIXES = dict.fromkeys(_PERCENT, "%") | {"x": "x", "×": "x", "k": "k", "m": "m", "b": "b"} | _SUFFIX_WORDS
_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9}

NUMBER = re.compile(
    rf"(?<![\w@$#{_POINTS}])(?<![a-z_][-/])(?<!\d:)"
    rf"(?P<plain>[{DIGITS}]{{1,3}}(?:[{_SEPARATORS}][{DIGITS}]{{3}})+(?:[{_POINTS}][{DIGITS}]+)?"
    rf"|[{DIGITS}]+(?:[{_POINTS}][{DIGITS}]+)?)(?P<suffix>\s?(?:[{_PERCENT}]|(?:{'|'.join(_SUFFIX_WORDS)})(?!\w))"
    rf"|\s?(?-i:[MB])(?!\w)|[xk×](?![\w×])|(?![a-z_{DIGITS}]))(?![:{_POINTS}{_MARKS}][{DIGITS}])"
    rf"(?!\s?[x×*]\s?[{DIGITS}])"
    rf"|\b(?P<word>{'|'.join(_WORDS)})\b(?!-\w+-)",
    re.I,
)


def read(match: re.Match[str]) -> tuple[float, str]:
    """The value of what `NUMBER` matched, and its suffix: %, x, k, m, b or none."""
    if match["word"]:
        word = match["word"].lower()
        return float(_WORDS[word].index(word)), ""
    suffix = _SUFFIXES.get(match["suffix"].strip().lower(), "")
    plain = re.sub(f"[{_POINTS}]", ".", re.sub(f"[{_SEPARATORS}]", "", match["plain"]))
    return float(plain) * _SCALES.get(suffix, 1), suffix


def precision(written: str) -> tuple[float, int]:
    """What a written number is multiplied by, and its decimals."""
    match = NUMBER.fullmatch(written)
    if match is None:
        raise ValueError(f"{written!r} is not a number")
    fraction = re.search(f"[{_POINTS}](.+)", match["plain"] or "")
    return _SCALES.get(read(match)[1], 1.0), len(fraction[1]) if fraction else 0


def write_like(match: re.Match[str], number: str) -> str:
    """A decimal number as what `NUMBER` matched is written, with its suffix."""
    if match["word"]:
        words = _WORDS[match["word"].lower()]
        word = words[int(number)] if number.isdigit() and int(number) < len(words) else number
        return word.capitalize() if match["word"][0].isupper() else word
    written = match["plain"]
    whole, point, fraction = number.partition(".")
    if separator := re.search(f"[{_SEPARATORS}]", written):
        whole = f"{int(whole):,}".replace(",", separator[0])
    for language in LANGUAGES:
        for digits in language.digits:
            if written[0] in digits:
                point = point and ("." if "." in written else language.decimal_points[:1] or ".")
                table = str.maketrans("0123456789", digits)
                whole, fraction = whole.translate(table), fraction.translate(table)
    return f"{whole}{point}{fraction}{match['suffix']}"
