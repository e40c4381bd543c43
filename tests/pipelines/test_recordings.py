"""A person's own recordings, from the folder to a registered voice, and what a correction makes again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from data.corpus import read_corpus
from tests.pipelines.clone import CLI, SMALLEST, Clone


@pytest.fixture
def recordings(smoke_corpus: Path, tmp_path: Path) -> Path:
    """Forty prompts in LJSpeech format, one of them torn, in a folder with a name of its own."""
    folder = tmp_path / "my voice é"
    (folder / "wavs").mkdir(parents=True)
    clips = read_corpus(smoke_corpus)
    for clip in clips:
        shutil.copy(clip.path, folder / "wavs" / f"{clip.id}.flac")
    torn = folder / "wavs" / f"{clips[0].id}.flac"
    torn.write_bytes(torn.read_bytes()[:4000])
    (folder / "metadata.csv").write_text("".join(f"{clip.id}|{clip.text}\n" for clip in clips), encoding="utf-8")
    return folder


def changed(clone: Clone) -> set[str]:
    """What DVC says has changed of what the corpus of `mine` is made of."""
    status = json.loads(clone.python("-m", "dvc", "status", "--json", "corpus@mine"))
    causes = [cause["changed deps"] for cause in status.get("corpus@mine", []) if "changed deps" in cause]
    return {path for cause in causes for path in cause}


@pytest.mark.slow
@pytest.mark.pipeline
def test_recordings_become_a_voice_and_a_correction_is_taken_up(recordings: Path, tmp_path: Path) -> None:
    clone = Clone(tmp_path / "checkout")
    shutil.copy(clone.folder / "configs/smoke.yaml", clone.folder / "configs/mine.yaml")
    importing = clone.start(*CLI, "data", "import", str(recordings), "--preset", "mine", "--force", "--json")
    said = json.loads(importing.communicate()[0])
    assert importing.returncode == 1
    assert {problem["kind"] for problem in said["problems"] if problem["severity"] == "error"} == {"cut_off"}

    settings = [argument for key, value in SMALLEST.items() for argument in ("--set", f"{key}={value}")]
    assert "cut off" in clone.myxtts("run", "mine", *settings, code=1)
    made = json.loads(clone.myxtts("run", "mine", "--set", "data.on_error=drop", "--json"))
    assert made["version"] == 1
    identity = json.loads((clone.folder / "reports/mine/identity.json").read_text())
    assert "cut off 1" in identity["dropped"]
    assert identity["source"].endswith(".dir")
    assert changed(clone) == set()

    metadata = recordings / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("|", "|Well, ", 1))
    assert changed(clone) == {str(recordings)}
    again = json.loads(clone.myxtts("run", "mine", "--json"))
    assert (again["changed"], again["version"]) == (True, 2)
    assert json.loads((clone.folder / "reports/mine/identity.json").read_text())["source"] != identity["source"]
    assert changed(clone) == set()
