import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from configs.schema import Audio
from evaluation.listening import Utterance, summarize
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
    return write_page(tmp_path_factory.mktemp("page"), "Test of the page", figures, table, examples, audio)


def test_page_is_whole_and_self_contained(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(links) == 3 + 1 + 2 * 2  # sounds of the example with and without a recording; two pictures each
    assert all((page.parent / link).is_file() for link in links)
    assert "http" not in html and HOSTILE not in html


def test_sounds_are_those_of_the_example(page: Path, utterances: list[Utterance], audio: Audio) -> None:
    path = page.parent / "audio" / f"{utterances[5].id}-speech.wav"
    samples, rate = sf.read(path, dtype="float32")
    assert rate == audio.sample_rate and sf.info(path).subtype == "PCM_16"
    assert np.abs(samples - utterances[5].speech).max() < 1e-4


def test_page_in_a_browser(page: Path, tmp_path: Path, table: pd.DataFrame) -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed")
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    sort = tmp_path / "sorted.html"  # the page after a click on the header of the column `cer`
    click = f"<script>document.querySelectorAll('th button')[{list(table.columns).index('cer')}].click()</script>"
    sort.write_text(page.read_text(encoding="utf-8").replace("</body>", click + "</body>"), encoding="utf-8")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", *quiet]
    dom = subprocess.run(
        [*command, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", sort.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert "<title>Test of the page</title>" in dom and "&lt;script&gt;document.title" in dom
    assert '<th scope="col" aria-sort="ascending"><button type="button">cer</button></th>' in dom
    shown = re.findall(r"<tr>(<td.*?)</tr>", dom, flags=re.DOTALL)
    ids = [re.findall(r"<td[^>]*>(.*?)</td>", row)[0] for row in shown]
    assert ids == list(table.sort_values("cer", kind="stable", na_position="last")["id"])
