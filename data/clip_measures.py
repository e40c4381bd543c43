"""What is measured of each clip, one column each (see `configs.schema.Validation` for the bounds).

Of the file: `unreadable` is 1 if it does not decode to its end, with the `reason`; nothing else is asked of it.

Of the sound:
- `duration`, s. `sample_rate`, Hz. `rate_ratio`: the sample rate over that of most clips of the speaker.
- `peak`: largest amplitude, full scale is 1. `dc_offset`: mean amplitude, without its sign.
- `clipping`: share of samples on flat tops, at full scale or, where it was made quieter afterwards, below it.
- `silence`: share of frames of 10 ms that are 40 dB below the loudest one or below -60 dBFS; `leading_silence` and
  `trailing_silence`, s, at the ends. `loudness`: RMS of the other frames, dBFS.
- `snr`: speech over noise, dB. `hum`: lines of the mains over everything else, dB.
- `bandwidth`: the frequency up to which there is sound, Hz.

Of the text:
- `text_length`: characters of the normalised text; 0 if nothing of it can be spoken.
- `unknown_characters`: how many characters and phones the vocabulary lacks; `unknown` lists them.

Of both:
- `speech_rate`: phones a second of what is not silence. `phone_length`: ms of the clip for each phone.
- `tempo`: how far the clip's speech is longer than its speaker takes for so many phones, in robust deviations.
- `row_shift`: how many rows below (or, under 0, above) the text stands that the recording fits, `row_that_fits`.
- `duplicate_audio`, `duplicate_text`: how many earlier clips have the same samples, or the same speaker and
  normalised text; `same_audio_as`, `same_text_as` name the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.progress import Report, silent
from data.audio import decode
from data.corpus import CorpusClip
from data.sound_measures import SOUND_MEASURES, measure_sound
from data.text import readings
from data.transcript_fit import Integers, row_shifts, tempo
from data.vocabulary import SILENT, has_sound

CLIP_COLUMNS = ("id", "path", "file", "row", "text", "language", "speaker")
"""What must be known of a clip: `path` of its audio, and how its source names it, `file`, and its `row` or NaN."""

_OF_AUDIO = ("unreadable", "reason", "noticed", *SOUND_MEASURES, "samples")
_AT_A_TIME = 256


def corpus_table(corpus: Sequence[CorpusClip]) -> pd.DataFrame:
    """What is to be measured of a corpus, see `CLIP_COLUMNS`."""
    table = pd.DataFrame(
        [(c.id, str(c.path), c.file or c.path.name, c.row, c.text, c.language, c.speaker) for c in corpus],
        columns=CLIP_COLUMNS,
    )
    return table.astype({"row": float})


def measure(clips: pd.DataFrame, workers: int, report: Report = silent) -> pd.DataFrame:
    """The clips (`CLIP_COLUMNS`) with their measures as further columns (see the module), decoded by so many threads.

    A measure that cannot be taken, such as the duration of unreadable audio, is NaN. Samples are held of few clips at
    a time.
    """
    clips = clips.reset_index(drop=True)
    audio = _measure_recordings(list(clips["path"]), workers, report)
    texts = [_measure_texts(some["text"], str(language)) for language, some in clips.groupby("language")]
    texts = texts or [_measure_texts(clips["text"], "")]
    clips = pd.concat([clips, audio, pd.concat(texts)], axis=1)

    spoken = (clips["duration"] * (1 - clips["silence"])).where(lambda seconds: seconds > 0)
    phones = clips["phones"].where(clips["phones"] > 0).astype(float)
    clips["speech_rate"] = phones / spoken
    clips["phone_length"] = 1000 * clips["duration"] / phones
    clips["tempo"] = tempo(spoken.to_numpy(), phones.to_numpy(), clips["speaker"])
    rows = _rows(clips["row"])
    clips["row_shift"] = row_shifts(spoken.to_numpy(), phones.to_numpy(), clips["speaker"], rows)
    clips["row_that_fits"] = [
        f"row {row + by:.0f} fits" if by else "" for row, by in zip(rows, clips["row_shift"], strict=True)
    ]
    usual = clips.groupby("speaker")["sample_rate"].transform(lambda rates: rates.mode().max())
    clips["rate_ratio"] = clips["sample_rate"] / usual
    _count_repeats(clips, ["samples"], "duplicate_audio", "same_audio_as")
    _count_repeats(clips, ["speaker", "spoken_text"], "duplicate_text", "same_text_as")
    return clips.drop(columns=["samples", "spoken_text", "phones"])


def _measure_recordings(paths: Sequence[str], workers: int, report: Report) -> pd.DataFrame:
    frames = [pd.DataFrame(columns=_OF_AUDIO)]
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(paths), _AT_A_TIME):
            some = paths[start : start + _AT_A_TIME]
            frames.append(pd.DataFrame(list(pool.map(_measure_recording, some)), columns=_OF_AUDIO))
            report("measuring recordings", start + len(some), len(paths))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def _measure_recording(path: str) -> dict[str, Any]:
    pcm, rate, noticed = decode(Path(path))
    if errors := [finding for finding in noticed if finding.kind.severity == "error"]:
        return {"unreadable": 1.0, "reason": errors[0].found, "noticed": noticed}
    samples = hashlib.blake2b(f"{rate} ".encode() + pcm.tobytes(), digest_size=16).hexdigest()
    return {"unreadable": 0.0, "reason": "", "noticed": noticed, **measure_sound(pcm, rate), "samples": samples}


def _measure_texts(texts: pd.Series[str], language: str) -> pd.DataFrame:
    """Measures of the texts of one language."""
    read = readings(list(texts), language)
    spoken = [reading.words if has_sound(reading.tokens) else "" for reading in read]
    columns = {
        "text_length": [len(text) for text in spoken],
        "unknown_characters": [len(reading.unknown) for reading in read],
        "unknown": [reading.unknown for reading in read],
        "phones": [sum(symbol not in SILENT for symbol in reading.tokens.symbols) for reading in read],
        "spoken_text": [text or None for text in spoken],
    }
    return pd.DataFrame(columns, index=texts.index)


def _rows(row: pd.Series[float]) -> Integers:
    """The row of each clip in its list; its place among the clips where the list is not known, or there are several."""
    known = row.notna().all() and row.is_unique
    return row.to_numpy().astype(np.int64) if known else np.arange(1, len(row) + 1, dtype=np.int64)


def _count_repeats(clips: pd.DataFrame, keys: list[str], column: str, first_column: str) -> None:
    known = clips.dropna(subset=keys)
    groups = known.groupby(keys, sort=False)
    clips[column] = groups.cumcount().reindex(clips.index)
    first = groups["id"].transform("first").where(clips[column] > 0, "")
    clips[first_column] = first.reindex(clips.index).fillna("")
