"""The one vocabulary: what the model knows of a sentence.

A token is a symbol (an IPA phone, a pause or an edge of the sentence) and a set of modifiers (stress, length, …), so
that many languages share a small vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

PAD, START, END, GAP, COMMA, STOP, QUESTION = range(7)
SILENT = (START, END, GAP, COMMA, STOP, QUESTION)
"""Symbols that may have no sound of their own: edges, word gaps and punctuation."""

PHONES = (
    *("aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "tʃ", "dʒ"),  # sounded as one
    *"abcdefhijklmnopqrstuvwxyzæçðøħŋœɐɑɒɔɕəɚɛɜɟɡɣɨɪɬɭɯɲɳɵɹɾʀʁʂʃʈʊʋʌʎʐʑʒʔʝʲβθχᵻ",
)
SYMBOLS = ("<pad>", "<start>", "<end>", "_", ",", ".", "?", *PHONES)
MODIFIERS = ("ˈ", "ˌ", "ː", "ʲ", "̃", "̩")
"""Primary and secondary stress, length, palatalisation, nasalisation, syllabicity: bit k of a token's modifiers."""


@dataclass(frozen=True)
class Tokens:
    """A sentence as the model reads it: `symbols` index `SYMBOLS`, `modifiers` are bit sets over `MODIFIERS`."""

    symbols: list[int]
    modifiers: list[int]

    def __len__(self) -> int:
        return len(self.symbols)


def has_sound(tokens: Tokens) -> bool:
    """Whether there is anything to say."""
    return any(symbol not in SILENT for symbol in tokens.symbols)
