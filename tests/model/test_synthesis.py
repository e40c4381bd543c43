from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from configs.schema import Config
from data.corpus import read_corpus
from data.features import Features
from data.text import phonemize
from evaluation.utterances import FAR_SENTENCES, HARD_SENTENCES, choose_sentences, end_by_themselves, read_sentences
from model.generation import LONGEST_TOKEN, generate
from model.synthesis import PAUSE, Voice, lighten, load_voice, read_reference, speak
from model.training import train
from model.vocoder import SourceFilterVocoder


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory, smoke: Config, smoke_features: Path) -> Voice:
    """A voice after a handful of steps: it cannot speak, but all of its parts work."""
    from model.checkpoint import save_checkpoint

    out = tmp_path_factory.mktemp("voice")
    few = smoke.model_copy(update={"train": smoke.train.model_copy(update={"steps": 4, "validate_every": 4})})
    train(few, Features(smoke_features), {"id": "test"}, out, lambda *_: None)
    torch.manual_seed(0)
    save_checkpoint(SourceFilterVocoder(smoke.audio), smoke.audio, {"id": "test"}, out / "vocoder.safetensors")
    return load_voice(out)


def test_every_sentence_is_spoken_with_a_pause_between(voice: Voice) -> None:
    one, two = (speak(voice, text, "en") for text in ("Thank you.", "Please hold the line."))
    both = speak(voice, "Thank you. Please hold the line.", "en")
    pause = int(PAUSE * voice.audio.sample_rate)
    assert len(both.waveform) == len(one.waveform) + pause + len(two.waveform)
    np.testing.assert_array_equal(both.waveform[: len(one.waveform)], one.waveform)
    assert both.ended
    assert np.abs(both.waveform).max() <= 1


@pytest.mark.parametrize("text", ["", "...", " \n ", "?!"])
def test_nothing_is_not_spoken(voice: Voice, text: str) -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        speak(voice, text, "en")


def test_the_same_seed_gives_the_same_samples(voice: Voice) -> None:
    first, again, other = (speak(voice, "Thank you.", "en", seed=seed).waveform for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_hard_sentences_end(voice: Voice) -> None:
    sentences = read_sentences(HARD_SENTENCES, 200)
    assert len(sentences) == 200
    assert max(map(len, sentences)) >= 500
    assert all(end_by_themselves(voice, sentences[::10]))
    assert len(set(read_sentences(FAR_SENTENCES, 100))) == 100


def test_a_duration_without_end_is_cut_and_said_so(voice: Voice) -> None:
    tokens = phonemize(["Thank you."], "en")
    bias = voice.model.text_encoder.duration[-1].bias
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


def test_sentences_to_listen_to_were_never_trained_on(smoke: Config, smoke_features: Path) -> None:
    pieces = Features(smoke_features).pieces
    chosen = choose_sentences(pieces, smoke.audio, 100)
    assert len(chosen) >= 4
    assert set(chosen["split"]) == {"test"}
    read = set(pieces.loc[pieces["split"] != "test", "text"].str.lower())
    assert not read & set(chosen["text"].str.lower())
    assert all(len(choose_sentences(pieces, smoke.audio, most)) == most for most in (1, 2, 3))
    for a, b in itertools.pairwise(chosen["text"]):
        assert a != b
