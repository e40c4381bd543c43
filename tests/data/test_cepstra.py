from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.cepstra import CEPSTRA, cepstra, with_differences


@settings(max_examples=20, deadline=None)
@given(st.integers(200, 40000), st.sampled_from([80, 128, 160]))
def test_there_is_a_frame_for_each_hop(n_samples: int, hop_length: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, n_samples + 6 * hop_length).astype(np.float32)
    heard = cepstra(noise, 16000, hop_length)
    assert heard.shape == (1 + len(noise) // hop_length, CEPSTRA)
    assert with_differences(heard).shape == (len(heard), 3 * CEPSTRA)


def test_a_frame_does_not_depend_on_what_is_heard_much_earlier() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    assert cepstra(noise[8000:], 16000, 160)[10:] == pytest.approx(cepstra(noise, 16000, 160)[60:], abs=1e-3)


def test_what_does_not_change_has_no_differences() -> None:
    still = np.tile(np.arange(CEPSTRA, dtype=np.float32), (20, 1))
    assert with_differences(still) == pytest.approx(np.concatenate([still, np.zeros((20, 2 * CEPSTRA))], axis=1))


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_cepstra_are_taken_at_every_usual_rate(sample_rate: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, sample_rate).astype(np.float32)
    assert np.isfinite(cepstra(samples, sample_rate, 128)).all()
