from __future__ import annotations

from pathlib import Path

import espeakng_loader
import pytest

from configs.languages import known_language, voices


def test_every_language_has_a_voice_that_is_there() -> None:
    assert len(voices()) > 140
    assert all(Path(espeakng_loader.get_data_path(), "lang", voice).is_file() for voice in voices().values())


@pytest.mark.parametrize("code", ["ro", "pt-br", "zh", "en", "fa", "chr-US-Qaaa-x-west"])
def test_a_language_of_espeak_ng_is_known(code: str) -> None:
    assert known_language(code) == code


@pytest.mark.parametrize(("code", "nearest"), [("pt-BR", "pt-br"), ("rom", "ro"), ("frr", "fr")])
def test_a_language_that_is_none_is_named_with_the_nearest(code: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=f"language is '{code}'.*nearest: .*{nearest}"):
        known_language(code)


@pytest.mark.parametrize("code", ["fo", "kaa", "xex"])
def test_a_voice_without_a_dictionary_speaks_no_language(code: str) -> None:
    with pytest.raises(ValueError, match=code):
        known_language(code)
