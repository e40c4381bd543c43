"""The harmony rules: what a preset must satisfy.

Each rule yields findings; a finding says which fact it is about, where it is stated, what is stated there and what
would do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from configs.schema import Config, flat
from data.vocabulary import SYMBOLS
from model import HEAD_DIM
from model.sizes import PARTS

PUBLISHED = {
    "text encoder values": {
        "model.text_encoder_dim": 512,
        "model.text_encoder_layers": 8,
        "model.text_encoder_heads": 8,
    },
    "audio encoder values": {
        "model.audio_encoder_dim": 768,
        "model.audio_encoder_layers": 8,
        "model.audio_encoder_heads": 12,
    },
    "decoder values": {
        "model.decoder_dim": 1536,
        "model.decoder_layers": 16,
        "model.decoder_heads": 24,
    },
    "speaker width": {"model.speaker_embedding_dim": 512},
    "data settings": {"data.batch_size": 56},
}
"""What the preset `full` is known by; whoever changes it makes another preset."""


@dataclass(frozen=True)
class Finding:
    """One fact held against one rule; `right` is the value that it must have, if only one would do."""

    rule: str
    fact: str
    where: str
    value: Any
    expected: str
    agrees: bool
    right: Any = None

    def __str__(self) -> str:
        return f"{self.where}: {self.fact} = {self.value}, expected {self.expected} (rule: {self.rule})"


def check_config(config: Config, preset: str) -> list[Finding]:
    """Hold a preset to every harmony rule, and `full` to its published values as well."""
    where = f"configs/{preset}.yaml"
    published = [
        Finding(f"{part} of the published model", fact, where, value, str(right), value == right, right)
        for part, values in (PUBLISHED.items() if preset == "full" else ())
        for fact, right in values.items()
        for value in [flat(config.model_dump())[fact]]
    ]
    return published + [
        Finding(rule.__doc__ or "", held.fact, where, held.value, held.expected, held.agrees, held.right)
        for rule in (
            divisibility,
            head_size,
            feed_forward,
            dimension_progression,
            depth_progression,
            decoder_largest,
            speaker_width,
            mel_settings,
            vocabulary,
            voice_conditioning,
        )
        for held in rule(config)
    ]


class Held(NamedTuple):
    """A fact of a preset as one rule sees it; `right` as in `Finding`."""

    fact: str
    value: Any
    expected: str
    agrees: bool
    right: Any = None


def divisibility(config: Config) -> Iterator[Held]:
    """width divisible by heads"""
    for name, dim, heads in _sizes(config):
        fits = [str(h) for h in range(1, dim + 1) if dim % h == 0 and h <= 64]
        yield Held(f"model.{name}_heads", heads, f"a divisor of {dim}: {', '.join(fits)}", dim % heads == 0)


def head_size(config: Config) -> Iterator[Held]:
    """every attention head is 64 wide"""
    for name, dim, heads in _sizes(config):
        if dim % HEAD_DIM == 0:
            yield _only(f"model.{name}_heads", heads, dim // HEAD_DIM, f"({dim} / {HEAD_DIM})")
        else:
            yield Held(f"model.{name}_heads", heads, f"a multiple of {HEAD_DIM} as {name}_dim", False)


def feed_forward(config: Config) -> Iterator[Held]:
    """feed-forward layers are four times as wide as the model"""
    yield _only("model.feed_forward_ratio", config.model.feed_forward_ratio, 4)


def dimension_progression(config: Config) -> Iterator[Held]:
    """text : audio : decoder widths are 1 : 1.5 : 3"""
    text = config.model.text_encoder_dim
    for name, ratio in (("audio_encoder_dim", 1.5), ("decoder_dim", 3)):
        yield _only(
            f"model.{name}", getattr(config.model, name), ratio * text, f"({ratio:g} x text_encoder_dim {text})"
        )


def depth_progression(config: Config) -> Iterator[Held]:
    """encoders are equally deep and the decoder twice as deep"""
    text = config.model.text_encoder_layers
    for name, ratio in (("audio_encoder_layers", 1), ("decoder_layers", 2)):
        value = getattr(config.model, name)
        yield _only(f"model.{name}", value, ratio * text, f"({ratio} x text_encoder_layers {text})")


def decoder_largest(config: Config) -> Iterator[Held]:
    """the decoder is the widest component"""
    widest = max(config.model.text_encoder_dim, config.model.audio_encoder_dim)
    yield Held("model.decoder_dim", config.model.decoder_dim, f"more than {widest}", config.model.decoder_dim > widest)


def speaker_width(config: Config) -> Iterator[Held]:
    """the speaker embedding is as wide as the text encoder"""
    text = config.model.text_encoder_dim
    yield _only("model.speaker_embedding_dim", config.model.speaker_embedding_dim, text, "(text_encoder_dim)")


def mel_settings(config: Config) -> Iterator[Held]:
    """one sample rate, hop and mel count for data, model and vocoder"""
    audio, lowest = config.audio, config.validation.sample_rate.min or 0
    highest = audio.sample_rate / 2
    yield _only("model.n_mels", config.model.n_mels, audio.n_mels, "(audio.n_mels)")
    yield Held("audio.fmax", audio.fmax, f"at most {highest:g} (half of sample_rate)", audio.fmax <= highest)
    yield Held("audio.fmin", audio.fmin, f"less than {audio.fmax:g} (fmax)", audio.fmin < audio.fmax)
    fits = audio.n_fft % audio.hop_length == 0 and audio.n_fft >= 4 * audio.hop_length
    yield Held(
        "audio.hop_length", audio.hop_length, f"a divisor of {audio.n_fft} (n_fft), at most a quarter of it", fits
    )
    enough = lowest <= audio.sample_rate
    yield Held("validation.sample_rate.min", lowest, f"at most {audio.sample_rate} (audio.sample_rate)", enough)


def vocabulary(config: Config) -> Iterator[Held]:
    """the model's vocabulary is the tokenizer's"""
    yield _only("model.text_vocab_size", config.model.text_vocab_size, len(SYMBOLS), "(symbols of the tokenizer)")


def voice_conditioning(config: Config) -> Iterator[Held]:
    """voice conditioning is in range and in use"""
    layers, depth = config.model.voice_conditioning_layers, config.model.decoder_layers
    if config.model.use_voice_conditioning:
        fits = 1 <= layers <= depth
        yield Held("model.voice_conditioning_layers", layers, f"1 to {depth} (decoder_layers)", fits)
    else:
        yield _only("model.voice_conditioning_layers", layers, 0, "(use_voice_conditioning is false)")


def _only(fact: str, value: float, right: float, because: str = "") -> Held:
    """One value would do."""
    return Held(
        fact, value, f"{right:g} {because}".strip(), value == right, int(right) if right == int(right) else None
    )


def _sizes(config: Config) -> Iterator[tuple[str, int, int]]:
    for name in PARTS:
        yield name, getattr(config.model, f"{name}_dim"), getattr(config.model, f"{name}_heads")
