"""From text to sound: what everybody calls who wants to hear the model."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.ao.quantization import quantize_dynamic

from configs.outs import MODEL_FILE, VOCODER_FILE
from configs.schema import Audio, TrainingConfig
from data.audio import PEAK, Waveform, trimmed_audio
from data.batches import reference_window
from data.mel import log_mel
from data.text import phonemize, split_sentences
from data.vocabulary import SYMBOLS, Tokens, has_sound
from model.generation import Generated, generate
from model.loading import load_model, load_vocoder
from model.network import VoiceCloner
from model.vocoder import SourceFilterVocoder, vocode

THREADS = 1
"""CPU threads with which a sentence is spoken fastest: a second one gains nothing, see benchmarks/README.md."""

PAUSE = 0.25
"""Silence between sentences, s."""


@dataclass(frozen=True)
class Voice:
    """A trained model, the settings that made it, and its vocoder."""

    model: VoiceCloner
    config: TrainingConfig
    vocoder: SourceFilterVocoder

    @property
    def audio(self) -> Audio:
        """What its mels and its sound are made with."""
        return self.config.audio

    @property
    def default_reference_tm(self) -> Tensor:
        """A piece of the training voice."""
        return self.model.default_reference_tm


@dataclass(frozen=True)
class Speech:
    """What was said: samples in [-1, 1], and whether every sentence ended by itself."""

    waveform: Waveform
    ended: bool


def load_voice(folder: Path, int8: bool = False) -> Voice:
    """The voice in a folder with `MODEL_FILE` and `VOCODER_FILE`, lightened if `int8`."""
    voice = assemble_voice(folder / MODEL_FILE, folder / VOCODER_FILE)
    return replace(voice, model=lighten(voice.model)) if int8 else voice


def assemble_voice(model_path: Path, vocoder_path: Path) -> Voice:
    """The voice of two checkpoints, wherever they lie."""
    model, config = load_model(model_path)
    return Voice(model, config, load_vocoder(vocoder_path, config.audio))


def lighten(model: VoiceCloner) -> VoiceCloner:
    """The same model with the decoder's matrices in 8 bits: faster on a CPU, nearly as good."""
    light = copy.copy(model)
    light._modules = dict(model._modules)
    with warnings.catch_warnings():  # the pinned torch has it, whatever later ones will have
        warnings.simplefilter("ignore")
        light.mel_decoder = quantize_dynamic(model.mel_decoder, {torch.nn.Linear}, dtype=torch.qint8)
    return light


def read_reference(path: Path, voice: Voice) -> Tensor:
    """The log-mel (t, m) of a reference recording, as the audio encoder hears it."""
    samples = trimmed_audio(path, voice.audio)
    if len(samples) < voice.audio.sample_rate // 2:
        raise ValueError(f"{path}: {len(samples) / voice.audio.sample_rate:.2f} s of sound, expected 0.5 s or more")
    if np.abs(samples).max() < PEAK / 2:  # what can be heard has been scaled to it
        raise ValueError(f"{path}: nothing to hear, expected a voice")
    mel_tm = log_mel(torch.from_numpy(samples)[None], voice.audio)[0]
    return reference_window(mel_tm, voice.config.model.reference_frames)


def say(
    voice: Voice, tokens: Tokens, reference_tm: Tensor, speaking_rate: float = 1.0, seed: int = 0
) -> tuple[Generated, Waveform]:
    """One sentence: its mel and its sound."""
    generated = generate(voice.model, [tokens], reference_tm[None], speaking_rate)[0]
    waveform = vocode(generated.mel_tm, voice.vocoder, seed)
    return generated, waveform.numpy()


def speak(
    voice: Voice,
    text: str,
    language: str,
    reference_tm: Tensor | None = None,
    speaking_rate: float = 1.0,
    seed: int = 0,
) -> Speech:
    """Say a text of any length, sentence by sentence. Raises `ValueError` if there is nothing in it to say."""
    sentences = [tokens for tokens in phonemize(split_sentences(text), language) if has_sound(tokens)]
    if not sentences:
        raise ValueError(f"nothing to say in {text!r}: expected words of language {language!r}")
    known = voice.config.model.text_vocab_size  # an older voice has learned fewer symbols, the first ones
    if strange := {SYMBOLS[symbol] for tokens in sentences for symbol in tokens.symbols if symbol >= known}:
        raise ValueError(f"the voice has never learned {' '.join(sorted(strange))}: its vocabulary has {known} symbols")
    reference_tm = voice.default_reference_tm if reference_tm is None else reference_tm
    spoken = [say(voice, tokens, reference_tm, speaking_rate, seed) for tokens in sentences]
    waveform = join([waveform for _, waveform in spoken], voice.audio)
    return Speech(waveform, all(generated.ended for generated, _ in spoken))


def join(waveforms: Sequence[Waveform], audio: Audio) -> Waveform:
    """Sentences with pauses between them."""
    pause = np.zeros(int(PAUSE * audio.sample_rate), np.float32)
    parts = [part for waveform in waveforms for part in (pause, waveform)]
    return np.concatenate(parts[1:])
