"""A sentence, and what it names: components, attributes and numbers, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from consistency.prose import words
from consistency.prose.numerals import NUMBER, read
from consistency.prose.passages import Intro, Passage
from consistency.prose.vocabulary import VAGUE

_FLAG = re.compile(r"\b(?:true|false)\b", re.I)
_SENTENCE_END, _ARROW = re.compile(words.SENTENCE_END), re.compile(words.ARROW)


@dataclass(frozen=True)
class Mark:
    """A component or an attribute in a sentence."""

    names: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Number:
    """A number, or true or false, in a sentence."""

    value: float | bool
    suffix: str
    start: int
    end: int


class Sentence:
    """A sentence with what it names; offsets are its own, `start` is where it begins in the text."""

    def __init__(self, text: str, start: int, passage: Passage, said: Sequence[str]) -> None:
        self.text, self.start, self.kind = text, start, passage.kind
        self.intros = (*(Intro("said", sentence) for sentence in reversed(said)), *passage.intros)
        self.components, self.attributes = components_in(text), attributes_in(text)
        self.numbers = [Number(*read(match), *match.span()) for match in NUMBER.finditer(text)]
        self.numbers += [Number(m[0].lower() == "true", "", *m.span()) for m in _FLAG.finditer(text)]
        self.rest = text  # the same without components, whose place among other words is free
        for mark in self.components:
            self.rest = self.rest[: mark.start] + " " * (mark.end - mark.start) + self.rest[mark.end :]

    def series(self) -> Iterator[list[Number]]:
        """Runs of numbers with nothing between them but commas, arrows or the names of components."""
        run = self.numbers[:1]
        for last, number in pairwise(self.numbers):
            between = re.sub(rf"[{words.MARKUP}()]", "", self.rest[last.end : number.start])
            if re.fullmatch(words.IN_SERIES, between):
                run.append(number)
            else:
                yield run
                run = [number]
        if run:
            yield run

    def has_arrow(self, series: Sequence[Number]) -> bool:
        """Whether an arrow leads through a series."""
        return bool(_ARROW.search(self.text[series[0].start : series[-1].end]))

    def is_ratio(self, series: Sequence[Number]) -> bool:
        """Whether a series is written as a ratio: 1 : 2, or 1x and 2x."""
        colons = [":" in self.text[last.end : number.start] for last, number in pairwise(series)]
        return len(series) > 1 and (all(colons) or all(number.suffix == "x" for number in series))

    def is_change(self, numbers: Sequence[Number]) -> bool:
        """Whether an arrow leads from one number to another without naming a component on each side."""
        pieces = [(at, at + len(piece)) for at, piece in split(self.text, _ARROW)]
        holding = [(first, last) for first, last in pieces if any(first <= n.start < last for n in numbers)]
        named = [any(first <= mark.start < last for mark in self.components) for first, last in holding]
        return len(holding) > 1 and not all(named)


def sentences(passage: Passage) -> Iterator[Sentence]:
    """The sentences of a passage; each is introduced by those before it."""
    said: list[str] = []
    for start, text in split(passage.text, _SENTENCE_END):
        yield Sentence(text, passage.start + start, passage, said)
        said.append(text)


def components_in(text: str) -> list[Mark]:
    """The components that a text names."""
    marks = [Mark(words.COMPONENTS[(m.lastindex or 1) - 1][0], *m.span()) for m in _COMPONENT.finditer(text)]
    marks += [Mark(words.LABELS[m[1].lower()], *m.span(1)) for m in _LABEL.finditer(text)]
    for vague in VAGUE:
        marks = [mark for mark in marks if mark.names != vague] or marks
    return sorted(marks, key=lambda mark: mark.start)


def attributes_in(text: str) -> list[Mark]:
    """The attributes that a text names; what is called, as in `frame.head(5)`, is none."""
    return [
        Mark((words.ATTRIBUTES[(m.lastindex or 1) - 1][0],), *m.span())
        for m in _ATTRIBUTE.finditer(text)
        if text[m.end() : m.end() + 1] != "("
    ]


def split(text: str, ends: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """The pieces of a text with their offsets."""
    at = 0
    for match in ends.finditer(text):
        yield at, text[at : match.start()]
        at = match.end()
    yield at, text[at:]


def consists_of(text: str, parts: str) -> bool:
    """Whether there is nothing in a text but what a pattern matches."""
    return re.fullmatch(rf"(?:{parts})*", text, re.I) is not None


def open_bracket(text: str) -> int:
    """Where the innermost bracket that is still open was opened; -1 if none is."""
    opened: list[int] = []
    for match in re.finditer(r"[(\[{]|[)\]}]", text):
        if match[0] in "([{":
            opened.append(match.start())
        elif opened:
            opened.pop()
    return opened[-1] if opened else -1


def _pattern(vocabulary: Iterable[tuple[Any, str]]) -> re.Pattern[str]:
    """One group for each entry; the first that matches counts."""
    groups = "|".join(f"({pattern})" for _, pattern in vocabulary)
    return re.compile(rf"(?<![^\W_])(?<!\w_)(?:{groups})(?:{words.ENDINGS})?(?![\w\[])", re.I)


_COMPONENT, _ATTRIBUTE = _pattern(words.COMPONENTS), _pattern(words.ATTRIBUTES)
_LABEL = re.compile(
    rf"(?:^|(?<=[(|]))[{words.MARKUP}]*({'|'.join(words.LABELS)})(?=[{words.MARKUP}]*(?:[:)|]|$))", re.I
)
