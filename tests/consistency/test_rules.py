from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from configs.schema import Config, load_config, parse_config, presets
from consistency.facts import model_facts
from consistency.rules import check_config, check_model
from model.network import AudioEncoder, VoiceCloner
from model.sizes import PARTS


@pytest.mark.parametrize("preset", presets())
def test_every_preset_is_harmonious(preset: str) -> None:
    config = load_config(preset)
    findings = check_config(config, preset) + check_model(config)
    assert len(findings) > 35
    assert [str(finding) for finding in findings if not finding.agrees] == []


@pytest.mark.parametrize(
    ("section", "key", "value", "rule", "expected"),
    [
        ("model", "decoder_heads", 5, "width divisible by heads", "a divisor of 384: 1, 2, 3, 4, 6"),
        ("model", "decoder_heads", 3, "every attention head is 64 wide", "6 (384 / 64)"),
        ("model", "text_encoder_dim", 100, "every attention head is 64 wide", "a multiple of 64 as text_encoder_dim"),
        ("model", "feed_forward_ratio", 3, "feed-forward layers are four times as wide as the model", "4"),
        ("model", "audio_encoder_dim", 256, "text : audio : decoder widths are 1 : 1.5 : 3", "192 (1.5 x"),
        ("model", "decoder_dim", 256, "text : audio : decoder widths are 1 : 1.5 : 3", "384 (3 x"),
        ("model", "decoder_layers", 3, "encoders are equally deep and the decoder twice as deep", "2 (2 x"),
        ("model", "audio_encoder_layers", 2, "encoders are equally deep and the decoder twice as deep", "1 (1 x"),
        ("model", "decoder_dim", 192, "the decoder is the widest component", "more than 192"),
        ("model", "speaker_embedding_dim", 256, "the speaker embedding is as wide as the text encoder", "128"),
        ("model", "n_mels", 100, "one sample rate, hop and mel count for data, model and vocoder", "80 (audio.n_mels)"),
        ("audio", "fmax", 9000, "one sample rate, hop and mel count for data, model and vocoder", "at most 8000"),
        ("audio", "hop_length", 300, "one sample rate, hop and mel count for data, model and vocoder", "a divisor"),
        ("model", "text_vocab_size", 88, "the model's vocabulary is the tokenizer's", "87 (symbols"),
        ("model", "voice_conditioning_layers", 0, "voice conditioning is in range and in use", "1 to 2"),
        ("model", "voice_conditioning_layers", 3, "voice conditioning is in range and in use", "1 to 2"),
        ("model", "use_voice_conditioning", False, "voice conditioning is in range and in use", "0 (use_voice"),
    ],
)
def test_a_broken_rule_is_named_with_what_would_do(
    smoke: Config, section: str, key: str, value: Any, rule: str, expected: str
) -> None:
    content = smoke.model_dump()
    content[section][key] = value
    broken = parse_config(Config, content, "smoke")
    wrong = [finding for finding in check_config(broken, "smoke") if not finding.agrees]
    assert any(finding.rule == rule and expected in finding.expected for finding in wrong), wrong


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("model.text_encoder_dim", 256, "text encoder values of the published model"),
        ("model.text_encoder_layers", 6, "text encoder values of the published model"),
        ("model.audio_encoder_dim", 512, "audio encoder values of the published model"),
        ("model.audio_encoder_layers", 4, "audio encoder values of the published model"),
        ("model.decoder_layers", 12, "decoder values of the published model"),
        ("model.decoder_heads", 16, "decoder values of the published model"),
        ("model.speaker_embedding_dim", 256, "speaker width of the published model"),
        ("data.batch_size", 32, "data settings of the published model"),
    ],
)
def test_the_full_preset_is_the_published_model(key: str, value: int, rule: str) -> None:
    full = load_config("full").model_dump()
    section, _, name = key.partition(".")
    true, full[section][name] = full[section][name], value
    broken = parse_config(Config, full, "full")
    (finding,) = [f for f in check_config(broken, "full") if not f.agrees and f.rule.endswith("published model")]
    assert (finding.rule, finding.fact, finding.value, finding.right) == (rule, key, value, true)
    assert not [f for f in check_config(broken, "mine") if f.rule.endswith("published model")]


def _without_last_layer(component: Any) -> None:
    component.layers = component.layers[:-1]


def _with_half_the_heads(component: Any) -> None:
    attention = component.layers[0].attention
    attention.query_key_value = nn.Linear(attention.query_key_value.in_features, 3 * 64 * attention.heads // 2)


def _wider(component: Any) -> None:
    attention = component.layers[0].attention
    attention.query_key_value = nn.Linear(attention.query_key_value.in_features + 64, 3 * 64 * attention.heads)


@pytest.mark.parametrize("component", ["text_encoder", "audio_encoder", "decoder"])
@pytest.mark.parametrize(
    ("size", "spoil"), [("layers", _without_last_layer), ("heads", _with_half_the_heads), ("dim", _wider)]
)
def test_a_network_that_is_not_what_its_preset_says_is_found(
    monkeypatch: pytest.MonkeyPatch, component: str, size: str, spoil: Callable[[Any], None]
) -> None:
    config = load_config("demo")
    build = VoiceCloner.__init__

    def build_wrongly(self: VoiceCloner, *arguments: Any) -> None:
        build(self, *arguments)
        spoil(self.get_submodule(PARTS[component]))

    monkeypatch.setattr(VoiceCloner, "__init__", build_wrongly)
    found = {finding.fact for finding in check_model(config) if not finding.agrees}
    assert f"{component}_{size}" in found


def test_a_network_with_another_speaker_width_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    build = AudioEncoder.__init__

    def build_wrongly(self: AudioEncoder, *arguments: Any) -> None:
        build(self, *arguments)
        self.speaker = nn.Linear(self.speaker.in_features, 64)

    monkeypatch.setattr(AudioEncoder, "__init__", build_wrongly)
    wrong = [finding for finding in check_model(load_config("demo")) if not finding.agrees]
    assert [(f.fact, f.value, f.expected) for f in wrong] == [("speaker_embedding_dim", 64, "128")]


def test_facts_of_the_full_model_are_those_of_its_weights() -> None:
    facts = model_facts(load_config("full").model)
    assert (facts["text_encoder_dim"], facts["text_encoder_layers"], facts["text_encoder_heads"]) == (512, 8, 8)
    assert (facts["audio_encoder_dim"], facts["audio_encoder_layers"], facts["audio_encoder_heads"]) == (768, 8, 12)
    assert (facts["decoder_dim"], facts["decoder_layers"], facts["decoder_heads"]) == (1536, 16, 24)
    assert {facts[f"{name}_head_dim"] for name in ("text_encoder", "audio_encoder", "decoder")} == {64}
    shares = [facts[f"{name}_capacity_percent"] for name in ("text_encoder", "audio_encoder", "decoder")]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert shares[2] > 80
