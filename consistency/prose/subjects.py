"""What a number is about: the attribute beside it, and the component that has it."""

from __future__ import annotations

import re

from consistency.prose import words
from consistency.prose.sentences import (
    Mark,
    Number,
    Sentence,
    attributes_in,
    components_in,
    consists_of,
    open_bracket,
    split,
)
from consistency.prose.vocabulary import ENCODERS, SOME_ENCODER, WHOLE_MODEL

_WIDTHS = ("speaker", "prenet", "postnet")
"""Components whose name alone, before a number, means their width."""

_CLAUSE_END = re.compile(words.CLAUSE_END)


def attribute_of(sentence: Sentence, number: Number) -> tuple[Mark | None, str]:
    """The attribute beside a number, or at the head of its column or row, and a doubt."""
    for mark in sentence.attributes:
        gap = sentence.rest[number.end : mark.start]
        is_key = re.match(r"[`\"']*\s*[=:]", sentence.text[mark.end :])
        between = words.OF_SHARES if number.suffix == "%" else words.ADJECTIVES
        if mark.start >= number.end and not is_key and consists_of(gap, rf"[{words.MARKUP}\-‑]|\b(?:{between})\b"):
            if not re.search(r"=\s*$", sentence.text[: number.start]):
                return mark, ""
            break
    widths = [Mark(("dim",), m.start, m.end) for m in sentence.components if m.names[0] in _WIDTHS]
    for mark in sorted([*sentence.attributes, *widths], key=lambda mark: mark.end, reverse=True):
        gap = sentence.rest[mark.end : number.start]
        comment = r"|[)\]]|#|//" if sentence.kind == "code" else ""
        connectors = rf"[{words.MARKUP}:=(\[{{]|\b(?:{words.CONNECTORS})\b{comment}"
        if mark.end <= number.start and consists_of(gap, connectors):
            counted = re.search(rf"(?:{words.COUNTS})\W*$", sentence.rest[: mark.start], re.I)
            countable = mark.names[0] in ("layers", "heads") and not counted
            return (None, "") if countable and not gap.strip(" `*\"'") else (mark, "")
    others = sentence.text[: number.start] + sentence.text[number.end :]
    only = rf"[{words.MARKUP}()\-]*(?:{words.UNITS})?[{words.MARKUP}()]*"
    if sentence.kind == "cell" and re.fullmatch(only, others, re.I):
        return _attribute_of_labels(sentence)
    return None, ""


def attributes_of_intros(sentence: Sentence) -> list[str]:
    """The attributes that the nearest introduction names that names any."""
    for intro in sentence.intros:
        names = list(dict.fromkeys(mark.names[0] for mark in attributes_in(intro.text)))
        if intro.role != "paragraph" and names:
            return names
    return []


def component_of(sentence: Sentence, start: int, end: int) -> tuple[tuple[str, ...], str]:
    """The components that `text[start:end]`, a number with its attribute, is about, and a doubt."""
    marks = _merged(sentence)
    markup = rf"[{words.MARKUP}.('-]"
    beside = [mark for mark in marks if mark.start < end and start < mark.end]
    beside += [m for m in marks if m.end <= start and consists_of(sentence.text[m.end : start], markup)]
    gap_after = rf"[{words.MARKUP}\-‑]|\b(?:{words.PREPOSITIONS})\b"
    beside += [m for m in marks if m.start >= end and consists_of(sentence.text[end : m.start], gap_after)]
    if {mark.names for mark in marks} == {SOME_ENCODER}:
        names, doubt = component_of_intros(sentence)
        return (names, doubt) if names in (ENCODERS[:1], ENCODERS[1:]) else sure(SOME_ENCODER)
    if beside or len({mark.names for mark in marks}) == 1:
        return sure((beside or marks)[0].names)
    if not marks:
        return component_of_intros(sentence)
    opened = open_bracket(sentence.text[:start])
    owners = [mark for mark in marks if mark.end <= opened]
    if owners and re.fullmatch(r"\D{0,30}", sentence.text[owners[-1].end : opened]):
        return sure(owners[-1].names)
    clauses = list(split(sentence.text, _CLAUSE_END))
    before = [(at, at + len(clause)) for at, clause in clauses if at <= start]
    for first, last in reversed(before):
        inside = [mark for mark in marks if first <= mark.start < last]
        if len(inside) == 1:
            return sure(inside[0].names)
        if inside:
            nearest = max((mark for mark in inside if mark.end <= start), default=inside[0], key=lambda mark: mark.end)
            return nearest.names, "the sentence names several components"
    return marks[0].names, "the sentence names several components"


def component_of_intros(sentence: Sentence) -> tuple[tuple[str, ...], str]:
    """The components that the nearest introduction names that names any, and a doubt."""
    for intro in sentence.intros:
        marks = components_in(intro.text) if intro.role != "paragraph" else []
        names = list(dict.fromkeys(mark.names for mark in marks))
        if names and names != [WHOLE_MODEL]:
            if len(names) > 1:
                return marks[-1].names, "what introduces it names several components"
            only_heading = intro.role == "heading" and not consists_of(_opening(sentence), words.OPENING)
            return (names[0], "only a heading names a component") if only_heading else sure(names[0])
    return (), ""


def sure(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Components, and the doubt that they carry by themselves."""
    return names, "there are two encoders" if names == SOME_ENCODER else ""


def _attribute_of_labels(sentence: Sentence) -> tuple[Mark | None, str]:
    labels = [attributes_in(intro.text) for intro in sentence.intros if intro.role in ("column", "row")]
    found = list(dict.fromkeys(marks[0].names for marks in labels if len({mark.names for mark in marks}) == 1))
    doubt = "its column and its row name different attributes" if len(found) > 1 else ""
    return Mark(found[0], len(sentence.text), 0) if found else None, doubt


def _merged(sentence: Sentence) -> list[Mark]:
    """The components of a sentence; those that it lists, the last with an "and", count as one."""
    merged: list[Mark] = []
    for mark in reversed(sentence.components):
        between = sentence.text[mark.end : merged[-1].start] if merged else ""
        is_listed = bool(merged) and (len(merged[-1].names) > 1 or re.search(words.LAST_COORDINATION, between, re.I))
        if is_listed and re.fullmatch(words.COORDINATION, between, re.I):
            following = merged.pop()
            mark = Mark(tuple(dict.fromkeys(mark.names + following.names)), mark.start, following.end)
        merged.append(mark)
    return merged[::-1]


def _opening(sentence: Sentence) -> str:
    """What stands before the first number of a sentence, without components and attributes."""
    opening = sentence.rest[: min(number.start for number in sentence.numbers)]
    for mark in reversed(sentence.attributes):
        opening = opening[: mark.start] + opening[mark.end :]
    return opening
