"""The one vocabulary: what the model knows of a sentence.

A token is a symbol (an IPA phone, a pause or an edge of the sentence) and a set of modifiers (stress, length, …), so
that many languages share a small vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

PAD, START, END, GAP, COMMA, STOP, QUESTION = range(7)
SILENT = (START, END, GAP, COMMA, STOP, QUESTION)
"""Symbols that may have no sound of their own: edges, word gaps and punctuation."""

# Voices keep the ids that they were trained with: what is new in these lists comes last.
PHONES = (
    *("aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "tʃ", "dʒ"),  # sounded as one
    *"abcdefhijklmnopqrstuvwxyzæçðøħŋœɐɑɒɔɕəɚɛɜɟɡɣɨɪɬɭɯɲɳɵɹɾʀʁʂʃʈʊʋʌʎʐʑʒʔʝʲβθχᵻ",
    *"ɖɗɘɤɥɱɴɸɻɽʉʍʏʕ",
)
SYMBOLS = ("<pad>", "<start>", "<end>", "_", ",", ".", "?", *PHONES)
TONES = tuple("1234567")
MODIFIERS = ("ˈ", "ˌ", "ː", "ʲ", "̃", "̩", "ʰ", "ʼ", "ˤ", "̥", "ˠ", "̯", "̝", "̺", *TONES)
"""Bit k of a token's modifiers.

Primary and secondary stress, length, palatalisation, nasalisation, syllabicity; aspiration, glottalisation,
pharyngealisation, no voice, velarisation, shortness, raising, made with the tip of the tongue; and the language's
tones by their numbers, or the heights that a tone goes through.
"""


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
