"""What is measured of each clip of a corpus, one column each (see `configs.schema.Validation` for the bounds).

- `readable`: 1 if the audio decodes to its end, else 0, with the `reason`; nothing else is asked of unreadable audio.
- `duration`: s. `sample_rate`: Hz, of the file. `peak`: largest amplitude, full scale is 1.
- `clipping`: share of samples at full scale beside another one.
- `silence`: share of frames of 10 ms that are 40 dB below the loudest one or below -60 dBFS.
- `loudness`: RMS of the other frames, dBFS.
- `text_length`: characters of the normalised text; 0 if nothing of it can be spoken.
- `unknown_characters`: how many characters and phones the vocabulary lacks; `unknown` lists them.
- `speech_rate`: phones a second of what is not silence.
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

from data.audio import FULL_SCALE, AudioError, read_pcm
from data.corpus import CorpusClip
from data.text import readings
from data.vocabulary import SILENT, has_sound

EXPLANATIONS = {
    "readable": "reason",
    "unknown_characters": "unknown",
    "duplicate_audio": "same_audio_as",
    "duplicate_text": "same_text_as",
}
"""Columns whose value another column explains."""

UNITS = {"duration": " s", "sample_rate": " Hz", "loudness": " dBFS", "speech_rate": " phones/s"}

LEVEL_FLOOR = -120.0
"""Level of digital silence, dBFS."""

_OF_AUDIO = ["readable", "reason", "duration", "sample_rate", "peak", "clipping", "silence", "loudness", "samples"]


def measure(corpus: Sequence[CorpusClip], workers: int) -> pd.DataFrame:
    """The clips with their measures as further columns (see the module), decoded by `workers` threads.

    A measure that cannot be taken, such as the duration of unreadable audio, is NaN.
    """
    clips = pd.DataFrame(corpus)[["id", "path", "text", "language", "speaker"]]
    with ThreadPoolExecutor(workers) as pool:
        audio = pd.DataFrame(list(pool.map(_measure_audio, clips["path"])), columns=_OF_AUDIO)
    text = pd.concat([_measure_text(some, str(language)) for language, some in clips.groupby("language")])
    clips = pd.concat([clips, audio, text], axis=1)

    spoken_seconds = clips["duration"] * (1 - clips["silence"])
    clips["speech_rate"] = (clips["phones"] / spoken_seconds).where((clips["phones"] > 0) & (spoken_seconds > 0))
    _count_repeats(clips, ["samples"], "duplicate_audio")
    _count_repeats(clips, ["speaker", "spoken_text"], "duplicate_text")
    return clips.drop(columns=["samples", "spoken_text", "phones"])


def _measure_audio(path: Path) -> dict[str, Any]:
    try:
        pcm, rate = read_pcm(path)
    except AudioError as error:
        return {"readable": 0.0, "reason": str(error)}
    samples = pcm.astype(np.float64) / FULL_SCALE
    full_scale = np.abs(samples) >= 0.9999
    beside = np.zeros_like(full_scale)
    beside[1:] |= full_scale[:-1]
    beside[:-1] |= full_scale[1:]

    frame = max(1, rate // 100)
    frames_ts = np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)
    power_t = np.square(frames_ts).mean(axis=1)
    level_t = _decibels(power_t)
    silent_t = (level_t < level_t.max() - 40) | (level_t < -60)
    return {
        "readable": 1.0,
        "reason": "",
        "duration": len(samples) / rate,
        "sample_rate": rate,
        "peak": np.abs(samples).max(),
        "clipping": (full_scale & beside).mean(),
        "silence": silent_t.mean(),
        "loudness": LEVEL_FLOOR if silent_t.all() else float(_decibels(power_t[~silent_t].mean())),
        "samples": hashlib.sha256(f"{rate} ".encode() + pcm.tobytes()).hexdigest(),
    }


def _decibels(power: Any) -> Any:
    return 10 * np.log10(np.maximum(power, 10 ** (LEVEL_FLOOR / 10)))


def _measure_text(clips: pd.DataFrame, language: str) -> pd.DataFrame:
    """Measures of the texts of one language."""
    read = readings(list(clips["text"]), language)
    spoken = [reading.words if has_sound(reading.tokens) else "" for reading in read]
    columns = {
        "text_length": [len(text) for text in spoken],
        "unknown_characters": [len(reading.unknown) for reading in read],
        "unknown": [reading.unknown for reading in read],
        "phones": [sum(symbol not in SILENT for symbol in reading.tokens.symbols) for reading in read],
        "spoken_text": [text or None for text in spoken],
    }
    return pd.DataFrame(columns, index=clips.index)


def _count_repeats(clips: pd.DataFrame, keys: list[str], column: str) -> None:
    known = clips.dropna(subset=keys)
    groups = known.groupby(keys, sort=False)
    clips[column] = groups.cumcount().reindex(clips.index)
    first = groups["id"].transform("first").where(clips[column] > 0, "")
    clips[EXPLANATIONS[column]] = first.reindex(clips.index).fillna("")
