"""What a text claims about the model, in English and Persian: tables, settings and sentences.

Each number is brought together with an attribute, a component and a preset. What can be read in more than one way
carries a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from consistency.numerals import DIGITS, NUMBER, precision, read, write_like
from consistency.passages import Intro, Passage, passages
from consistency.vocabulary import (
    ADJECTIVES,
    ALL,
    ATTRIBUTES,
    COMPONENTS,
    CONDITIONING,
    CONNECTORS,
    COORDINATION,
    ENCODERS,
    FITTING,
    HEADS_ARE,
    LABELS,
    LAST_COORDINATION,
    OF_OTHERS,
    ONE_HEAD,
    OPENING,
    OTHERS,
    OURS,
    PARTS,
    PAST,
    PREPOSITIONS,
    RANGE,
    SIZES,
    SUPPOSED,
    UNLIKE_A_CLAIM,
)

DEFAULT_PRESET = "full"
ROUNDED = ("parameters", "_percent")
"""How the names of measured facts end, which documents may round."""


@dataclass(frozen=True)
class Claim:
    """One fact that a text states; `text[start:end] == stated`."""

    preset: str
    fact: str
    stated: str  # as written, with its suffix: ۱۲, 1,536, 88%, 4x, 697M
    value: float | bool | tuple[float, ...]
    start: int
    end: int
    line: int  # from 1
    doubt: str = ""  # why this may mean something else; such a claim is never rewritten


FLAG = re.compile(r"\b(?:true|false)\b", re.I)
MARKUP = r"\s`*_\"'«»~≈"
ARROW = r"→|⟶|➔|⇒|->|=>"
SENTENCE_END = re.compile(r"(?<=[.!?؟])\s+(?=[^a-z\s])|[;؛]")
CLAUSE_END = re.compile(rf"[,،—]|\b(?:and|while|whereas|but|و|اما|ولی)\b|{ARROW}")


def _pattern(vocabulary: Iterable[tuple[Any, str]]) -> re.Pattern[str]:
    """One group for each entry; the first that matches counts."""
    groups = "|".join(f"({words})" for _, words in vocabulary)
    return re.compile(rf"(?<![^\W_])(?<!\w_)(?:{groups})(?:'s|’s)?(?![\w\[])", re.I)


COMPONENT, ATTRIBUTE = _pattern(COMPONENTS), _pattern(ATTRIBUTES)
LABEL = re.compile(rf"(?:^|(?<=[(|]))[{MARKUP}]*({'|'.join(LABELS)})(?=[{MARKUP}]*(?:[:)|]|$))", re.I)


# Claims and truths


def agrees(claim: Claim, truth: Any) -> bool:
    """Whether a claim is true; what is measured or abbreviated may be rounded to the decimals that are written."""
    if isinstance(claim.value, tuple):
        return isinstance(truth, list) and list(claim.value) == truth
    if isinstance(claim.value, bool) or not isinstance(truth, int | float):
        return claim.value is truth
    scale, decimals = precision(claim.stated)
    rounded = scale > 1 or claim.fact.endswith(ROUNDED)
    return abs(claim.value - truth) <= (0.5 * scale * 10.0**-decimals if rounded else 0) * (1 + 1e-9)


def restate(claim: Claim, truth: Any) -> str | None:
    """The truth in the claim's own writing: digits, separators, decimals, suffix; None if it cannot be written so."""
    if isinstance(truth, bool) and isinstance(claim.value, bool):
        return str(truth) if claim.stated[0].isupper() else str(truth).lower()
    if isinstance(truth, list) and isinstance(claim.value, tuple) and len(truth) == len(claim.value):
        parts = iter(truth)
        return NUMBER.sub(lambda match: write_like(match, f"{next(parts):g}"), claim.stated)
    if isinstance(claim.value, bool | tuple) or isinstance(truth, bool) or not isinstance(truth, int | float):
        return None
    scale, decimals = precision(claim.stated)
    rounded = scale > 1 or claim.fact.endswith(ROUNDED)
    number = f"{truth / scale:.{decimals}f}" if rounded else f"{truth / scale:.10g}"
    return NUMBER.sub(lambda match: write_like(match, number), claim.stated)


# Reading


@dataclass(frozen=True)
class _Mark:
    """A component or an attribute in a sentence."""

    names: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class _Number:
    value: float | bool
    suffix: str
    start: int
    end: int


class _Sentence:
    """A sentence with what it names; offsets are its own."""

    def __init__(self, text: str, start: int, passage: Passage, said: Sequence[str]) -> None:
        self.text, self.start, self.kind = text, start, passage.kind
        self.intros = (*(Intro("said", sentence) for sentence in reversed(said)), *passage.intros)
        self.components, self.attributes = _components(text), _attributes(text)
        self.numbers = [_Number(*read(match), *match.span()) for match in NUMBER.finditer(text)]
        self.numbers += [_Number(m[0].lower() == "true", "", *m.span()) for m in FLAG.finditer(text)]
        self.rest = text  # the same without components, whose place among other words is free
        for mark in self.components:
            self.rest = self.rest[: mark.start] + " " * (mark.end - mark.start) + self.rest[mark.end :]


def read_claims(text: str, kind: Literal["markdown", "html"], presets: Sequence[str]) -> list[Claim]:
    """Every claim of a text, in order; `presets` are the names that it may speak of."""
    claims: dict[tuple[int, int, str], Claim] = {}
    mentioned = _Mentions(presets)
    for passage in passages(text, kind == "html"):
        said: list[str] = []
        for start, part in _split(passage.text, SENTENCE_END):
            sentence = _Sentence(part, passage.start + start, passage, said)
            if _is_about_this_model(sentence):
                for fact, numbers, doubt in _facts(sentence):
                    preset, unsure = mentioned.preset(sentence, numbers[0].start, passage)
                    first, last = sentence.start + numbers[0].start, sentence.start + numbers[-1].end
                    value = numbers[0].value if len(numbers) == 1 else tuple(float(n.value) for n in numbers)
                    line = text.count("\n", 0, first) + 1
                    claim = Claim(preset, fact, text[first:last], value, first, last, line, doubt or unsure)
                    claims.setdefault((first, last, fact), claim)
            said.append(part)
        mentioned.note(passage)
    return sorted(claims.values(), key=lambda claim: claim.start)


def _is_about_this_model(sentence: _Sentence) -> bool:
    if any(re.search(words, sentence.text, re.I) for words in (PAST, SUPPOSED, OTHERS)):
        return False
    ours = False  # whether something nearer says that this is about our model
    for intro in sentence.intros:
        ours = ours or bool(re.search(OURS, intro.text, re.I))
        if not ours and intro.role != "said" and re.search(OTHERS, intro.text, re.I):
            return False
        if intro.role not in ("said", "paragraph") and re.search(PAST, intro.text, re.I):
            return False
        if intro.role in ("lead", "column", "row") and re.search(SUPPOSED, intro.text, re.I):
            return False
    return True


def _facts(sentence: _Sentence) -> Iterator[tuple[str, list[_Number], str]]:
    """Each fact with the number, or the numbers of a ratio, that state it, and a doubt."""
    numbers = [number for number in sentence.numbers if not _is_excluded(sentence, number)]
    in_series: set[_Number] = set()
    for series in _series(sentence):
        if set(series) <= set(numbers):
            found = list(_facts_of_series(sentence, series))
            if found or _has_arrow(sentence, series) or _is_ratio(sentence, series):
                in_series |= set(series)
            yield from found
    singles = [number for number in numbers if number not in in_series]
    if _is_change(sentence, singles):
        return
    for number in singles:
        mark, doubt = _attribute_of(sentence, number)
        if mark is None:
            continue
        names, unsure = _component_of(sentence, min(number.start, mark.start), max(number.end, mark.end))
        attribute = _narrowed(sentence, mark.names[0], number, names)
        if attribute in ("head_dim", "feed_forward_ratio") and not names:
            names = ALL if attribute == "head_dim" else ("model",)
        for fact in _named(names, attribute):
            yield fact, [number], doubt or (unsure if fact != attribute else "") or _argument(sentence, number)


def _named(components: Sequence[str], attribute: str | None) -> list[str]:
    """The facts that an attribute of some components is; none if there is no such thing."""
    if attribute is None:
        return []
    if attribute not in SIZES:
        foreign = components == ("vocoder",) and attribute in ("batch_size", "warmup_steps")
        return [] if foreign else [attribute]
    components = ENCODERS if components == ("some encoder",) else components
    facts = [f"{name}_{attribute}" if name in ALL else OF_OTHERS.get((name, attribute)) for name in components]
    return [fact for fact in facts if fact]


def _narrowed(sentence: _Sentence, attribute: str, number: _Number, components: Sequence[str]) -> str | None:
    """What an attribute means for this number, None if it does not fit."""
    if number.suffix and attribute not in FITTING[number.suffix]:
        return None
    if isinstance(number.value, bool) != (attribute == "use_voice_conditioning"):
        return None
    if attribute == "feed_forward":
        return "feed_forward_ratio" if number.suffix == "x" or number.value < 16 else "feed_forward_dim"
    if attribute == "parameters" and number.suffix == "%":
        return "capacity_percent"
    if (
        (attribute == "depth_ratio" and number.suffix != "x")
        or (attribute == "capacity_percent" and number.suffix != "%" and sentence.kind != "cell")
        or (attribute == "parameters" and number.value < 1000)  # weights of losses
        or (attribute == "dim" and number.value < 16)  # the axis of a tensor
    ):
        return None
    before = sentence.text[: number.start]
    if attribute in ("dim", "heads") and re.search(ONE_HEAD, before, re.I):
        return "head_dim"
    if attribute == "dim" and re.search(HEADS_ARE, before, re.I):
        return "head_dim"
    if attribute == "dim" and not components and any("heads" in mark.names for mark in sentence.attributes):
        return "head_dim"
    if attribute == "layers" and re.search(CONDITIONING, sentence.text, re.I):
        return "voice_conditioning_layers"
    return attribute


def _is_excluded(sentence: _Sentence, number: _Number) -> bool:
    """Whether the words beside a number say that it is an index, a bound or a range."""
    before, after = sentence.text[: number.start], sentence.text[number.end :]
    if re.search(rf"[{DIGITS}]{RANGE}$", before) or re.match(rf"{RANGE}[{DIGITS}]", after):
        return True
    found = re.search(rf"(?:^|[\s(])({UNLIKE_A_CLAIM})[{MARKUP}]*$", before, re.I)
    first_of_those = found and found[1].lower() == "first" and re.search(CONDITIONING, sentence.text, re.I)
    return bool(found and not first_of_those)


def _argument(sentence: _Sentence, number: _Number) -> str:
    """A doubt about a number that is handed to a function."""
    before = sentence.text[: number.start]
    called = re.search(r"(?<![\w.])(?!dict\b)(?:\w+\.)*[a-z_]\w*$", before[: max(_open_bracket(before), 0)])
    is_argument = sentence.kind == "code" and called and re.search(r"\w=$", before)
    return "it is an argument of a function" if is_argument else ""


def _attribute_of(sentence: _Sentence, number: _Number) -> tuple[_Mark | None, str]:
    """The attribute beside a number, or at the head of its column or row, and a doubt."""
    for mark in sentence.attributes:
        gap = sentence.rest[number.end : mark.start]
        is_key = re.match(r"[`\"']*\s*[=:]", sentence.text[mark.end :])
        words = PARTS if number.suffix == "%" else ADJECTIVES
        if mark.start >= number.end and not is_key and _consists_of(gap, rf"[{MARKUP}\-‑]|\b(?:{words})\b"):
            if not re.search(r"=\s*$", sentence.text[: number.start]):
                return mark, ""
            break
    widths = [mark for mark in sentence.components if mark.names[0] in ("speaker", "prenet", "postnet")]
    widths = [_Mark(("dim",), mark.start, mark.end) for mark in widths]
    for mark in sorted([*sentence.attributes, *widths], key=lambda mark: mark.end, reverse=True):
        gap = sentence.rest[mark.end : number.start]
        comment = r"|[)\]]|#|//" if sentence.kind == "code" else ""
        if mark.end <= number.start and _consists_of(gap, rf"[{MARKUP}:=(\[{{]|\b(?:{CONNECTORS})\b{comment}"):
            counted = re.search(r"(?:number of|count|تعداد|شمار)\W*$", sentence.rest[: mark.start], re.I)
            countable = mark.names[0] in ("layers", "heads") and not counted
            return (None, "") if countable and not gap.strip(" `*\"'") else (mark, "")
    others = sentence.text[: number.start] + sentence.text[number.end :]
    if sentence.kind == "cell" and re.fullmatch(rf"[{MARKUP}()\-]*(?:hz)?[{MARKUP}()]*", others, re.I):
        return _attribute_of_labels(sentence)
    return None, ""


def _attribute_of_labels(sentence: _Sentence) -> tuple[_Mark | None, str]:
    labels = [_attributes(intro.text) for intro in sentence.intros if intro.role in ("column", "row")]
    found = list(dict.fromkeys(marks[0].names for marks in labels if len({mark.names for mark in marks}) == 1))
    doubt = "its column and its row name different attributes" if len(found) > 1 else ""
    return _Mark(found[0], len(sentence.text), 0) if found else None, doubt


def _component_of(sentence: _Sentence, start: int, end: int) -> tuple[tuple[str, ...], str]:
    """The components that `text[start:end]`, a number with its attribute, is about, and a doubt."""
    marks = _merged(sentence)
    beside = [mark for mark in marks if mark.start < end and start < mark.end]
    beside += [m for m in marks if m.end <= start and _consists_of(sentence.text[m.end : start], rf"[{MARKUP}.('-]")]
    gap_after = rf"[{MARKUP}\-‑]|\b(?:{PREPOSITIONS})\b"
    beside += [m for m in marks if m.start >= end and _consists_of(sentence.text[end : m.start], gap_after)]
    if {mark.names for mark in marks} == {("some encoder",)}:
        names, doubt = _component_of_intros(sentence)
        return (names, doubt) if names in (ENCODERS[:1], ENCODERS[1:]) else _sure(marks[0])
    if beside or len({mark.names for mark in marks}) == 1:
        return _sure((beside or marks)[0])
    if not marks:
        return _component_of_intros(sentence)
    opened = _open_bracket(sentence.text[:start])
    owners = [mark for mark in marks if mark.end <= opened]
    if owners and re.fullmatch(r"\D{0,30}", sentence.text[owners[-1].end : opened]):
        return _sure(owners[-1])
    clauses = list(_split(sentence.text, CLAUSE_END))
    before = [(at, at + len(clause)) for at, clause in clauses if at <= start]
    for first, last in reversed(before):
        inside = [mark for mark in marks if first <= mark.start < last]
        if len(inside) == 1:
            return _sure(inside[0])
        if inside:
            nearest = max((mark for mark in inside if mark.end <= start), default=inside[0], key=lambda mark: mark.end)
            return nearest.names, "the sentence names several components"
    return marks[0].names, "the sentence names several components"


def _component_of_intros(sentence: _Sentence) -> tuple[tuple[str, ...], str]:
    for intro in sentence.intros:
        marks = _components(intro.text) if intro.role != "paragraph" else []
        names = list(dict.fromkeys(mark.names for mark in marks))
        if names and names != [("model",)]:
            sure = _sure(marks[-1])
            if len(names) > 1:
                return sure[0], "what introduces it names several components"
            only_heading = intro.role == "heading" and not _consists_of(_opening(sentence), OPENING)
            return (sure[0], "only a heading names a component") if only_heading else sure
    return (), ""


def _opening(sentence: _Sentence) -> str:
    """What stands before the first number of a sentence, without components and attributes."""
    opening = sentence.rest[: min(number.start for number in sentence.numbers)]
    for mark in reversed(sentence.attributes):
        opening = opening[: mark.start] + opening[mark.end :]
    return opening


def _sure(mark: _Mark) -> tuple[tuple[str, ...], str]:
    return mark.names, "there are two encoders" if mark.names == ("some encoder",) else ""


def _merged(sentence: _Sentence) -> list[_Mark]:
    """The components of a sentence; those that it lists, the last with an "and", count as one."""
    merged: list[_Mark] = []
    for mark in reversed(sentence.components):
        between = sentence.text[mark.end : merged[-1].start] if merged else ""
        is_listed = bool(merged) and (len(merged[-1].names) > 1 or re.search(LAST_COORDINATION, between, re.I))
        if is_listed and re.fullmatch(COORDINATION, between, re.I):
            following = merged.pop()
            mark = _Mark(tuple(dict.fromkeys(mark.names + following.names)), mark.start, following.end)
        merged.append(mark)
    return merged[::-1]


def _series(sentence: _Sentence) -> Iterator[list[_Number]]:
    """Runs of numbers with nothing between them but commas, arrows or the names of components."""
    run = sentence.numbers[:1]
    for last, number in pairwise(sentence.numbers):
        between = re.sub(rf"[{MARKUP}()]", "", sentence.rest[last.end : number.start])
        if re.fullmatch(rf"{ARROW}|[>/·:,،]|,?and|و", between):
            run.append(number)
        else:
            yield run
            run = [number]
    if run:
        yield run


def _facts_of_series(sentence: _Sentence, series: list[_Number]) -> Iterator[tuple[str, list[_Number], str]]:
    """A series states one attribute of several components, or several attributes of one."""
    count = len(series)
    if count < 2:
        return
    components = [mark.names for mark in sentence.components]
    names = list(dict.fromkeys(mark.names[0] for mark in sentence.attributes)) or _attributes_of_intros(sentence)
    own = {mark.names[0] for number in series if (mark := _attribute_of(sentence, number)[0])}
    if len(own) > 1:  # each number has its own
        return
    if _is_ratio(sentence, series):
        if count == len(ALL) and "dim" in names:
            yield "dim_progression", series, ""
        return
    if not components and sentence.kind == "cell":
        components = [names for names, _ in [_component_of_intros(sentence)] if names]
    if not components and count == len(ALL) and _has_arrow(sentence, series):
        components = [(name,) for name in ALL]
    if len(components) == count and len(names) == 1:
        pairs = [(component, names[0]) for component in components]
    elif len(components) == 1 and len(names) == count:
        pairs = [(components[0], name) for name in names]
    elif len(components) == 1 and count == 2 and names == ["feed_forward"] and _has_arrow(sentence, series):
        pairs = [(components[0], "dim"), (components[0], "feed_forward")]
    elif len(components) == 1 and components[0][0] in ALL and count in (3, 4) and names in (["dim"], []):
        if not re.search(r"dimensions|sizes|ابعاد", sentence.text, re.I) and sentence.kind != "cell":
            return
        pairs = [(components[0], name) for name in SIZES[: len(ALL)]]
        pairs += [(("speaker",), "dim")] if components[0] == ("audio_encoder",) else []
    else:
        return
    for (component, name), number in zip(pairs, series, strict=False):
        for fact in _named(component, _narrowed(sentence, name, number, component)):
            yield fact, [number], _sure(_Mark(component, 0, 0))[1]


def _attributes_of_intros(sentence: _Sentence) -> list[str]:
    for intro in sentence.intros:
        names = list(dict.fromkeys(mark.names[0] for mark in _attributes(intro.text)))
        if intro.role != "paragraph" and names:
            return names
    return []


def _has_arrow(sentence: _Sentence, series: Sequence[_Number]) -> bool:
    return bool(re.search(ARROW, sentence.text[series[0].start : series[-1].end]))


def _is_ratio(sentence: _Sentence, series: Sequence[_Number]) -> bool:
    colons = [":" in sentence.text[last.end : number.start] for last, number in pairwise(series)]
    return len(series) > 1 and (all(colons) or all(number.suffix == "x" for number in series))


def _is_change(sentence: _Sentence, numbers: list[_Number]) -> bool:
    """Whether an arrow leads from one number to another without naming a component on each side."""
    pieces = [(at, at + len(piece)) for at, piece in _split(sentence.text, re.compile(ARROW))]
    holding = [(first, last) for first, last in pieces if any(first <= n.start < last for n in numbers)]
    named = [any(first <= mark.start < last for mark in sentence.components) for first, last in holding]
    return len(holding) > 1 and not all(named)


def _components(text: str) -> list[_Mark]:
    marks = [_Mark(COMPONENTS[(m.lastindex or 1) - 1][0], *m.span()) for m in COMPONENT.finditer(text)]
    marks += [_Mark(LABELS[m[1].lower()], *m.span(1)) for m in LABEL.finditer(text)]
    for vague in ("model",), ("some encoder",):  # unless something more exact is named too
        marks = [mark for mark in marks if mark.names != vague] or marks
    return sorted(marks, key=lambda mark: mark.start)


def _attributes(text: str) -> list[_Mark]:
    """Attributes that a text names; what is called, as in `frame.head(5)`, is none."""
    return [
        _Mark((ATTRIBUTES[(m.lastindex or 1) - 1][0],), *m.span())
        for m in ATTRIBUTE.finditer(text)
        if text[m.end() : m.end() + 1] != "("
    ]


def _split(text: str, ends: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """The pieces of a text with their offsets."""
    at = 0
    for match in ends.finditer(text):
        yield at, text[at : match.start()]
        at = match.end()
    yield at, text[at:]


def _consists_of(text: str, parts: str) -> bool:
    return re.fullmatch(rf"(?:{parts})*", text, re.I) is not None


def _open_bracket(text: str) -> int:
    """Where the innermost bracket that is still open was opened; -1 if none is."""
    opened: list[int] = []
    for match in re.finditer(r"[(\[{]|[)\]}]", text):
        if match[0] in "([{":
            opened.append(match.start())
        elif opened:
            opened.pop()
    return opened[-1] if opened else -1


class _Mentions:
    """Which preset a passage speaks of."""

    def __init__(self, presets: Sequence[str]) -> None:
        name = rf"({'|'.join(map(re.escape, presets))})"
        self.mention = re.compile(
            rf"`{name}`|\b(?:presets?|پیش ?تنظیم|پیکربندی)\W{{1,3}}{name}\b|\b{name}[`\"'»]?\s+preset\b"
            rf"|^\W*{name}\W*:|\bconfigs/{name}\b|\bload_config\(\s*[\"']{name}\b|\bmyxtts run {name}\b",
            re.I,
        )
        self.exact = re.compile(rf"\W*{name}(?: preset)?\s*(?:\(.*\))?\W*", re.I)
        self.last: dict[str, tuple[str, int]] = {}  # kind of passage -> preset and section of its last mention

    def preset(self, sentence: _Sentence, at: int, passage: Passage) -> tuple[str, str]:
        """The preset that a number at `at` in a sentence is about, and a doubt."""
        found = self._in(sentence.text, "said")
        if found:
            return found[-1], "the sentence names several presets" if len(found) > 1 else ""
        for intro in sentence.intros:
            if found := self._in(intro.text, intro.role):
                return found[-1], "what introduces it names several presets" if len(found) > 1 else ""
        is_code = passage.kind == "code"
        preset, section = self.last.get("code" if is_code else "prose", (DEFAULT_PRESET, -1))
        if preset == DEFAULT_PRESET or (section < passage.section and not is_code):
            return DEFAULT_PRESET, ""
        sure = is_code and section == passage.section
        return preset, "" if sure else f"the preset {preset} is spoken of above"

    def note(self, passage: Passage) -> None:
        """Remember what a passage mentions for those that follow."""
        if found := self._in(passage.text, "said"):
            self.last["code" if passage.kind == "code" else "prose"] = found[-1], passage.section

    def _in(self, text: str, role: str) -> list[str]:
        exact = self.exact.fullmatch(text) if role in ("column", "row", "heading", "lead", "parent") else None
        matches = [exact] if exact else self.mention.finditer(text)
        return list(dict.fromkeys(next(filter(None, match.groups())).lower() for match in matches))
