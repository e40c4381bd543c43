from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import data.text
from configs.languages import voices
from data.text import normalize, phonemize, readings, split_sentences
from data.vocabulary import END, GAP, MODIFIERS, PAD, SILENT, START, SYMBOLS, has_sound

SENTENCES = {
    "en": "Press 1 to hear 22 messages.",
    "es": "Pulse 1 para oír 22 mensajes.",
    "fa": "سلام، حال شما چطور است؟ ۱۲ پیام",
    "fr": "Tapez 1 pour écouter 22 messages.",
    "it": "Premere 1 per ascoltare 22 messaggi.",
    "ru": "Нажмите 1, чтобы прослушать 22 сообщения.",
}


@pytest.mark.parametrize(
    ("text", "language", "spoken"),
    [
        ("Press 1 to mute", "en", "press one to mute"),
        ("the 3rd of 21", "en", "the third of twenty-one"),
        ("22.5% & more", "en", "twenty-two point five percent and more"),
        ("3D audio", "en", "three d audio"),
        ("Tapez 7", "fr", "tapez sept"),
        ("Cafe\u0301  noir", "fr", "café noir"),
        ("Нажмите 2", "ru", "нажмите два"),
        ("۱۲ لایه", "fa", "دوازده لایه"),
        ("call 0044207123456", "en", "call zero zero four four two zero seven one two three four five six"),
    ],
)
def test_digits_are_spoken(text: str, language: str, spoken: str) -> None:
    assert normalize(text, language) == spoken


@pytest.mark.parametrize("language", SENTENCES)
def test_every_language_is_within_the_vocabulary(language: str) -> None:
    tokens = phonemize([SENTENCES[language]], language)[0]
    assert tokens.symbols[0] == START
    assert tokens.symbols[-1] == END
    assert PAD not in tokens.symbols
    assert sum(symbol not in SILENT for symbol in tokens.symbols) > 12
    assert readings([SENTENCES[language]], language)[0].unknown == ""


def shown(text: str, language: str) -> str:
    """Its tokens, as symbols with their modifiers."""
    (tokens,) = phonemize([text], language)
    marks = ["".join(m for k, m in enumerate(MODIFIERS) if bits >> k & 1) for bits in tokens.modifiers]
    return " ".join(SYMBOLS[symbol] + mark for symbol, mark in zip(tokens.symbols, marks, strict=True))


def test_phones_stress_and_pauses_are_read() -> None:
    tokens = phonemize(["Thank you, goodbye."], "en")[0]
    said = [SYMBOLS[symbol] for symbol in tokens.symbols]
    assert said[:6] == ["<start>", "θ", "æ", "ŋ", "k", "_"]
    assert said.count(",") == 1
    assert said[-2:] == [".", "<end>"]
    stressed = [s for s, m in zip(said, tokens.modifiers, strict=True) if m >> MODIFIERS.index("ˈ") & 1]
    assert "æ" in stressed


@pytest.mark.parametrize("text", ["", "...", " ?! ", "—"])
def test_what_has_no_sound_is_known_to_have_none(text: str) -> None:
    assert not has_sound(phonemize([text], "en")[0])


def test_unknown_characters_are_named() -> None:
    assert [reading.unknown for reading in readings(["hello", "price: 5 €", "中"], "en")] == ["", "€", "中"]


def test_unknown_phones_are_named_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data.text, "_espeak", lambda _words, _language: ["h_ʘ"])
    (reading,) = readings(["hot €"], "en")
    assert reading.unknown == "ʘ€"
    assert [SYMBOLS[symbol] for symbol in reading.tokens.symbols] == ["<start>", "h", "<end>"]


def test_symbols_are_distinct() -> None:
    assert len(set(SYMBOLS)) == len(SYMBOLS)
    assert SYMBOLS[GAP] == "_"


@pytest.mark.parametrize(
    ("text", "language", "phones"),
    [
        ("妈", "cmn", "<start> m ɑˈ5 <end>"),
        ("麻", "cmn", "<start> m ɑˈ35 <end>"),
        ("马", "cmn", "<start> m ɑˈ124 <end>"),
        ("骂", "cmn", "<start> m ɑˈ15 <end>"),
        ("má mạ ma", "vi", "<start> m aˈː3 _ m aˈː6 _ m aˈː <end>"),
        ("三生", "yue", "<start> s a1 a m s aˈ1 ŋ <end>"),
    ],
)
def test_tones_are_modifiers_of_their_vowel(text: str, language: str, phones: str) -> None:
    assert shown(text, language) == phones


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=60), st.sampled_from(sorted(voices())))
def test_any_text_becomes_tokens(text: str, language: str) -> None:
    reading = readings([text], language)[0]
    tokens = reading.tokens
    assert reading.words == normalize(text, language)
    assert [tokens] == phonemize([text], language)
    assert len(tokens.symbols) == len(tokens.modifiers)
    assert all(0 < symbol < len(SYMBOLS) for symbol in tokens.symbols)
    assert all(0 <= bits < 1 << len(MODIFIERS) for bits in tokens.modifiers)


@given(st.text("ab, .!?\n", max_size=400))
def test_sentences_lose_no_letter_and_stay_short(text: str) -> None:
    pieces = split_sentences(text, max_characters=40)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= 41 for piece in pieces)
