"""The prompts, to be laid out as people do."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile as sf

from data.audio import read_pcm
from data.corpus import read_corpus


@dataclass(frozen=True)
class Prompt:
    """A recording with its text."""

    id: str
    text: str
    audio: Path

    def put(self, path: Path) -> None:
        """Bring the recording to where a layout has it, as WAV whatever it is called."""
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.audio, path)


@pytest.fixture(scope="session")
def recorded(prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Prompt]:
    """Six prompts as WAV files, clip-1 to clip-6."""
    folder = tmp_path_factory.mktemp("recorded")

    def made() -> Iterator[Prompt]:
        for number, clip in enumerate(read_corpus(prompts), start=1):
            path = folder / f"clip-{number}.wav"
            sf.write(path, *read_pcm(clip.path))
            yield Prompt(path.stem, clip.text, path)

    return list(made())


def write_lines(path: Path, lines: Iterable[str], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
