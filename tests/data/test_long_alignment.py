"""A made-up reader: each phone has its own sound, near to that of its class."""

from __future__ import annotations

import numpy as np
import pytest

from data.align import Array
from data.long_alignment import Stretch, match
from data.vocabulary import COMMA, END, START, SYMBOLS, Tokens

VOWELS, HISSES, STOPS, NASALS = "aeiou", "szʃʒ", "ptkbd", "mnlɹ"
LIKE = {VOWELS: (1.0, 0.5), HISSES: (0.0, -2.0), STOPS: (-1.2, 0.0), NASALS: (0.2, 0.6)}
N_SENTENCES = 60


class Reader:
    """Reads sentences one after another, with pauses of 30 frames."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.sounds = {
            SYMBOLS.index(phone): np.array([*means, *self.rng.normal(size=10)])
            for phones, means in LIKE.items()
            for phone in phones
        }
        self.sentences = [
            Tokens([START, *self.rng.choice(list(self.sounds), 15).tolist(), COMMA, END], [0] * 18)
            for _ in range(N_SENTENCES)
        ]

    def read(self, numbers: list[int]) -> tuple[Array, np.ndarray, list[int], dict[int, tuple[int, int]]]:
        """Frames, where there is speech, the pauses, and where each sentence is read."""
        quiet = [np.array([-4.0, *np.zeros(11)])] * 30
        frames, speech, pauses, places = list(quiet), [False] * 30, [], {}
        for number in numbers:
            start = len(frames)
            for symbol in self.sentences[number].symbols[1:-2]:
                frames += [self.sounds[symbol]] * int(self.rng.integers(4, 12))
            speech += [True] * (len(frames) - start)
            places[number] = (start, len(frames))
            frames += quiet
            speech += [False] * 30
            pauses.append(len(frames) - 15)
        noisy = np.stack(frames) + self.rng.normal(size=(len(frames), 12)) * 0.3
        return noisy.astype(np.float32), np.array(speech), pauses[:-1], places


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (range(60), range(60)),
        ([*range(20), *range(26, 60)], range(60)),
        (range(60), [*range(30), *range(37, 60)]),
        (range(5, 60), range(50)),
    ],
    ids=["all", "some are not read", "some are not written", "neither has an end of the other"],
)
def test_what_is_read_and_written_is_found_and_nothing_else(read: list[int], written: list[int]) -> None:
    reader = Reader()
    frames, speech, pauses, places = reader.read(list(read))
    numbers = list(written)
    found = match(frames, speech, pauses, [reader.sentences[k] for k in numbers])
    assert [numbers[k] for part in found for k in range(part.first, part.stop)] == sorted({*read} & {*written})
    for part in found:
        assert part.start <= places[numbers[part.first]][0] < places[numbers[part.stop - 1]][1] <= part.end


def test_sentences_without_a_pause_between_them_are_found_together() -> None:
    reader = Reader()
    frames, speech, pauses, places = reader.read(list(range(N_SENTENCES)))
    kept = [pause for pause in pauses if not places[20][1] < pause < places[21][0]]
    found = match(frames, speech, kept, reader.sentences)
    assert [(part.first, part.stop) for part in found if part.first <= 20 < part.stop] == [(20, 22)]
    assert isinstance(found[0], Stretch)


def test_sentences_that_nobody_read_are_not_found() -> None:
    reader, other = Reader(), Reader()
    frames, speech, pauses, _ = reader.read(list(range(30)))
    assert match(frames, speech, pauses, other.sentences[30:]) == []
