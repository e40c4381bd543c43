"""Numbers as documents write them: Latin, Persian or Arabic digits, words, separators and suffixes."""

from __future__ import annotations

import re

SUFFIXES = {
    **dict.fromkeys(("%", "٪", "percent", "درصد"), "%"),
    **dict.fromkeys(("x", "×", "times", "برابر"), "x"),
    **{"k": "k", "khz": "k", "m": "m", "million": "m", "میلیون": "m", "b": "b", "billion": "b"},
}
SCALES = {"k": 1e3, "m": 1e6, "b": 1e9}
WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "twenty-one"),
    *("twenty-two", "twenty-three", "twenty-four"),
)
DIGITS = "0-9۰-۹٠-٩"
NUMBER = re.compile(
    rf"(?<![\w.@$#٫])(?<![a-z_][-/])(?<!\d:)"
    rf"(?P<plain>[{DIGITS}]{{1,3}}(?:[,٬_\u202f\u2009][{DIGITS}]{{3}})+(?:[.٫][{DIGITS}]+)?"
    rf"|[{DIGITS}]+(?:[.٫][{DIGITS}]+)?)(?P<suffix>\s?(?:[%٪]|(?:percent|million|billion|khz|times|درصد|میلیون|برابر)(?!\w))"
    rf"|\s?(?-i:[MB])(?!\w)|[xk×](?![\w×])|(?![a-z_{DIGITS}]))(?![.٫,:٬_][{DIGITS}])(?!\s?[x×*]\s?[{DIGITS}])"
    rf"|\b(?P<word>{'|'.join(reversed(WORDS[2:]))})\b(?!-\w+-)",
    re.I,
)
WESTERN = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.", ",٬_\u202f\u2009")
SEPARATOR = re.compile(r"[,٬_\u202f\u2009]")


def read(match: re.Match[str]) -> tuple[float, str]:
    """The value of what `NUMBER` matched, and its suffix: %, x, k, m, b or none."""
    plain = str(WORDS.index(match["word"].lower())) if match["word"] else match["plain"].translate(WESTERN)
    suffix = SUFFIXES.get((match["suffix"] or "").strip().lower(), "")
    return float(plain) * SCALES.get(suffix, 1), suffix


def precision(written: str) -> tuple[float, int]:
    """What a written number is multiplied by, and its decimals."""
    match = NUMBER.fullmatch(written)
    if match is None:
        raise ValueError(f"{written!r} is not a number")
    fraction = re.search(r"[.٫](.+)", match["plain"] or "")
    return SCALES.get(read(match)[1], 1.0), len(fraction[1]) if fraction else 0


def write_like(match: re.Match[str], number: str) -> str:
    """A decimal number as what `NUMBER` matched is written, with its suffix."""
    written = match["plain"]
    if written is None:
        word = WORDS[int(number)] if number.isdigit() and int(number) < len(WORDS) else number
        return word.capitalize() if match[0][0].isupper() else word
    whole, point, fraction = number.partition(".")
    if separator := SEPARATOR.search(written):
        whole = f"{int(whole):,}".replace(",", separator[0])
    for digits in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"):
        if written[0] in digits:
            point = point and ("." if "." in written else "٫")
            table = str.maketrans("0123456789", digits)
            whole, fraction = whole.translate(table), fraction.translate(table)
    return f"{whole}{point}{fraction}{match['suffix']}"
