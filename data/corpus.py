"""Corpora: recorded (or synthetic) speech and its text, in one layout wherever it comes from.

A corpus folder holds `audio/` (16-bit mono FLAC), `recordings.jsonl` and `supervisions.jsonl` (lhotse manifests with
paths relative to the folder) and `ATTRIBUTION.md`. Equal sources give equal bytes, wherever the folder lies.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import Refused

if TYPE_CHECKING:
    import pandas as pd

RECORDINGS, SUPERVISIONS, ATTRIBUTION = "recordings.jsonl", "supervisions.jsonl", "ATTRIBUTION.md"


class NoCorpus(Refused):
    """A folder that holds no corpus."""


def read_corpus(folder: Path) -> pd.DataFrame:
    """The clips of a corpus folder: columns id, path (absolute), text, language, speaker, sorted by id.

    Raises `NoCorpus` if the folder holds no corpus.
    """
    import pandas as pd
    from lhotse import RecordingSet, SupervisionSet

    manifests = folder / RECORDINGS, folder / SUPERVISIONS
    missing = [path for path in manifests if not path.is_file()]
    if missing:
        raise NoCorpus("\n".join(f"{path}: not found; the folder holds no corpus" for path in missing))
    root = folder.resolve()
    recordings, supervisions = RecordingSet.from_jsonl(manifests[0]), SupervisionSet.from_jsonl(manifests[1])
    paths = {recording.id: root / recording.sources[0].source for recording in recordings}
    rows = [(s.id, paths[s.recording_id], s.text, s.language, s.speaker) for s in supervisions]
    return pd.DataFrame(rows, columns=["id", "path", "text", "language", "speaker"])
