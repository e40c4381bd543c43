from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.audio import Waveform, read_audio
from data.corpus import read_corpus
from data.voice_activity import RATE, speech_spans


@pytest.fixture(scope="module")
def speech(prompts: Path) -> Waveform:
    """One prompt without a pause."""
    return next(
        samples
        for samples in (read_audio(clip.path, RATE) for clip in read_corpus(prompts))
        if len(speech_spans(samples)) == 1
    )


def test_speech_is_found_where_it_was_put_into_silence(speech: Waveform) -> None:
    ((start, stop),) = speech_spans(speech)
    silence = np.zeros(RATE, np.float32)
    (first, second) = speech_spans(np.concatenate([silence, speech, silence, speech, silence]))
    later = 2 + len(speech) / RATE
    assert first == pytest.approx((1 + start, 1 + stop), abs=0.1)
    assert second == pytest.approx((later + start, later + stop), abs=0.1)


@pytest.mark.parametrize("samples", [0, 1, 511, RATE])
def test_nothing_is_heard_in_silence_and_noise(samples: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.003, samples).astype(np.float32)
    assert speech_spans(np.zeros(samples, np.float32)) == []
    assert speech_spans(noise) == []


def test_what_was_heard_before_is_remembered_across_blocks(speech: Waveform) -> None:
    many = np.concatenate([speech, np.zeros(RATE // 2, np.float32)] * (1 + 20 * RATE // len(speech)))
    spans = speech_spans(many)
    lengths = [stop - start for start, stop in spans]
    assert len(spans) == 1 + 20 * RATE // len(speech)
    assert max(lengths) - min(lengths) < 0.1
