"""Making a corpus folder of what a source offers."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import soundfile as sf
from lhotse import Recording, RecordingSet, SupervisionSegment, SupervisionSet
from lhotse.audio import AudioSource

from common.files import replacing_folder
from common.progress import Report, silent, watched
from configs.schema import Data
from data.audio import AudioError, read_pcm
from data.corpus import ATTRIBUTION, RECORDINGS, SUPERVISIONS, write_findings
from data.sources import SOURCES
from data.sources.base import SourceClip


def build_corpus(data: Data, folder: Path, report: Report = silent) -> None:
    """Make the corpus that `data` describes in `folder`, replacing what is there; it appears whole or not at all.

    Raises `CorpusError` if the source is missing or its structure is wrong. Single clips with a fault (no audio, no
    text, audio that cannot be decoded) are brought along for `data.validation` to name.
    """
    with tempfile.TemporaryDirectory(prefix="myxtts-") as scratch, replacing_folder(folder) as new:
        offer = SOURCES[data.source](data, Path(scratch), report)
        _write_corpus(_choose(offer.clips, data.max_clips), offer.attribution, new, report)
        write_findings(offer.findings, new)


def _write_corpus(clips: Sequence[SourceClip], attribution: str, folder: Path, report: Report) -> None:
    (folder / "audio").mkdir(parents=True)
    recordings, supervisions = [], []
    for clip in watched(clips, "writing audio", len(clips), report):
        audio = PurePosixPath("audio", f"{clip.id}.flac")
        try:
            samples, rate = read_pcm(clip.audio)
            sf.write(folder / audio, samples, rate, format="FLAC", subtype="PCM_16")
            n_samples = len(samples)
        except AudioError:
            # the faulty file itself goes into the corpus, so that the validation can say what is wrong with it
            audio, rate, n_samples = audio.with_suffix(clip.audio.suffix), 0, 0
            if clip.audio.is_file():
                shutil.copyfile(clip.audio, folder / audio)
        duration = n_samples / rate if rate else 0.0
        source = AudioSource("file", [0], str(audio))
        recordings.append(Recording(clip.id, [source], rate, n_samples, duration))
        supervisions.append(
            SupervisionSegment(clip.id, clip.id, 0.0, duration, 0, clip.text, clip.language, clip.speaker)
        )
    RecordingSet.from_recordings(recordings).to_jsonl(folder / RECORDINGS)
    SupervisionSet.from_segments(supervisions).to_jsonl(folder / SUPERVISIONS)
    (folder / ATTRIBUTION).write_text(attribution, encoding="utf-8")


def _choose(clips: Iterable[SourceClip], max_clips: int | None) -> list[SourceClip]:
    """At most `max_clips` of each language, sorted by id: sentences before single words, then by hash of the id."""

    def rank(clip: SourceClip) -> tuple[bool, str]:
        return len(clip.text.split()) < 3, hashlib.sha256(clip.id.encode()).hexdigest()

    by_language: dict[str, list[SourceClip]] = {}
    for clip in clips:
        by_language.setdefault(clip.language, []).append(clip)
    chosen = [clip for some in by_language.values() for clip in sorted(some, key=rank)[:max_clips]]
    return sorted(chosen, key=lambda clip: clip.id)
