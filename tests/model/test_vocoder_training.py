"""What the vocoder learns by, what it is measured by, and that its training repeats itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from configs.schema import Vocoder as Settings
from model.state import States
from model.vocoder import SourceFilterVocoder, griffin_lim
from model.vocoder_training import (
    TooLittleToLearn,
    VocoderExample,
    pitch_errors,
    pitch_labels,
    stft_distance,
    train_vocoder,
    vocoder_figures,
)
from tests.model.conftest import AUDIO, white_noise

SETTINGS = Settings(pitch_steps=15, filter_steps=60, batch_size=4, segment_frames=24)
FEW_STEPS = Settings(pitch_steps=6, filter_steps=6, batch_size=2, segment_frames=16)
RECIPE = "a" * 64


def weights_of(vocoder: SourceFilterVocoder) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in vocoder.state_dict().items()}


def test_the_pitch_of_a_recording_is_a_voice(examples: list[VocoderExample]) -> None:
    for samples, mel in examples:
        pitch_h = pitch_labels(samples, AUDIO)
        voiced_h = pitch_h[pitch_h > 0]
        assert len(pitch_h) == 2 * len(mel)
        assert 0.4 < len(voiced_h) / len(pitch_h) < 0.95
        assert 150 < np.median(voiced_h) < 260, "the speaker is a woman"


def test_stft_distance_ranks_a_recording_its_griffin_lim_and_noise(examples: list[VocoderExample]) -> None:
    samples, mel = examples[0]
    true_bs = torch.from_numpy(samples)[None]
    classic_bs = griffin_lim(torch.from_numpy(mel), AUDIO)[None]
    noise_bs = white_noise(len(samples)) * true_bs.std()
    same, classic, noise = (float(stft_distance(x, true_bs, AUDIO)) for x in (true_bs, classic_bs, noise_bs))
    assert same == 0
    assert 0.5 < classic < 1.5 < noise


def test_pitch_errors_of_a_track_known_by_heart() -> None:
    true_h = np.array([0, 0, 100, 100, 100, 200], np.float32)
    made_h = np.array([0, 90, 0, 100, 200, 200 * 2 ** (30 / 1200)], np.float32)
    errors = pitch_errors(made_h, true_h)
    assert errors == pytest.approx({"voicing_error": 2 / 6, "gross_pitch_error": 1 / 3, "pitch_cents": 15}, rel=1e-4)


@pytest.mark.pipeline
def test_a_short_vocoder_training_helps_and_repeats_to_the_byte(examples: list[VocoderExample]) -> None:
    def train() -> tuple[dict[str, bytes], dict[str, float], list[float]]:
        losses: list[float] = []

        def report(what: str, done: int, total: int, figures: Mapping[str, float] = {}, /) -> None:
            losses.append(figures["loss"])
            assert (what, done, total) == ("training the vocoder", len(losses), 75)

        vocoder, figures = train_vocoder(examples[1:], examples[:1], AUDIO, SETTINGS, 3, 1, report)
        figures.pop("real_time_factor")  # the clock's
        return weights_of(vocoder), figures, losses

    weights, figures, losses = train()
    torch.manual_seed(3)
    before = vocoder_figures(SourceFilterVocoder(AUDIO), examples[:1], seed=3)
    assert figures["stft_distance"] < before["stft_distance"] - 0.02
    assert len(losses) == 75
    assert losses[14] < losses[0], "the pitch network learns"
    assert np.mean(losses[-15:]) < np.mean(losses[15:30]), "the filter network learns"

    torch.rand(7)  # what others draw does not matter
    assert train() == (weights, figures, losses)


def test_a_vocoder_training_with_too_few_examples_is_refused(examples: list[VocoderExample]) -> None:
    with pytest.raises(TooLittleToLearn, match="no held-out clips"):
        train_vocoder(examples, [], AUDIO, SETTINGS, seed=3, threads=1)
    short = VocoderExample(examples[0].waveform_s, examples[0].mel_tm[:20])
    with pytest.raises(TooLittleToLearn, match=r"vocoder\.segment_frames = 24: the training clips have only 20"):
        train_vocoder([short], examples, AUDIO, SETTINGS, seed=3, threads=1)


def test_a_vocoder_training_stopped_anywhere_resumes_to_the_same_bytes(
    tmp_path: Path, examples: list[VocoderExample]
) -> None:
    """Stopped in its first part, between the two and in the second."""

    def train(stop_at: int | None, states: States | None) -> dict[str, bytes]:
        def report(_: str, done: int, *__: object) -> None:
            if done == stop_at:
                raise KeyboardInterrupt

        vocoder, _ = train_vocoder(examples[1:], examples[:1], AUDIO, FEW_STEPS, 3, 1, report, states)
        return weights_of(vocoder)

    whole = train(None, None)
    said: list[str] = []
    for stop_at in (4, 7, 10):
        with pytest.raises(KeyboardInterrupt), States(tmp_path, RECIPE, {}, said.append, share=1) as states:
            train(stop_at, states)
    with States(tmp_path, RECIPE, {}, said.append, share=1) as states:
        assert train(None, states) == whole
    resumed = [message.split(" from ")[0] for message in said if message.startswith("resumed")]
    assert resumed == [f"resumed at step {step} of 12" for step in (3, 6, 9)]
