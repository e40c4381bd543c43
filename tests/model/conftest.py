"""A disk that can be full, and recordings for the vocoder."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from configs.schema import Audio
from data.audio import trimmed_audio
from data.corpus import read_corpus
from data.mel import log_mel
from model.vocoder_training import VocoderExample

AUDIO = Audio(sample_rate=16000, n_fft=1024, hop_length=256, n_mels=80)


def example_of(path: Path, audio: Audio) -> VocoderExample:
    samples = trimmed_audio(path, audio)
    return VocoderExample(samples, log_mel(torch.from_numpy(samples)[None], audio)[0].numpy())


def white_noise(samples: int) -> torch.Tensor:
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def paths(prompts: Path) -> list[Path]:
    """Four recorded English prompts."""
    return [clip.path for clip in read_corpus(prompts)[:4]]


@pytest.fixture(scope="session")
def examples(paths: list[Path]) -> list[VocoderExample]:
    return [example_of(path, AUDIO) for path in paths]


class Disk:
    """A folder that has room or has none: a tmpfs of its own or, where none may be mounted, a limit on all files."""

    def __init__(self, folder: Path):
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", str(folder)]
        self.is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0

    def fill(self) -> None:
        if self.is_mounted:
            room = os.statvfs(self.folder)
            with open(self.folder / "filler", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_bsize - (1 << 20))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))

    def free(self) -> None:
        if self.is_mounted:
            (self.folder / "filler").unlink(missing_ok=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def detach(self) -> None:
        self.free()
        if self.is_mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = Disk(folder)
    yield disk
    disk.detach()
