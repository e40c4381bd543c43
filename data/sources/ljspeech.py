"""A folder of one's own in LJSpeech format: `metadata.csv` with a line `id|text` for each file in `wavs/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from common.progress import Report
from configs.outs import source_path
from configs.schema import Data
from data.audio import AUDIO_EXTENSIONS
from data.corpus import CorpusError
from data.sources.base import Offer, SourceClip, only_language


def offer(data: Data, _scratch: Path, _report: Report) -> Offer:
    """The clips of the folder `data.path`."""
    language = only_language(data)
    folder = source_path(str(data.path))
    metadata = folder / "metadata.csv"
    if not metadata.is_file():
        raise CorpusError(
            f"{metadata}: not found; data.path must be a folder with metadata.csv (lines id|text or "
            "id|text|normalised text) and the audio in wavs/"
        )
    rows = _metadata_rows(metadata)
    speaker = folder.resolve().name
    ids = _unique([name.replace("/", "-") for name, _ in rows])
    clips = [
        SourceClip(id, text, language, speaker, _find_audio(folder / "wavs", name))
        for id, (name, text) in zip(ids, rows, strict=True)
    ]
    attribution = (
        f"# Attribution\n\nFrom the folder `{speaker}`, in LJSpeech format, of whoever built this corpus: its rights "
        "and licence are theirs to know.\n\nChanges: re-encoded to 16-bit mono FLAC at the sample rate of each file.\n"
    )
    return Offer(clips, attribution)


def _metadata_rows(metadata: Path) -> list[tuple[str, str]]:
    """Name of the audio (without extension) and text of each row; `CorpusError` lists every line that is malformed."""
    rows, problems = [], []
    for number, line in enumerate(metadata.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        where = f"{metadata}, line {number}"
        try:
            name, *texts = (field.strip() for field in line.decode("utf-8").split("|"))
        except UnicodeDecodeError as error:
            problems.append(f"{where}: not UTF-8 at byte {error.start}: {line[error.start : error.start + 8]!r}")
            continue
        if not name and not texts:
            continue
        path = PurePosixPath(name)
        if len(texts) not in (1, 2):
            problems.append(f"{where}: {1 + len(texts)} columns, expected id|text or id|text|normalised text")
        elif not name or path.is_absolute() or ".." in path.parts or "\0" in name:
            problems.append(f"{where}: {name!r} is not a file name inside wavs/")
        else:
            rows.append((str(path.with_suffix("")) if path.suffix in AUDIO_EXTENSIONS else name, texts[-1]))
    if not rows and not problems:
        problems.append(f"{metadata}: empty; expected a line id|text for each clip")
    if problems:
        raise CorpusError("\n".join(problems))
    return rows


def _find_audio(wavs: Path, name: str) -> Path:
    candidates = [wavs / f"{name}{extension}" for extension in AUDIO_EXTENSIONS]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _unique(ids: Sequence[str]) -> list[str]:
    """Give repeated ids a suffix: a, a → a, a-2."""
    taken, used, unique = set(ids), set(), []
    for id in ids:
        candidate, n = id, 1
        while candidate in used or (n > 1 and candidate in taken):
            n += 1
            candidate = f"{id}-{n}"
        used.add(candidate)
        unique.append(candidate)
    return unique
