"""Sentences to say that nobody recorded, in the languages of a corpus."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

FAR_SENTENCES = "far_sentences.txt"
"""Sentences far from any prompt: a line for each, its language, a tab, the sentence."""
HARD_SENTENCES = "hard_sentences.txt"
"""Lines at which speech might not end: digits, names, letters, long and broken ones."""

_MADE_WORDS = (3, 9)  # of a sentence, fewest and most
_LONG_WORDS = 60
_ENDS = ("!", "?!", "...", ",", " -", ";")
_DIGITS = ("0", "7", "12", "42", "100", "1984", "3.14", "12, 11, 10, 9, 8", "4111 1111 1111 1111", "1 000 000")


class Sentence(NamedTuple):
    """A text and its language."""

    language: str
    text: str


def far_sentences(words: Mapping[str, Sequence[str]], most: int) -> list[Sentence]:
    """At most so many sentences, as many in each language as in the others.

    `words` has for each language those of the corpus; where there are no sentences of ours, some are made of them.
    """
    return _evenly({name: _ours(FAR_SENTENCES, name) or made_sentences(own, most) for name, own in words.items()}, most)


def hard_sentences(words: Mapping[str, Sequence[str]], most: int) -> list[Sentence]:
    """At most so many lines, evenly as `far_sentences`; after ours there are some made of the corpus' words."""
    return _evenly({name: [*_ours(HARD_SENTENCES, name), *made_lines(own)] for name, own in words.items()}, most)


def words_of(pieces: pd.DataFrame) -> dict[str, list[str]]:
    """The words of each language of a corpus' pieces, sorted; first choice are texts that training never read."""
    found = {}
    for language, own in pieces.groupby("language"):
        test = own[own["split"] == "test"]
        texts = (test if len(test) else own)["text"]
        found[str(language)] = sorted({word for text in texts for word in re.findall(r"[^\W\d_]+", text)})
    return found


def even_shares(there: Mapping[str, int], most: int) -> dict[str, int]:
    """How many to take of each, at most so many in all: equally many, and more where others have fewer."""
    shares: dict[str, int] = {}
    for name in sorted(there, key=lambda name: (there[name], name)):
        shares[name] = min(there[name], (most - sum(shares.values())) // (len(there) - len(shares)))
    return shares


def made_sentences(words: Sequence[str], most: int) -> list[str]:
    """Sentences without a sense, of a corpus' words in another order; the same for the same words."""
    draw = random.Random(0)
    drawn = [draw.choices(words, k=draw.randint(*_MADE_WORDS)) for _ in range(most if words else 0)]
    return [" ".join(some) + draw.choice(".?") for some in drawn]


def made_lines(words: Sequence[str]) -> list[str]:
    """Lines at which speech might not end, of words, their letters and digits; the same for the same words."""
    if not words:
        return list(_DIGITS)
    some = random.Random(0).choices(words, k=_LONG_WORDS)
    letters = sorted({letter for word in words for letter in word})
    lines = [
        *_DIGITS,
        *some[:10],
        *(" ".join([word] * 8) for word in some[10:13]),
        *(f"{word}{end}" for word, end in zip(some[13:], _ENDS, strict=False)),
        f'({some[20]}) "{some[21]}"',
        ". ".join(some[22:32]) + ".",
        ", ".join(some[32:52]),
        " ".join(some),
        " ".join(letters),
        *letters,
    ]
    return list(dict.fromkeys(lines))


def _ours(name: str, language: str) -> list[str]:
    """The lines of one of the files beside this module in a language, or in that of which it is a variant."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    sentences = [Sentence(*line.split("\t", 1)) for line in lines]
    own = [sentence.text for sentence in sentences if sentence.language == language]
    base = language.partition("-")[0]
    return own or ([] if base == language else _ours(name, base))


def _evenly(sentences: Mapping[str, Sequence[str]], most: int) -> list[Sentence]:
    shares = even_shares({language: len(own) for language, own in sentences.items()}, most)
    return [Sentence(language, text) for language in sorted(shares) for text in sentences[language][: shares[language]]]
