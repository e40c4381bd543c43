from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from common import ROOT
from data.clip_measures import corpus_table, measure
from data.corpus import CorpusClip, read_corpus
from data.corpus_report import RARE, REACHED, CorpusReport, report_corpus, write_page

HOSTILE = "<script>alert(1)</script> & \"Anna\" 'نام'"


@pytest.fixture(scope="module")
def clips(prompts: Path) -> list[CorpusClip]:
    """The prompts as those of two people, one of whom has a name that wants to be a script."""
    first, second, *others = read_corpus(prompts)
    return [
        replace(first, speaker=HOSTILE),
        replace(second, path=second.path.with_name("missing.flac"), speaker=HOSTILE),
        *others,
    ]


@pytest.fixture(scope="module")
def report(clips: list[CorpusClip]) -> CorpusReport:
    return report_corpus(clips, measure(corpus_table(clips), 2))


def test_minutes_are_those_of_the_recordings_that_can_be_decoded(clips: list[CorpusClip], report: CorpusReport) -> None:
    heard = [clip for clip in clips if clip.path.exists()]
    assert report.clips == len(heard) + 1
    assert report.minutes == pytest.approx(sum(clip.duration for clip in heard) / 60)
    assert report.minutes_by("language") == {"en": pytest.approx(report.minutes)}
    hostile, other = (share for share in sorted(report.shares, key=lambda share: share.speaker != HOSTILE))
    assert (hostile.clips, other.clips) == (2, len(clips) - 2)
    assert hostile.minutes == pytest.approx(clips[0].duration / 60)
    assert list(report.minutes_by("speaker")) == [other.speaker, HOSTILE]


def test_every_clip_that_can_be_measured_is_in_each_histogram(report: CorpusReport) -> None:
    assert [shape.measure for shape in report.histograms] == ["duration", "speech_rate", "loudness"]
    for shape in report.histograms:
        assert sum(shape.counts) == report.clips - 1
        assert shape.edges[0] <= shape.median <= shape.edges[-1]
        assert len(shape.edges) == len(shape.counts) + 1


def test_phones_are_counted_and_rare_ones_have_words_of_the_corpus(clips: list[CorpusClip]) -> None:
    texts = ["The measure.", *["See the sea."] * RARE]
    some = [replace(clips[2], id=str(k), text=text) for k, text in enumerate(texts)]
    report = report_corpus(some, measure(corpus_table(some), 2))
    counts = {phone.phone: phone.count for phone in report.phones}
    assert counts["s"] == counts["i"] == 2 * RARE
    assert counts["ð"] == RARE + 1
    assert [phone.count for phone in report.phones] == sorted(counts.values())
    rare = {phone.phone: phone.words for phone in report.rare}
    assert rare["ʒ"] == ["measure"]
    assert not {"s", "i", "ð"} & rare.keys()


def test_lines_say_the_same_as_json(report: CorpusReport) -> None:
    said, content = "\n".join(report.lines()), report.as_json()
    for phone in report.rare[:10]:
        assert f"{phone.phone} (en): {phone.count}" in said
    for share in content["shares"]:
        assert f"{share['speaker']} (en): {share['minutes']:.1f} minutes in {share['clips']} clips" in said
    assert f"{len(report.rare)} of {len(content['phones'])}" in said


def test_a_corpus_that_cannot_be_decoded_is_reported_as_no_minutes(clips: list[CorpusClip], tmp_path: Path) -> None:
    report = report_corpus([clips[1]], measure(corpus_table([clips[1]]), 1))
    assert (report.minutes, report.histograms) == (0, [])
    write_page(report, "broken", tmp_path / "data.html")
    assert "0.0 minutes" in (tmp_path / "data.html").read_text()


def test_measured_figures_are_those_of_the_benchmarks() -> None:
    benchmarks = (ROOT / "benchmarks/README.md").read_text()
    figures = re.findall(r"0\.\d+", " ".join(figure for run in REACHED for figure in (run.cer, run.recordings)))
    assert len(figures) == 3 * len(REACHED)
    assert [figure for figure in figures if figure not in benchmarks] == []


@pytest.fixture
def page(browser: Browser, report: CorpusReport, tmp_path: Path) -> Iterator[Page]:
    """The page, opened without a complaint and without asking for any other file."""
    path = tmp_path / "data.html"
    write_page(report, HOSTILE, path)
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        complaints: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri(), wait_until="networkidle")
        yield page
        assert complaints == []
        assert requests == [path.as_uri()]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_every_speaker_and_nothing_runs_over_its_edge(
    page: Page, report: CorpusReport, width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rows = page.locator("table").first.locator("tbody tr")
    assert [row.locator("td").first.inner_text() for row in rows.all()] == [s.speaker for s in report.shares]
    ground, ink = page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, ink)]
    assert (brightness[0] > brightness[1]) == (scheme == "light")


def test_bars_of_the_page_are_as_high_as_their_counts(page: Page, report: CorpusReport) -> None:
    shown = page.locator("figure svg")
    assert shown.count() == len(report.histograms)
    for shape, svg in zip(report.histograms, shown.all(), strict=True):
        heights = [float(bar.get_attribute("height") or 0) for bar in svg.locator("rect").all()]
        expected = pd.Series(shape.counts) / max(shape.counts) * 100
        assert heights == pytest.approx(expected.tolist(), abs=0.01)
