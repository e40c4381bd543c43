from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.commands.conftest import Call


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("commands.data_report.ROOT", tmp_path)
    return tmp_path


def test_data_report_writes_a_page_and_says_how_much_there_is(myxtts: Call, checkout: Path, prompts: Path) -> None:
    shutil.copytree(prompts, checkout / "corpora" / "smoke")
    said = myxtts("data", "report", "smoke")
    assert "in 6 clips, speakers: 1, languages: en" in said
    assert "Page: reports/smoke/data.html" in said
    page = (checkout / "reports/smoke/data.html").read_text(encoding="utf-8")
    assert "en_US_f_Allison" in page
    content = json.loads(myxtts("data", "report", "smoke", "--json"))
    assert content["clips"] == 6
    assert content["minutes_by_speaker"].keys() == {"en_US_f_Allison"}


def test_data_report_of_what_is_not_there(myxtts: Call, checkout: Path) -> None:
    assert "did you mean 'smoke'" in myxtts("data", "report", "smok", code=2)
    assert f"{checkout}/corpora/smoke/recordings.jsonl: not found" in myxtts("data", "report", "smoke", code=1)
