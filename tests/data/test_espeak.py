from __future__ import annotations

import os

import pytest

from data import espeak


def test_phones_are_separated() -> None:
    assert espeak.phones("hello, world", "gmw/en-US") == "h_ə_l_ˈoʊ w_ˈɜː_l_d"


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("“-s tắt", "aav/vi"),
        ("ခလုတ်တန်း ခလုတ်များမှာ သုံးစွဲနိုင်တဲ့ ပိုမို\u200b တိုတောင်းတဲ့ အမှတ်တံဆိပ်။", "sit/my"),
    ],
)
def test_a_text_that_ends_espeak_ng_is_read_in_parts(text: str, voice: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert espeak.phones(text, voice).strip()
    assert espeak.phones("hello", "gmw/en-US") == "h_ə_l_ˈoʊ"
    capfd.readouterr()  # what the C library says of its end


def test_a_child_that_was_killed_is_replaced() -> None:
    espeak.phones("hello", "gmw/en-US")
    espeak._child(os.getpid()).process.kill()
    assert espeak.phones("hello", "gmw/en-US") == "h_ə_l_ˈoʊ"


def test_a_voice_that_is_missing_is_said() -> None:
    with pytest.raises(RuntimeError, match="exit code 2"):
        espeak.phones("hello", "gmw/none")


def test_a_sign_without_a_name_says_nothing_of_the_text_before() -> None:
    said = []
    for before in ("hello", "olá a todos", "vinte e um"):
        espeak.phones(before, "roa/pt")
        said.append(espeak.phones("© A", "roa/pt"))
    assert len(set(said)) == 1
