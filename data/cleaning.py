"""Putting right what is harmless in a written text: what cannot be seen, and many ways to write the same mark."""

from __future__ import annotations

import re
import unicodedata

_SAME = {
    **dict.fromkeys("\u2010\u2011\u2012\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2015\u2e3a\u2e3b", "—"),
    **dict.fromkeys("„“”‟«»″〝〞「」『』《》〈〉", '"'),
    **dict.fromkeys("‚‘’‛‹›´`′", "'"),
    **dict.fromkeys("[]{}_~", " "),
    "٫": ".",
    "٬": ",",
}
_ALIKE = (
    ("\u0400-\u04ff", str.maketrans("ABCEHKMOPTXaceopxy", "АВСЕНКМОРТХасеорху")),
    ("\u0370-\u03ff", str.maketrans("ABEZHIKMNOPTYXo", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")),
)
"""Letters of a script, and Latin ones that are typed in place of its own."""

_JOINERS = "\u200c\u200d"
"""They are invisible, but decide how Persian and Indian letters are read."""

_FOLDED = {"<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>", "<font>"}
PICTURE = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff\u20e3]")
"""Emoji and the like."""

_BULLET = re.compile(r"[•▪◦●○■□‣⁃∙►▶]|(?<!\w)·|·(?!\w)")


def clean(text: str) -> str:
    """The same text without what nobody reads aloud: Unicode NFC, plain quotes, hyphens and spaces.

    What is invisible goes (marks of direction, soft hyphens, control characters, half surrogates), as do brackets,
    bullets and pictures; letters in another dress (full width, ligatures, look-alikes) are the plain ones. Cleaning
    twice changes nothing more.
    """
    plain = "".join(map(_plain, unicodedata.normalize("NFC", text)))
    text = unicodedata.normalize("NFC", _BULLET.sub(" ", PICTURE.sub(" ", plain)))
    return re.sub(rf"(?:\s+|^)[{_JOINERS}\s]*", " ", look_alikes(text)[0]).strip()


def look_alikes(text: str) -> tuple[str, list[str]]:
    """The text with Latin letters in Cyrillic and Greek words as the letters that they look like, and those words."""
    found: list[str] = []

    def mended(word: re.Match[str]) -> str:
        right = word[0].translate(same)
        if right == word[0] or not re.search(f"[{letters}]", word[0]):
            return word[0]
        found.append(word[0])
        return right

    for letters, same in _ALIKE:
        latin = "".join(map(chr, same))
        text = re.sub(rf"\b[{latin}{letters}]+\b", mended, text)
    return text, found


def _plain(character: str) -> str:
    if character < "\x7f" and character not in "[]{}_~`" and character >= " ":
        return character
    if character in _SAME:
        return _SAME[character]
    match unicodedata.category(character):
        case "Cf":
            return character if character in _JOINERS else ""
        case "Cs":
            return ""
        case "Cc" | "Zs" | "Zl" | "Zp":
            return " "
        case "Mn" if unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
            return ""
        case "Ll" | "Lo" | "Lu" | "Lm" | "Po" | "Sm" | "Nd":
            dress = unicodedata.decomposition(character).partition(" ")[0]
            if dress in _FOLDED or (dress == "<compat>" and "LIGATURE" in unicodedata.name(character)):
                return "".join(_SAME.get(plain, plain) for plain in unicodedata.normalize("NFKC", character))
    return character
