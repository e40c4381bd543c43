"""The page as a file, and as a browser shows it."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from playwright.sync_api import Browser

from configs.schema import Audio
from data.corpus import Credit
from evaluation.listening import Utterance, summarize
from evaluation.measures import MEASURES
from evaluation.page import write_page

HOSTILE = "<script>document.title = 'owned'</script> & \"quotes\""


@pytest.fixture(scope="module")
def page(
    tmp_path_factory: pytest.TempPathFactory, table: pd.DataFrame, utterances: list[Utterance], audio: Audio
) -> Path:
    table = table.copy()
    table.loc[1, "text"] = HOSTILE
    examples = [utterances[5], dataclasses.replace(utterances[1], text=HOSTILE)]
    figures = {**summarize(table), "loss": 0.5}
    credits = [Credit("it_IT_m_Carlo", "it", "Carlo", "2012 Carlo & others", "CC-BY-SA-3.0", "a package")]
    return write_page(
        tmp_path_factory.mktemp("page"),
        "Test of the page",
        figures,
        table,
        examples,
        audio,
        "a recogniser 1.0",
        credits,
    )


def test_the_page_is_whole_and_self_contained(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(links) == 3 + 1 + 2 * 2  # sounds of the example with and without a recording; two pictures each
    assert all((page.parent / link).is_file() for link in links)
    assert "http" not in html
    assert HOSTILE not in html
    assert "it_IT_m_Carlo: Carlo; © 2012 Carlo &amp; others; CC-BY-SA-3.0; a package" in html


def test_the_page_says_why_a_language_has_no_error_rate(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert "Heard by a recogniser 1.0" in html
    assert "no recogniser for fa" in html
    rows = re.findall(r"<tr><td>(en|fa)</td><td>(\d+)</td><td>([^<]*)</td><td>([^<]*)</td>", html)
    assert [row[:2] for row in rows] == [("en", "5"), ("fa", "1")]
    assert rows[0][2].endswith("%")
    assert rows[1][2:] == ("–", "–")
    assert not re.search(r"\bnan\b", html, re.IGNORECASE)


def test_a_page_without_any_recogniser_has_no_error_rate(
    tmp_path: Path, table: pd.DataFrame, utterances: list[Utterance], audio: Audio
) -> None:
    only = table.iloc[:1]
    html = write_page(tmp_path, "Quiet", summarize(only), only, utterances[:1], audio, "none").read_text()
    card = html.partition('id="cer"')[2].partition('id="wer"')[0]
    assert "–" in card
    assert "no recogniser for fa" in card
    assert not re.search(r"\bnan\b", html, re.IGNORECASE)


def test_sounds_of_the_page_are_those_of_the_example(page: Path, utterances: list[Utterance], audio: Audio) -> None:
    path = page.parent / "audio" / f"{utterances[5].id}-speech.wav"
    samples, rate = sf.read(path, dtype="float32")
    assert rate == audio.sample_rate
    assert sf.info(path).subtype == "PCM_16"
    assert np.abs(samples - utterances[5].speech).max() < 1e-4


def test_the_page_in_a_browser_is_sorted_by_a_click(page: Path, browser: Browser, table: pd.DataFrame) -> None:
    with browser.new_context() as context:
        shown = context.new_page()
        complaints: list[str] = []
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.goto(page.as_uri())
        assert shown.title() == "Test of the page"
        assert shown.get_by_text(HOSTILE).count() == 2  # of the example, and in its row
        assert shown.locator("#cer .title").text_content() == MEASURES["cer"].title
        head = shown.locator("th", has_text=re.compile("^cer$"))
        shown_table = table.assign(cer=table["cer"].round(3))
        for direction in ("ascending", "descending"):
            head.get_by_role("button").click()
            assert head.get_attribute("aria-sort") == direction
            ids = shown.locator("#utterances tbody tr td:first-child").all_text_contents()
            by_cer = shown_table.sort_values("cer", ascending=direction == "ascending", kind="stable")
            assert ids == list(by_cer["id"])
        assert complaints == []
