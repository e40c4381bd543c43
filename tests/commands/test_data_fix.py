"""`myxtts data fix`: a mended copy of a folder or of what a preset learns from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile as sf

from data.audio import read_pcm
from data.corpus import read_corpus
from tests.commands.conftest import Call


@pytest.fixture
def folder(prompts: Path, tmp_path: Path) -> Path:
    """Six prompts in LJSpeech format, one of them torn."""
    (tmp_path / "voice" / "wavs").mkdir(parents=True)
    rows = []
    for clip in read_corpus(prompts):
        samples, rate = read_pcm(clip.path)
        rows.append(f"{clip.id}|{clip.text}\n")
        sf.write(tmp_path / "voice" / "wavs" / f"{clip.id}.wav", samples, rate)
    path = tmp_path / "voice" / "wavs" / f"{clip.id}.wav"
    path.write_bytes(path.read_bytes()[:9000])
    (tmp_path / "voice" / "metadata.csv").write_text("".join(rows), encoding="utf-8")
    return tmp_path / "voice"


def test_data_fix_makes_a_copy_and_says_what_was_done(
    myxtts: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    made = json.loads(myxtts("data", "fix", "~/voice", "--out", "~/mended", "--json"))
    assert made["folder"] == str(tmp_path / "mended")
    assert (made["clips"], made["left_out"], made["sample_rate"]) == (5, 1, 16000)
    problems = {problem["kind"]: problem for problem in made["problems"]}
    assert problems["cut_off"]["count"] == 1
    assert problems["cut_off"]["examples"][0]["file"].endswith(".wav")
    assert Path(made["changes"]).is_file()
    said = myxtts("data", "fix", str(folder), "--out", str(tmp_path / "again"))
    assert "error: cut off: 1" in said
    assert f"{tmp_path / 'again'}: 5 of 6 clips" in said
    assert "is there already" in myxtts("data", "fix", str(folder), "--out", str(tmp_path / "again"), code=1)


def test_data_fix_names_what_it_cannot_read(myxtts: Call, tmp_path: Path) -> None:
    said = myxtts("data", "fix", "nowhere", "--out", str(tmp_path / "copy"), code=2)
    assert f"{Path('nowhere').absolute()}: no such folder, and no preset is called 'nowhere'" in said
    (tmp_path / "empty").mkdir()
    said = myxtts("data", "fix", str(tmp_path / "empty"), "--out", str(tmp_path / "copy"), code=2)
    assert "no list of recordings with their texts was found" in said
    assert not (tmp_path / "copy").exists()
