"""Real recordings for the tests of this folder: a few of Debian's prompts, and the same in LJSpeech format."""

from pathlib import Path

import pytest
import soundfile as sf

from configs.schema import Data
from data.building import build_corpus
from data.corpus import read_corpus

PROMPTS = Data(source="debian_prompts", languages=["en"], max_clips=6, batch_size=4)


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of six English prompts."""
    folder = tmp_path_factory.mktemp("prompts") / "corpus"
    build_corpus(PROMPTS, folder)
    return folder


@pytest.fixture
def ljspeech(prompts: Path, tmp_path: Path) -> Path:
    """The six prompts as a folder in LJSpeech format, named clip-1.wav to clip-6.wav."""
    folder = tmp_path / "allison"
    (folder / "wavs").mkdir(parents=True)
    rows = []
    for number, clip in enumerate(read_corpus(prompts).itertuples(), start=1):
        samples, rate = sf.read(clip.path, dtype="int16")
        sf.write(folder / "wavs" / f"clip-{number}.wav", samples, rate)
        rows.append(f"clip-{number}|{clip.text}|{clip.text}\n")
    (folder / "metadata.csv").write_text("".join(rows), encoding="utf-8")
    return folder
