"""The samples behind a piece's mel."""

from __future__ import annotations

import functools
from pathlib import Path

from configs.schema import Audio
from data.audio import Waveform, trimmed_audio
from data.features import Features


def recording_of(features: Features, piece: str, corpus: Path, audio: Audio) -> Waveform:
    """The samples (t · hop_length) that the piece's mel (t, n_mels) was measured on, from the corpus."""
    row = features.place(piece)
    samples = _cached_audio(corpus / row.path, audio)
    return samples[row.start * audio.hop_length : (row.start + row.frames) * audio.hop_length]


@functools.lru_cache(maxsize=1)
def _cached_audio(path: Path, audio: Audio) -> Waveform:  # the pieces of a clip are read one after another
    return trimmed_audio(path, audio)
