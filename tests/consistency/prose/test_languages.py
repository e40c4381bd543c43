"""Languages: each speaks of facts that there are, and another is one more table."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from common import ROOT
from consistency.presets import facts_of, preset_file
from consistency.prose.language import Language
from consistency.prose.languages import LANGUAGES
from consistency.prose.vocabulary import COMPONENTS, OF_OTHERS, SIZES, VAGUE

KNOWN = {*facts_of(preset_file(ROOT, "full"))}

SPANISH = """
import json, sys
import consistency.prose.languages as languages
from consistency.prose.language import Language

languages.LANGUAGES += (
    Language(
        components=((("decoder",), "decodificador"),),
        attributes=(("layers", "capas?"), ("sample_rate", "frecuencia de muestreo")),
        preset="ajustes?",
        digits=("०१२३४५६७८९",),
        numbers=("cero", "uno", "dos", "tres"),
        suffixes={"millones": "m"},
        connectors="es|de",
        past="antes",
    ),
)
from consistency.prose.claims import restate
from consistency.prose.reading import read_claims

text = sys.stdin.read()
claims = read_claims(text, "markdown", ["full", "demo"])
print(json.dumps([[c.preset, c.fact, c.stated, c.value, restate(c, 2)] for c in claims]))
"""


def test_a_language_is_one_table() -> None:
    text = (
        "El decodificador tiene 12 capas.\n\nEl decodificador tiene tres capas.\n\nAntes tuvo 4 capas.\n\n"
        "## Ajuste `demo`\n\nEl decodificador tiene १२ capas.\n"
    )
    command = [sys.executable, "-c", SPANISH]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [
        ["full", "decoder_layers", "12", 12.0, "2"],
        ["full", "decoder_layers", "tres", 3.0, "dos"],
        ["demo", "decoder_layers", "१२", 12.0, "२"],
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_speaks_of_facts_that_there_are(language: Language) -> None:
    assert {name for name, _ in language.attributes} - {*SIZES, "feed_forward"} <= KNOWN
    named = {name for names, _ in language.components for name in names} | {
        name for names in language.labels.values() for name in names
    }
    assert named <= {*COMPONENTS, *(name for name, _ in OF_OTHERS), *(name for names in VAGUE for name in names)} | {
        "vocoder"
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_ten_digits_and_letters_of_one_length(language: Language) -> None:
    assert all(len(digits) == 10 and digits.isdigit() for digits in language.digits)
    assert {len(letter) for pair in language.letters.items() for letter in pair} <= {1}


def test_the_vocabulary_is_of_facts_that_there_are() -> None:
    assert {f"{name}_{size}" for name in COMPONENTS for size in SIZES} | set(OF_OTHERS.values()) <= KNOWN
