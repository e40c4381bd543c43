from __future__ import annotations

from pathlib import Path

import pytest

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.fillets import read_man, read_woman
from data.sources.debian.left_out import NO_TEXT, OTHER_PERSON, UNCLEAR_TEXT

SCRIPT = r"""
dialogId("v-krehci", "font_big",
"Therefore I am more tender.")
dialogStr(
"Proto jsem \"křehčí\".")

dialogId("m-jak", "font_small", "How?")
dialogStr("Jak to?")

dialogId("m-dos", "font_small", "In C:\\CONFIG?")
dialogStr("V C:\\CONFIG?")

dialogId("hs-vitejte", "font_statue", "Welcome.")
dialogStr("Vítejte.")

dialogId("v-ticho", "font_big", "Nobody recorded this.")
dialogStr("Ticho.")
"""


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    game = tmp_path / "usr" / "share" / "games" / "fillets-ng"
    (game / "script" / "city").mkdir(parents=True)
    (game / "script" / "city" / "dialogs_cs.lua").write_text(SCRIPT, encoding="utf-8")
    sounds = game / "sound" / "city" / "cs"
    sounds.mkdir(parents=True)
    for name in ("v-krehci", "m-jak", "m-dos", "hs-vitejte", "bum"):
        (sounds / f"{name}.ogg").write_bytes(name.encode())
    return sounds


def test_the_big_fish_is_the_man_and_others_are_left_out(sounds: Path, tmp_path: Path) -> None:
    noise, statue, clip = read_man(tmp_path, "cs", "man")
    assert clip == SourceClip("cs-fillets-city-v-krehci", 'Proto jsem "křehčí".', "cs", "man", sounds / "v-krehci.ogg")
    assert isinstance(noise, Finding)
    assert isinstance(statue, Finding)
    assert noise.kind == NO_TEXT
    assert (statue.kind, statue.found) == (OTHER_PERSON, "font_statue")


def test_the_small_fish_is_the_woman(sounds: Path, tmp_path: Path) -> None:
    items = list(read_woman(tmp_path, "cs", "woman"))
    assert [item.audio for item in items if isinstance(item, SourceClip)] == [sounds / "m-jak.ogg"]
    assert [item.file.rpartition("/")[2] for item in items if isinstance(item, Finding)] == [
        "bum.ogg",
        "hs-vitejte.ogg",
        "m-dos.ogg",
    ]
    assert [item.kind for item in items if isinstance(item, Finding)][-1] == UNCLEAR_TEXT
