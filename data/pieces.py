"""What is said in a clip, and the pieces of it that training reads: a long clip is cut at its pauses."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.corpus import CorpusClip
from data.text import phonemize, split_sentences
from data.vocabulary import END, SILENT, START, STOP, Tokens

_SHORTEST_PAUSE = 8  # where a long clip may be cut, frames
_SHORTEST_PIECE = 150  # frames

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spoken:
    """What is said in a clip: its sentences, and for each the index of the token after its last phone."""

    tokens: Tokens
    sentences: list[str]
    ends: list[int]


@dataclass(frozen=True)
class Piece:
    """What one training example is made of."""

    id: str
    text: str
    """The sentences that it holds; empty if it begins or ends inside of one."""
    start: int
    """Its first mel frame in the clip."""
    stop: int
    """The frame after its last."""
    tokens: Tokens
    frames_n: Array
    """Mel frames that each token lasts; they sum to stop - start."""


def sentences_of(text: str) -> list[str]:
    """The sentences of a clip's text."""
    return split_sentences(text, max_characters=sys.maxsize)


def read_texts(clips: Sequence[CorpusClip]) -> list[Spoken]:
    """What is said in each clip; the texts of a language are read together, because espeak-ng is slow to start."""
    spoken: dict[str, Spoken] = {}
    for language in sorted({clip.language for clip in clips}):
        own = [clip for clip in clips if clip.language == language]
        sentences = [sentences_of(clip.text) for clip in own]
        tokens = iter(phonemize([sentence for said in sentences for sentence in said], language))
        for clip, said in zip(own, sentences, strict=True):
            spoken[clip.id] = _join(said, [next(tokens) for _ in said])
    return [spoken[clip.id] for clip in clips]


def cut(
    clip: str, length: int, spoken: Spoken, frames_n: Array, longest: float, only_sentences: bool
) -> Iterator[Piece]:
    """The pieces of a clip of `length` mel frames: it is cut in the middle of its pauses if these are over `longest`.

    `frames_n` says how many frames each token lasts. If `only_sentences`, the pauses are those between sentences.
    """
    tokens, last = spoken.tokens, len(spoken.tokens) - 1
    if length <= longest:
        yield Piece(clip, " ".join(spoken.sentences), 0, length, tokens, frames_n)
        return
    ends_n = np.cumsum(frames_n)
    pauses = [
        n
        for n in range(1, last)
        if tokens.symbols[n] in SILENT and frames_n[n] > _SHORTEST_PAUSE and (n in spoken.ends or not only_sentences)
    ]
    first, start = 0, 0
    for n in [*pauses, last]:
        stop = length if n == last else round(float(ends_n[n] - frames_n[n] / 2))
        if n != last and stop - start < _SHORTEST_PIECE:
            continue
        # The piece begins and ends with half of a pause, in place of the sentence's edges.
        symbols = [START, *tokens.symbols[first + 1 : n], END]
        modifiers = [0, *tokens.modifiers[first + 1 : n], 0]
        edges = np.concatenate([[start], ends_n[first:n], [stop]])
        frames = np.diff(edges).clip(0).astype(np.float32)
        if len(symbols) > 4:
            text = _text_between(spoken, first, n, last)
            yield Piece(f"{clip}@{first}", text, start, stop, Tokens(symbols, modifiers), frames)
        first, start = n, stop


def _join(sentences: list[str], tokens: list[Tokens]) -> Spoken:
    symbols, modifiers, ends = [START], [0], []
    for sentence in tokens:
        inside = slice(1, -1)
        symbols += sentence.symbols[inside]
        modifiers += sentence.modifiers[inside]
        if symbols[-1] not in SILENT:
            symbols.append(STOP)
            modifiers.append(0)
        ends.append(len(symbols) - 1)
    if tokens and tokens[-1].symbols[-2] not in SILENT:  # the last sentence ended without a mark
        symbols.pop()
        modifiers.pop()
    return Spoken(Tokens([*symbols, END], [*modifiers, 0]), sentences, ends)


def _text_between(spoken: Spoken, first: int, stop: int, last: int) -> str:
    """The sentences from one cut to another; empty if a cut is inside of a sentence."""
    begins = dict(zip([0, *spoken.ends], range(len(spoken.ends) + 1), strict=True))
    begins[last] = len(spoken.sentences)
    if first not in begins or stop not in begins:
        return ""
    return " ".join(spoken.sentences[begins[first] : begins[stop]])
