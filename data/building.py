"""Making a corpus folder of what a source offers; of a corpus that is there already, only what has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import soundfile as sf
from lhotse import Recording, RecordingSet, SupervisionSegment, SupervisionSet
from lhotse.audio import AudioSource

from common import LOCK_FILE, ROOT
from common.files import digest, file_digest, link, replacing, replacing_folder
from common.progress import Report, silent, watched
from configs.schema import Data
from data.audio import decode
from data.chapters import cut_long_recordings
from data.corpus import ATTRIBUTION, RECORDINGS, SUPERVISIONS, write_credits, write_findings
from data.problems import Finding, Kind
from data.sources import SOURCES
from data.sources.base import SourceClip, file_of


@dataclass(frozen=True)
class _Written:
    """A clip's file in a corpus, and what it was made of."""

    source: str
    """SHA-256 of the file that was read; empty if there was none."""
    file: str
    """Relative to the corpus."""
    sha256: str
    rate: int
    samples: int
    findings: list[dict[str, Any]]
    """What the reader noticed and put right, as `data.corpus` keeps it."""


def build_corpus(data: Data, folder: Path, report: Report = silent, workers: int = 1) -> None:
    """Make the corpus that `data` describes in `folder`, replacing what is there; it appears whole or not at all.

    Recordings that have not changed since the corpus in `folder` was made are taken from there; the rest is decoded
    by `workers` threads. Raises `CorpusError` if the source is missing or its structure is wrong. Single clips with a
    fault (no audio, no text, audio that cannot be decoded) are brought along for `data.validation` to name.
    """
    index = folder.with_name(f".{folder.name}.json")
    with tempfile.TemporaryDirectory(prefix="myxtts-") as scratch, replacing_folder(folder) as new:
        offer = SOURCES[data.source](data, Path(scratch), report)
        whole = _choose(offer.clips, data.max_clips)
        clips, cut = cut_long_recordings(whole, data.cut_above_seconds, Path(scratch), report)
        (new / "audio").mkdir()
        written = _write_audio(clips, new, folder, _read_index(index), workers, report)
        _write_manifests(clips, written, data, new)
        (new / ATTRIBUTION).write_text(offer.attribution, encoding="utf-8")
        write_findings([*offer.findings, *cut, *_noticed(clips, written, data)], new)
        write_credits(offer.credits, new)
    with replacing(index) as temporary:
        made = {clip.id: asdict(found) for clip, found in zip(clips, written, strict=True)}
        temporary.write_text(json.dumps({"reader": _reader(), "clips": made}))


def _write_audio(
    clips: Sequence[SourceClip],
    new: Path,
    old: Path,
    known: Mapping[str, _Written],
    workers: int,
    report: Report,
) -> list[_Written]:
    def write(clip: SourceClip) -> _Written:
        source = file_digest(clip.audio) if clip.audio.is_file() else ""
        before = known.get(clip.id)
        if before and before.source == source and _is_whole(old / before.file, before):
            if before.sha256:
                link((old / before.file).resolve(), new / before.file)
            return before
        return _write(clip, source, new)

    with ThreadPoolExecutor(workers) as pool:
        return list(watched(pool.map(write, clips), "writing audio", len(clips), report))


def _write(clip: SourceClip, source: str, folder: Path) -> _Written:
    file = PurePosixPath("audio", f"{clip.id}.flac")
    samples, rate, findings = decode(clip.audio)
    if any(finding.kind.severity == "error" for finding in findings):
        # the faulty file itself goes into the corpus, so that the validation can say what is wrong with it
        file, samples, rate, findings = file.with_suffix(clip.audio.suffix), samples[:0], 0, ()
        if source:
            shutil.copyfile(clip.audio, folder / file)
    else:
        sf.write(folder / file, samples, rate, format="FLAC", subtype="PCM_16")
    sha256 = file_digest(folder / file) if source else ""
    return _Written(source, str(file), sha256, rate, len(samples), [asdict(finding) for finding in findings])


def _is_whole(path: Path, written: _Written) -> bool:
    """Whether a file is what was written, and nothing where nothing was."""
    return file_digest(path) == written.sha256 if path.is_file() else not written.sha256


def _noticed(clips: Sequence[SourceClip], written: Sequence[_Written], data: Data) -> Iterator[Finding]:
    """What the reader noticed of each clip."""
    for clip, made in zip(clips, written, strict=True):
        for found in made.findings:
            place = {"id": clip.id, "file": file_of(clip, data), "row": clip.row}
            yield Finding(**{**found, **place, "kind": Kind(**found["kind"])})


def _write_manifests(clips: Sequence[SourceClip], written: Sequence[_Written], data: Data, folder: Path) -> None:
    recordings, supervisions = [], []
    for clip, found in zip(clips, written, strict=True):
        duration = found.samples / found.rate if found.rate else 0.0
        source = AudioSource("file", [0], found.file)
        recordings.append(Recording(clip.id, [source], found.rate, found.samples, duration))
        said = SupervisionSegment(clip.id, clip.id, 0.0, duration, 0, clip.text, clip.language, clip.speaker)
        said.custom = {"file": file_of(clip, data)} | ({} if clip.row is None else {"row": clip.row})
        supervisions.append(said)
    RecordingSet.from_recordings(recordings).to_jsonl(folder / RECORDINGS)
    SupervisionSet.from_segments(supervisions).to_jsonl(folder / SUPERVISIONS)


def _read_index(index: Path) -> Mapping[str, _Written]:
    """What the last build wrote, by clip; nothing if it is not known, or was read by other code."""
    try:
        content: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
        same = content["reader"] == _reader()
        return {id: _Written(**found) for id, found in content["clips"].items()} if same else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _reader() -> str:
    """What decides how a file is decoded: this project's reader, and every package."""
    here = Path(__file__).parent
    reader = [here / "audio.py", here / "building.py", here / "decoding.py", *sorted(here.glob("containers/*.py"))]
    return digest([file_digest(file) for file in (*reader, ROOT / LOCK_FILE)])


def _choose(clips: Iterable[SourceClip], max_clips: int | None) -> list[SourceClip]:
    """At most `max_clips` of each language, sorted by id: sentences before single words, then by hash of the id."""

    def rank(clip: SourceClip) -> tuple[bool, str]:
        return len(clip.text.split()) < 3, hashlib.sha256(clip.id.encode()).hexdigest()

    by_language: dict[str, list[SourceClip]] = {}
    for clip in clips:
        by_language.setdefault(clip.language, []).append(clip)
    chosen = [clip for some in by_language.values() for clip in sorted(some, key=rank)[:max_clips]]
    return sorted(chosen, key=lambda clip: clip.id)
