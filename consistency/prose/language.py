"""What the reader has to know of a language: one table of words and patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Language:
    """The words of one language. What it has no word for is left out.

    What is said of a word holds for a pattern of it: all are regular expressions that ignore case, parted by bars where
    there are several. They are looked for as whole words, unless a field is called a pattern, in a text whose letters
    have been replaced as `letters` says.
    """

    # What there is to speak of. Of the patterns that match at one place, the first counts.
    components: tuple[tuple[tuple[str, ...], str], ...] = ()
    """The components that a word means, see `consistency.prose.vocabulary`."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words that mean a component only where they stand alone: before a colon, in brackets, in a cell."""
    attributes: tuple[tuple[str, str], ...] = ()
    """The attribute that a word means."""
    endings: str = ""
    """What may cling to a word for a component or an attribute, such as that of a genitive."""
    preset: str = ""
    """What precedes a preset's name, so that it is one."""
    preset_after: str = ""
    """What follows a preset's name, so that it is one."""

    # How it writes.
    letters: Mapping[str, str] = field(default_factory=dict)
    """Other ways to type a letter, and the letter."""
    sentence_ends: str = ""
    """Characters that end a sentence if a space follows, besides . ! and ?"""
    semicolons: str = ""
    """Characters that part sentences by themselves, besides ;"""
    commas: str = ""
    """Characters that part clauses, besides , and —"""
    digits: tuple[str, ...] = ()
    """Strings of its ten digits, from zero, besides 0123456789."""
    decimal_points: str = ""
    """Characters before decimals, besides ."""
    separators: str = ""
    """Characters between thousands, besides , _ and narrow spaces."""
    percent_signs: str = ""
    """Characters that mean a share, besides %"""
    numbers: tuple[str, ...] = ()
    """Words for numbers, from zero without a gap."""
    suffixes: Mapping[str, str] = field(default_factory=dict)
    """Words after a number that scale it: % a share, x a ratio, k, m and b thousands, millions and billions."""
    units: str = ""
    """Words for hertz."""

    # What may stand between a number and what it is about.
    adjectives: str = ""
    """Between a number and the attribute after it."""
    of_shares: str = ""
    """The same, only if the number is a share."""
    connectors: str = ""
    """Between an attribute and the number after it."""
    prepositions: str = ""
    """Between a number with its attribute and the component after both."""
    conjunctions: str = ""
    """Before the last of several components or numbers that belong together."""
    articles: str = ""
    """Before each of several components."""
    clause_starts: str = ""
    """What begins another clause."""
    opening: str = ""
    """What a sentence begins with, up to its first number, that speaks of what its heading names."""
    counts: str = ""
    """Before layers or heads: that these are counted."""
    all_sizes: str = ""
    """What says that width, depth and heads follow, in this order."""

    # Patterns of what stands before the width of a head.
    one_head: str = ""
    heads_are: str = ""
    conditioning: str = ""
    """Pattern: layers are those that attend to the reference."""

    # Company in which a number is no claim about this model as it is.
    others: str = ""
    """Pattern: of other models."""
    ours: str = ""
    """Pattern: of ours, whatever else is named."""
    past: str = ""
    """Pattern: no more so."""
    supposed: str = ""
    """Pattern: not so, or not here."""
    indexes: str = ""
    """Directly before a number that is an index or a bound."""
    first: str = ""
    """The same, unless layers that attend to the reference are counted."""
    ranges: str = ""
    """Between the ends of a range."""
