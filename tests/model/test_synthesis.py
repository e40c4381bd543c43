"""Text in, sound out: whole, repeatable, and with an end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from data.corpus import read_corpus
from data.text import phonemize
from model.generation import LONGEST_TOKEN, generate
from model.synthesis import PAUSE, Voice, lighten, read_reference, speak


def test_every_sentence_is_spoken_with_a_pause_between(voice: Voice) -> None:
    one, two = (speak(voice, text, "en") for text in ("Thank you.", "Please hold the line."))
    both = speak(voice, "Thank you. Please hold the line.", "en")
    pause = int(PAUSE * voice.audio.sample_rate)
    assert len(both.waveform) == len(one.waveform) + pause + len(two.waveform)
    np.testing.assert_array_equal(both.waveform[: len(one.waveform)], one.waveform)
    assert both.ended
    assert np.abs(both.waveform).max() <= 1


@pytest.mark.parametrize("text", ["", "...", " \n ", "?!"])
def test_a_text_without_words_is_not_spoken(voice: Voice, text: str) -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        speak(voice, text, "en")


def test_a_phone_that_an_older_voice_never_learned_is_refused(voice: Voice) -> None:
    model = voice.config.model.model_copy(update={"text_vocab_size": 87})
    older = replace(voice, config=voice.config.model_copy(update={"model": model}))
    assert speak(older, "Thank you.", "en").ended in (True, False)
    with pytest.raises(ValueError, match="never learned ɖ: its vocabulary has 87 symbols"):
        speak(older, "डर", "hi")


def test_the_same_seed_speaks_the_same_samples(voice: Voice) -> None:
    first, again, other = (speak(voice, "Thank you.", "en", seed=seed).waveform for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_duration_without_end_is_cut_and_said_so(voice: Voice) -> None:
    tokens = phonemize(["Thank you."], "en")
    last = voice.model.text_encoder.duration[-1]
    assert isinstance(last, torch.nn.Linear)
    bias = last.bias
    before = bias.data.clone()
    try:
        bias.data.fill_(20.0)
        spoken = generate(voice.model, tokens, voice.default_reference_tm[None])[0]
    finally:
        bias.data.copy_(before)
    assert not spoken.ended
    assert len(spoken.mel_tm) <= LONGEST_TOKEN * len(tokens[0]) + voice.model.config.reduction_factor


def test_a_reference_of_any_length_fits(voice: Voice, smoke_corpus: Path) -> None:
    clips = sorted((clip.path for clip in read_corpus(smoke_corpus)), key=lambda path: path.stat().st_size)
    for path in (clips[0], clips[-1]):
        reference_tm = read_reference(path, voice)
        assert reference_tm.shape == voice.default_reference_tm.shape
        assert len(speak(voice, "Yes.", "en", reference_tm).waveform)


def test_light_weights_say_nearly_the_same(voice: Voice) -> None:
    tokens = phonemize(["Please leave your message."], "en")
    full, light = (
        generate(model, tokens, voice.default_reference_tm[None])[0].mel_tm
        for model in (voice.model, lighten(voice.model))
    )
    assert full.shape == light.shape
    assert float((full - light).abs().mean()) < 0.1
    again = generate(voice.model, tokens, voice.default_reference_tm[None])[0].mel_tm
    torch.testing.assert_close(full, again, atol=0, rtol=0)
