from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.cleaning import clean

ANY_TEXT = st.text(st.characters(), max_size=60)
"""All of Unicode: surrogates and control characters too."""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("\ufeffHello", "Hello"),
        ("soft\u00adhyphen, zero\u200bwidth, word\u2060joiner", "softhyphen, zerowidth, wordjoiner"),
        ("\u202bright\u202c \u200fto\u200e left", "right to left"),
        ("non\u2011breaking\u00a0and\u202fnarrow", "non-breaking and narrow"),
        ("„low“ “high” «French»", '"low" "high" "French"'),
        ("l’heure, ‹single›, ´acute`", "l'heure, 'single', 'acute'"),
        ("• one · two", "one two"),
        ("col·lecció", "col·lecció"),
        ("the [sic] {word}", "the sic word"),
        ("5 ― 6 − 3", "5 — 6 - 3"),
        ("nul\0inside\ttab", "nul inside tab"),
        ("sur\ud800rogate", "surrogate"),
        ("ﬁne ｆｕｌｌ", "fine full"),
        ("Cafe\u0301  noir", "Café noir"),
        ("😀 hello ❤\ufe0f", "hello"),
        ("первoe мaма", "первое мама"),
        ("SMSок cope", "SMSок cope"),
        ("می\u200cروم", "می\u200cروم"),
    ],
)
def test_harmless_signs_are_put_right(written: str, read: str) -> None:
    assert clean(written) == read


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text("abcdefg hijk,.!?'\"-0123456789"))
def test_plain_text_keeps_its_characters(text: str) -> None:
    assert clean(text) == " ".join(text.split())
