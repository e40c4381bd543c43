from __future__ import annotations

from typing import Any

import pytest

from configs.schema import Config, load_config, parse_config, presets
from consistency.rules import check_config


@pytest.mark.parametrize("preset", presets())
def test_every_preset_is_harmonious(preset: str) -> None:
    findings = check_config(load_config(preset), preset)
    assert len(findings) > 15
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
        ("model", "text_vocab_size", 88, "the model's vocabulary is the tokenizer's", "101 (symbols"),
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
