"""The prompts as a person's own recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile as sf

from data.audio import Pcm, read_pcm
from data.corpus import read_corpus


@pytest.fixture
def ljspeech(prompts: Path, tmp_path: Path) -> Path:
    """The six prompts as a folder in LJSpeech format, named clip-1.wav to clip-6.wav."""
    folder = tmp_path / "allison"
    (folder / "wavs").mkdir(parents=True)
    rows = []
    for number, clip in enumerate(read_corpus(prompts), start=1):
        samples, rate = read_pcm(clip.path)
        sf.write(folder / "wavs" / f"clip-{number}.wav", samples, rate)
        rows.append(f"clip-{number}|{clip.text}|{clip.text}\n")
    (folder / "metadata.csv").write_text("".join(rows), encoding="utf-8")
    return folder


@pytest.fixture
def recording(prompts: Path) -> Path:
    """A real recording."""
    return read_corpus(prompts)[0].path


@pytest.fixture
def pcm(recording: Path) -> Pcm:
    """Its samples."""
    return read_pcm(recording)[0]
