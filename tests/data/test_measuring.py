from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from configs.schema import Config
from data.audio import read_audio
from data.corpus import CorpusClip, read_corpus
from data.measuring import measure


@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.2, 140.0])
def test_clips_of_any_length_can_be_measured(tmp_path: Path, smoke_corpus: Path, smoke: Config, seconds: float) -> None:
    clip = read_corpus(smoke_corpus)[0]
    rate = smoke.audio.sample_rate
    samples = np.resize(read_audio(clip.path, rate)[rate // 4 :], round(seconds * rate))
    sf.write(tmp_path / "clip.flac", samples, rate)
    (measured,) = measure([replace(clip, path=tmp_path / "clip.flac")], smoke.audio)
    assert len(measured.mel_tm) <= seconds * rate / smoke.audio.hop_length
    assert measured.half_frames == 2 * len(measured.mel_tm)
    if measured.half_frames:
        assert measured.acoustic_tc().shape == (measured.half_frames, 39)
        assert np.isfinite(measured.acoustic_tc()).all()


def test_threads_change_no_bit(smoke_corpus: Path, smoke: Config) -> None:
    clips: list[CorpusClip] = read_corpus(smoke_corpus)[:8]
    for one, two in zip(measure(clips, smoke.audio, 1), measure(clips, smoke.audio, 2), strict=True):
        np.testing.assert_array_equal(one.mel_tm, two.mel_tm)
        np.testing.assert_array_equal(one.cepstra_tc, two.cepstra_tc)
