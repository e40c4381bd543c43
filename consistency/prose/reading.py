"""What a text claims about the model, in any language: tables, settings and sentences.

Each number is brought together with an attribute, a component and a preset. What can be read in more than one way
carries a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from consistency.prose import words
from consistency.prose.claims import Claim
from consistency.prose.mentions import Mentions
from consistency.prose.numerals import DIGITS
from consistency.prose.passages import passages
from consistency.prose.sentences import Number, Sentence, open_bracket, sentences
from consistency.prose.subjects import attribute_of, attributes_of_intros, component_of, component_of_intros, sure
from consistency.prose.vocabulary import COMPONENTS, FITTING, SIZES, WHOLE_MODEL, facts_named


def read_claims(text: str, kind: Literal["markdown", "html"], presets: Sequence[str]) -> list[Claim]:
    """Every claim of a text, in order; `presets` are the names that it may speak of."""
    claims: dict[tuple[int, int, str], Claim] = {}
    mentioned = Mentions(presets)
    for passage in passages(text, kind == "html"):
        for sentence in filter(_is_about_this_model, sentences(passage)):
            for fact, numbers, doubt in _facts(sentence):
                preset, unsure = mentioned.preset(sentence, passage)
                first, last = sentence.start + numbers[0].start, sentence.start + numbers[-1].end
                value = numbers[0].value if len(numbers) == 1 else tuple(float(n.value) for n in numbers)
                line = text.count("\n", 0, first) + 1
                claim = Claim(preset, fact, text[first:last], value, first, last, line, doubt or unsure)
                claims.setdefault((first, last, fact), claim)
        mentioned.note(passage)
    return sorted(claims.values(), key=lambda claim: claim.start)


def _is_about_this_model(sentence: Sentence) -> bool:
    if any(re.search(company, sentence.text, re.I) for company in (words.PAST, words.SUPPOSED, words.OTHERS)):
        return False
    ours = False  # whether something nearer says that this is about our model
    for intro in sentence.intros:
        ours = ours or bool(re.search(words.OURS, intro.text, re.I))
        if not ours and intro.role != "said" and re.search(words.OTHERS, intro.text, re.I):
            return False
        if intro.role not in ("said", "paragraph") and re.search(words.PAST, intro.text, re.I):
            return False
        if intro.role in ("lead", "column", "row") and re.search(words.SUPPOSED, intro.text, re.I):
            return False
    return True


def _facts(sentence: Sentence) -> Iterator[tuple[str, list[Number], str]]:
    """Each fact with the number, or the numbers of a ratio, that state it, and a doubt."""
    numbers = [number for number in sentence.numbers if not _is_excluded(sentence, number)]
    in_series: set[Number] = set()
    for series in sentence.series():
        if set(series) <= set(numbers):
            found = list(_facts_of_series(sentence, series))
            if found or sentence.has_arrow(series) or sentence.is_ratio(series):
                in_series |= set(series)
            yield from found
    singles = [number for number in numbers if number not in in_series]
    if sentence.is_change(singles):
        return
    for number in singles:
        mark, doubt = attribute_of(sentence, number)
        if mark is None:
            continue
        names, unsure = component_of(sentence, min(number.start, mark.start), max(number.end, mark.end))
        attribute = _narrowed(sentence, mark.names[0], number, names)
        if attribute in ("head_dim", "feed_forward_ratio") and not names:
            names = COMPONENTS if attribute == "head_dim" else WHOLE_MODEL
        for fact in facts_named(names, attribute) if attribute else ():
            yield fact, [number], doubt or (unsure if fact != attribute else "") or _argument(sentence, number)


def _facts_of_series(sentence: Sentence, series: list[Number]) -> Iterator[tuple[str, list[Number], str]]:
    """A series states one attribute of several components, or several attributes of one."""
    count = len(series)
    if count < 2:
        return
    components = [mark.names for mark in sentence.components]
    names = list(dict.fromkeys(mark.names[0] for mark in sentence.attributes)) or attributes_of_intros(sentence)
    own = {mark.names[0] for number in series if (mark := attribute_of(sentence, number)[0])}
    if len(own) > 1:  # each number has its own
        return
    if sentence.is_ratio(series):
        if count == len(COMPONENTS) and "dim" in names:
            yield "dim_progression", series, ""
        return
    if not components and sentence.kind == "cell":
        components = [names for names, _ in [component_of_intros(sentence)] if names]
    if not components and count == len(COMPONENTS) and sentence.has_arrow(series):
        components = [(name,) for name in COMPONENTS]
    if len(components) == count and len(names) == 1:
        pairs = [(component, names[0]) for component in components]
    elif len(components) == 1 and len(names) == count:
        pairs = [(components[0], name) for name in names]
    elif len(components) == 1 and count == 2 and names == ["feed_forward"] and sentence.has_arrow(series):
        pairs = [(components[0], "dim"), (components[0], "feed_forward")]
    elif len(components) == 1 and components[0][0] in COMPONENTS and count in (3, 4) and names in (["dim"], []):
        if not re.search(words.ALL_SIZES, sentence.text, re.I) and sentence.kind != "cell":
            return
        pairs = [(components[0], name) for name in SIZES[:3]]
        pairs += [(("speaker",), "dim")] if components[0] == ("audio_encoder",) else []
    else:
        return
    for (component, name), number in zip(pairs, series, strict=False):
        attribute = _narrowed(sentence, name, number, component)
        for fact in facts_named(component, attribute) if attribute else ():
            yield fact, [number], sure(component)[1]


def _narrowed(sentence: Sentence, attribute: str, number: Number, components: Sequence[str]) -> str | None:
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
    if attribute in ("dim", "heads") and re.search(words.ONE_HEAD, before, re.I):
        return "head_dim"
    if attribute == "dim" and re.search(words.HEADS_ARE, before, re.I):
        return "head_dim"
    if attribute == "dim" and not components and any("heads" in mark.names for mark in sentence.attributes):
        return "head_dim"
    if attribute == "layers" and re.search(words.CONDITIONING, sentence.text, re.I):
        return "voice_conditioning_layers"
    return attribute


def _is_excluded(sentence: Sentence, number: Number) -> bool:
    """Whether the words beside a number say that it is an index, a bound or a range."""
    before, after = sentence.text[: number.start], sentence.text[number.end :]
    if re.search(rf"[{DIGITS}]{words.RANGE}$", before) or re.match(rf"{words.RANGE}[{DIGITS}]", after):
        return True
    found = re.search(rf"(?:^|[\s(])({words.INDEXES})[{words.MARKUP}]*$", before, re.I)
    if found and re.fullmatch(words.FIRST, found[1], re.I):
        return not re.search(words.CONDITIONING, sentence.text, re.I)
    return bool(found)


def _argument(sentence: Sentence, number: Number) -> str:
    """A doubt about a number that is handed to a function."""
    before = sentence.text[: number.start]
    called = re.search(r"(?<![\w.])(?!dict\b)(?:\w+\.)*[a-z_]\w*$", before[: max(open_bracket(before), 0)])
    is_argument = sentence.kind == "code" and called and re.search(r"\w=$", before)
    return "it is an argument of a function" if is_argument else ""
