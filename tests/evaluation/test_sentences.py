"""Every language of a corpus is asked for as many sentences as the others, in words of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evaluation
from data.text import normalize
from evaluation.sentences import (
    FAR_SENTENCES,
    HARD_SENTENCES,
    even_shares,
    far_sentences,
    hard_sentences,
    made_lines,
    words_of,
)

WORDS = ["vienas", "du", "trys", "keturi", "penki", "žodis"]


def written(name: str) -> list[tuple[str, str]]:
    lines = (Path(evaluation.__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [(line.partition("\t")[0], line.partition("\t")[2]) for line in lines]


@pytest.mark.parametrize("name", [FAR_SENTENCES, HARD_SENTENCES])
def test_sentences_of_ours_are_all_different_and_none_is_empty(name: str) -> None:
    sentences = written(name)
    assert len(set(sentences)) == len(sentences)
    assert all(language and text.strip() for language, text in sentences)
    assert min(Counter(language for language, _ in sentences).values()) >= 20


def test_english_sentences_are_as_many_as_presets_ask_for() -> None:
    assert len(far_sentences({"en": []}, 100)) == 100
    hard = hard_sentences({"en": []}, 200)
    assert len(hard) == 200
    assert max(len(sentence.text) for sentence in hard) >= 500


def test_a_variant_of_a_language_is_asked_what_the_language_is() -> None:
    assert [s.text for s in far_sentences({"en-gb": []}, 9)] == [s.text for s in far_sentences({"en": []}, 9)]
    assert {s.language for s in far_sentences({"en-gb": []}, 9)} == {"en-gb"}


def test_a_language_without_sentences_of_ours_is_asked_in_the_corpus_own_words() -> None:
    far = far_sentences({"lt": WORDS}, 30)
    assert len(far) == 30
    assert {word.strip(".?") for sentence in far for word in sentence.text.split()} <= set(WORDS)
    assert far == far_sentences({"lt": WORDS}, 30)
    lines = made_lines(WORDS)
    assert len(lines) == len(set(lines)) > 40
    assert {"ž", "12", "4111 1111 1111 1111"} <= set(lines)
    assert max(len(line.split()) for line in lines) == 60
    assert made_lines([])[0] == "0"


def test_all_languages_are_asked_evenly() -> None:
    words = {"en": ["word"], "fr": ["mot"], "lt": WORDS}
    for made, most in ((far_sentences(words, 50), 50), (hard_sentences(words, 60), 60)):
        counts = Counter(sentence.language for sentence in made)
        assert sum(counts.values()) == most
        assert set(counts) == set(words)
        assert max(counts.values()) - min(counts.values()) <= 1


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 20), max_size=5), st.integers(0, 60))
def test_shares_are_even_and_use_what_is_there(there: dict[str, int], most: int) -> None:
    shares = even_shares(there, most)
    assert sum(shares.values()) == min(most, sum(there.values()))
    assert all(shares[name] <= there[name] for name in there)
    short = [shares[name] for name in there if shares[name] < there[name]]
    assert not short or max(shares.values()) - min(short) <= 1


def test_words_of_a_corpus_are_those_that_training_never_read() -> None:
    pieces = pd.DataFrame(
        {
            "language": ["en", "en", "fr"],
            "split": ["train", "test", "train"],
            "text": ["Only learned.", "It's 12 o'clock, held out.", "Déjà vu."],
        }
    )
    assert words_of(pieces) == {"en": ["It", "clock", "held", "o", "out", "s"], "fr": ["Déjà", "vu"]}


@pytest.mark.parametrize("name", [FAR_SENTENCES])
def test_sentences_of_ours_can_be_spoken(name: str) -> None:
    spoken = [
        normalize(text, language)
        for language, text in written(name)
        if language in ("en", "es", "fa", "fr", "it", "ru")
    ]
    assert not any(character.isdigit() for text in spoken for character in text)
