from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.languages import voices
from data.problems import Finding
from data.text import readings
from data.text_faults import text_faults


def faults(text: str, language: str = "en") -> dict[str, Finding]:
    (found,) = text_faults([text], language)
    assert all(finding.found and finding.expected and not finding.id for finding in found)
    return {finding.kind.name: finding for finding in found}


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffHello.",
        "soft\u00adhyphen",
        "zero\u200bwidth",
        "right\u200fto \u202bleft\u202c",
        "word\u2060joiner",
        "non\u2011breaking\u00a0and\u202fnarrow",
        "„a“ ‹b› «c» [d] {e} • f · g ― h − i ´j`",
        "20 °C, 1º and 2ª, № 5, a/b, 2+2=4, me@home, snake_case, ~5, § 3",
        "123",
        "None of it, and N/A is no text.",
        'Mr. Kennedy [was] "shot," he said (sadly).',
        "CAFÉ” voilà",
    ],
)
def test_what_is_harmless_is_no_fault(text: str) -> None:
    assert faults(text) == {}


@pytest.mark.parametrize(
    ("text", "language", "kind", "found"),
    [
        ("...", "en", "nothing_to_say", "..."),
        ("", "en", "nothing_to_say", "an empty text"),
        ("nan", "en", "placeholder_text", "nan"),
        (" NULL ", "fr", "placeholder_text", "NULL"),
        ("N/A", "ru", "placeholder_text", "N/A"),
        ("cafÃ© itâ€™s", "fr", "wrong_encoding", "Ã©"),
        ("itâ€™s", "en", "wrong_encoding", "â€™"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "ru", "wrong_encoding", "Ð"),
        ("half \ud800 a pair", "en", "lost_characters", "U+D800"),
        ("h\ufffdllo", "en", "lost_characters", "U+FFFD"),
        ("<b>bold</b>", "en", "markup", "<b>"),
        ("dear {{name}}", "en", "markup", "{{name}}"),
        ("well [laugh] yes", "en", "markup", "[laugh]"),
        ("[risas]", "es", "markup", "[risas]"),
        ("*coughs* no", "en", "markup", "*coughs*"),
        ("you &amp; me", "en", "markup", "&amp;"),
        ("привеt", "ru", "mixed_scripts", "t (Latin)"),
        ("hello my friend", "ru", "other_script", "hello my friend"),
        ("Привет, мир", "en", "other_script", "Привет"),
        ("price 5 €", "en", "characters_outside_language", "€ (U+20AC)"),
        ("日本語です", "ja", "characters_outside_language", "日 (U+65E5)"),
    ],
)
def test_what_would_be_learned_wrong_is_an_error(text: str, language: str, kind: str, found: str) -> None:
    finding = faults(text, language)[kind]
    assert finding.kind.severity == "error"
    assert found in finding.found


@pytest.mark.parametrize(
    ("text", "kind", "severity", "found"),
    [
        ("word " * 1000, "long_text", "warning", "4999 characters"),
        ("\u202edlrow", "direction_override", "warning", "U+202E"),
        ("nul\0inside", "control_characters", "note", "U+0000"),
        ("hello 😀", "emoji", "note", "U+1F600"),
        ("мaма and", "look_alike_letters", "note", "мaма"),
    ],
)
def test_what_is_read_in_spite_of_it_is_said(text: str, kind: str, severity: str, found: str) -> None:
    finding = faults(text)[kind]
    assert (finding.kind.severity, found in finding.found) == (severity, True)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("SMSок и IP-адрес", "ru"),
        ("SIP", "ru"),
        ("CDها می\u200cخواهم", "fa"),
        ("Tシャツ", "ja"),
        ("мама mama", "sr"),
    ],
)
def test_abbreviations_in_other_letters_are_no_fault(text: str, language: str) -> None:
    assert faults(text, language) == {}


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=60), st.sampled_from(sorted(voices())))
def test_any_text_is_judged(text: str, language: str) -> None:
    for finding in faults(text, language).values():
        assert finding.found.isprintable()


@pytest.mark.parametrize("text", ["a" * 10_000, "{{a" * 3000, "мa" * 5000, "<b " * 3000, "é" * 10_000, "1" * 10_000])
def test_a_very_long_text_is_judged_and_read(text: str) -> None:
    assert "long_text" in faults(text)
    assert len(readings([text], "en")[0].tokens) > 1000
