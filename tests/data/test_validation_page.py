"""The page of a validation, as a file and in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from data.clip_measures import corpus_table
from data.corpus import read_corpus
from data.problems import Finding, Kind, grouped
from data.validation_page import write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOISE = Kind("snr", "warning", "Record <again>.")
TORN = Kind("torn", "error", "Mend it.")


@pytest.fixture
def page(smoke_corpus: Path, tmp_path: Path) -> Path:
    """A page of forty clips that are noisy, one of which is torn and one of which has a hostile name."""
    clips = corpus_table(read_corpus(smoke_corpus)).assign(duration=1.0)
    clips.loc[2, ["id", "file", "text"]] = "<script>alert(1)</script>"
    torn = tmp_path / "torn.wav"
    torn.write_bytes(b"RIFF")
    clips["path"] = [str(torn) if k == 3 else path for k, path in enumerate(clips["path"])]
    findings = [Finding(NOISE, f"{k} dB", ">= 15 dB", id, id) for k, id in enumerate(clips["id"])]
    findings.append(Finding(TORN, "<b>", "whole", clips["id"][3], "torn.wav", 4))
    write_page(clips, grouped(findings), "It <cannot> be.", tmp_path)
    return tmp_path / "index.html"


def test_everything_is_escaped_and_nothing_is_asked_of_others(page: Path) -> None:
    content = page.read_text()
    assert "<script>alert" not in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "It &lt;cannot&gt; be." in content
    assert not re.search(r"(src|href)=.https?:", content)
    assert "<b>" not in content


def test_the_worst_of_every_kind_come_first_and_play_from_the_folder_alone(page: Path) -> None:
    content = page.read_text()
    cards = content.split("<article")[1:]
    assert len(cards) == 40
    assert 'data-kinds="torn snr"' in cards[0]
    assert "<audio" not in cards[0]
    sounds = re.findall(r'src="(audio/\d+\.flac)"', content)
    assert len(sounds) == 39
    assert all((page.parent / sound).is_file() for sound in sounds)


def test_long_clips_and_many_are_cut_to_what_a_page_can_hold(smoke_corpus: Path, tmp_path: Path) -> None:
    clips = corpus_table(read_corpus(smoke_corpus)).assign(duration=1.0)
    sf.write(tmp_path / "long.wav", np.sin(np.arange(16000 * 30) / 9), 16000)
    many = pd.concat([clips] * 3, ignore_index=True).assign(path=str(tmp_path / "long.wav"))
    many["id"] = [f"clip-{k}" for k in range(len(many))]
    findings = [Finding(NOISE, "1", "2", id) for id in many["id"]]
    (tmp_path / "report").mkdir()
    write_page(many, grouped(findings), "", tmp_path / "report")
    sounds = sorted((tmp_path / "report" / "audio").iterdir())
    assert len(sounds) == 60
    assert sf.info(sounds[0]).duration == 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_kind_is_chosen_with_the_keyboard(page: Path, browser: Browser, scheme: str) -> None:
    tab = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(page.as_uri())
    assert tab.locator("article:visible").count() == 40
    tab.locator("select").focus()
    tab.keyboard.press("ArrowDown")
    assert tab.locator("article:visible").count() == 1
    assert all(url.startswith("file:") for url in requests)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.close()
