"""Corpora of tests, made of clips that are there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from data.corpus import RECORDINGS, SUPERVISIONS, CorpusClip


def corpus_of(clips: Iterable[CorpusClip], folder: Path) -> Path:
    """A corpus of these clips, with copies of their audio."""
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    recordings, supervisions = [], []
    for clip in sorted(clips, key=lambda clip: clip.id):
        audio = Path("audio", f"{clip.id}.flac")
        shutil.copyfile(clip.path, folder / audio)
        sources = [{"type": "file", "channels": [0], "source": audio.as_posix()}]
        recording = {"id": clip.id, "sources": sources, "sampling_rate": clip.sample_rate}
        recordings.append(recording | {"num_samples": clip.num_samples, "duration": clip.duration})
        said = {"id": clip.id, "recording_id": clip.id, "start": 0.0, "duration": clip.duration, "channel": 0}
        supervisions.append(said | {"text": clip.text, "language": clip.language, "speaker": clip.speaker})
    for name, rows in ((RECORDINGS, recordings), (SUPERVISIONS, supervisions)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
