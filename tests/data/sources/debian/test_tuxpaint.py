from __future__ import annotations

from pathlib import Path

import pytest

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_TEXT, UNCLEAR_TEXT
from data.sources.debian.tuxpaint import STAMPS, read
from tests.data.tuxpaint import write_ljspeech

TEXTS = {
    "animals/frog": "A frog.\nfr.utf8=Une  grenouille. \nro.utf8=O broască.\n",
    "animals/coin": "A coin.\nfr.utf8=Un cent (0,01 $).\n",
    "food/apple": "An apple.\nfra.utf8=Une pomme.\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        stamp = tmp_path / "root" / STAMPS / name
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.with_suffix(".txt").write_text(text, encoding="utf-8")
        for language in ("fr", "ro"):
            stamp.with_name(f"{stamp.name}_desc_{language}.ogg").write_bytes(f"{name} {language}".encode())
    return tmp_path / "root"


def test_each_description_of_tux_paint_is_a_clip_or_says_why_not(root: Path) -> None:
    coin, frog, apple = read(root, "fr", "someone")
    audio = root / STAMPS / "animals" / "frog_desc_fr.ogg"
    assert frog == SourceClip("fr-tuxpaint-animals-frog", "Une grenouille.", "fr", "someone", audio)
    assert isinstance(coin, Finding)
    assert isinstance(apple, Finding)
    assert (coin.kind, coin.found) == (UNCLEAR_TEXT, "'Un cent (0,01 $).'")
    assert (apple.kind, apple.file) == (NO_TEXT, str(STAMPS / "food" / "apple_desc_fr.ogg"))


def test_descriptions_of_tux_paint_can_be_a_folder_of_ones_own(root: Path, tmp_path: Path) -> None:
    assert write_ljspeech(root, "fr", tmp_path / "french") == 2
    rows = (tmp_path / "french" / "metadata.csv").read_text(encoding="utf-8").splitlines()
    assert rows == ["animals-coin|Un cent (0,01 $).", "animals-frog|Une grenouille."]
    assert (tmp_path / "french" / "wavs" / "animals-frog.ogg").read_bytes() == b"animals/frog fr"
