"""Corpora: recorded (or synthetic) speech and its text, in one layout wherever it comes from.

A corpus folder holds `audio/` (16-bit mono FLAC), `recordings.jsonl` and `supervisions.jsonl` (lhotse manifests with
paths relative to the folder) and `ATTRIBUTION.md`. Equal sources give equal bytes, wherever the folder lies.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import soundfile as sf

from configs.schema import Data
from data.sources import SOURCES, Clip, CorpusError, track

if TYPE_CHECKING:
    import pandas as pd

Pcm = npt.NDArray[np.int16]


class AudioError(ValueError):
    """An audio file cannot be decoded to its end."""


def build_corpus(data: Data, folder: Path) -> None:
    """Make the corpus that `data` describes in `folder`, replacing what is there; it appears whole or not at all.

    Raises `CorpusError` if the source is missing or its structure is wrong. Single clips with a fault (no audio, no
    text, audio that cannot be decoded) are brought along for `data.validation` to name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        scratch, new = Path(temporary, "scratch"), Path(temporary, "corpus")
        scratch.mkdir()
        clips, attribution = SOURCES[data.source](data, scratch)
        _write_corpus(_choose(clips, data.max_clips), attribution, new)
        if folder.exists():
            folder.rename(Path(temporary, "old"))
        new.rename(folder)


def read_corpus(folder: Path) -> pd.DataFrame:
    """The clips of a corpus folder: columns id, path (absolute), text, language, speaker, sorted by id.

    Raises `CorpusError` if the folder holds no corpus.
    """
    import pandas as pd
    from lhotse import RecordingSet, SupervisionSet

    manifests = folder / "recordings.jsonl", folder / "supervisions.jsonl"
    missing = [path for path in manifests if not path.is_file()]
    if missing:
        raise CorpusError("\n".join(f"{path}: not found; the folder holds no corpus" for path in missing))
    root = folder.resolve()
    recordings, supervisions = RecordingSet.from_jsonl(manifests[0]), SupervisionSet.from_jsonl(manifests[1])
    paths = {recording.id: root / recording.sources[0].source for recording in recordings}
    rows = [(s.id, paths[s.recording_id], s.text, s.language, s.speaker) for s in supervisions]
    return pd.DataFrame(rows, columns=["id", "path", "text", "language", "speaker"])


def read_pcm(path: Path) -> tuple[Pcm, int]:
    """Decode a whole audio file: 16-bit mono samples (channels are averaged) and the sample rate in Hz.

    Raises `AudioError` if there is no such file, it cannot be decoded, it was cut short or it is empty.
    """
    if not path.is_file():
        raise AudioError("no such file")
    if not path.stat().st_size:
        raise AudioError("empty file")
    missing = _missing_wav_bytes(path)
    if missing:
        raise AudioError(f"truncated: {missing} bytes of audio are missing")
    if path.suffix == ".g722":
        return _read_g722(path), 16000
    try:
        with sf.SoundFile(path) as file:
            announced, rate = file.frames, file.samplerate
            samples = file.read(dtype="float64", always_2d=True)
    except sf.LibsndfileError as error:
        raise AudioError(f"cannot be decoded: {error.error_string}") from None
    if len(samples) < announced:
        raise AudioError(f"truncated: {len(samples)} of {announced} samples can be decoded")
    if not len(samples):
        raise AudioError("holds no samples")
    if not np.isfinite(samples).all():
        raise AudioError("holds samples that are not numbers")
    # libsndfile scales by 2^15 when it reads and by 2^15 - 1 when it writes: integers keep 16-bit audio exact
    mono: Pcm = np.rint(samples.mean(axis=1) * 32768).clip(-32768, 32767).astype(np.int16)
    return mono, rate


def _read_g722(path: Path) -> Pcm:
    import av

    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    samples: Pcm = np.concatenate(frames)
    return samples


def _missing_wav_bytes(path: Path) -> int:
    """How many bytes the data chunk of a WAV file announces but does not have; libsndfile does not complain."""
    size = path.stat().st_size
    with path.open("rb") as file:
        riff = file.read(12)
        if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
            return 0
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                streamed = length == 0xFFFFFFFF  # written to a pipe: the length was not known
                return 0 if streamed else max(0, file.tell() + length - size)
            file.seek(length + length % 2, 1)
    return 0


def _write_corpus(clips: Sequence[Clip], attribution: str, folder: Path) -> None:
    from lhotse import Recording, RecordingSet, SupervisionSegment, SupervisionSet
    from lhotse.audio import AudioSource

    (folder / "audio").mkdir(parents=True)
    recordings, supervisions = [], []
    for clip in track(clips, "Writing audio"):
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
    RecordingSet.from_recordings(recordings).to_jsonl(folder / "recordings.jsonl")
    SupervisionSet.from_segments(supervisions).to_jsonl(folder / "supervisions.jsonl")
    (folder / "ATTRIBUTION.md").write_text(attribution, encoding="utf-8")


def _choose(clips: Iterable[Clip], max_clips: int | None) -> list[Clip]:
    """At most `max_clips` of each language, sorted by id: sentences before single words, then by hash of the id."""

    def rank(clip: Clip) -> tuple[bool, str]:
        return len(clip.text.split()) < 3, hashlib.sha256(clip.id.encode()).hexdigest()

    by_language: dict[str, list[Clip]] = {}
    for clip in clips:
        by_language.setdefault(clip.language, []).append(clip)
    chosen = [clip for some in by_language.values() for clip in sorted(some, key=rank)[:max_clips]]
    return sorted(chosen, key=lambda clip: clip.id)
