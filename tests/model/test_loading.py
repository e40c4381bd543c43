"""Checkpoints that are loaded are what their headers say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from configs.outs import MODEL_FILE, VOCODER_FILE
from configs.schema import Config, TrainingConfig, parse_config
from model.checkpoint import CheckpointError, save_checkpoint
from model.loading import load_model, load_vocoder
from model.network import VoiceCloner
from model.vocoder import SourceFilterVocoder

RECIPE = {"id": "a recipe"}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"decoder_dim": 768, "decoder_heads": 12},
            [
                "decoder_dim is 384, expected 768",
                "decoder_feed_forward_dim is 1536, expected 3072",
                "decoder_heads is 6, expected 12",
            ],
        ),
        ({"text_encoder_layers": 2}, ["text_encoder_layers is 1, expected 2"]),
        (
            {"prenet_dim": 128, "reduction_factor": 2},
            ["prenet_dim is 256, expected 128", "reduction_factor is 3, expected 2"],
        ),
        ({"text_vocab_size": 61}, ["text_vocab_size is 101, expected 61"]),
    ],
)
def test_a_checkpoint_of_another_size_is_refused_with_a_line_for_each_difference(
    smoke: Config, tmp_path: Path, changes: dict[str, Any], lines: list[str]
) -> None:
    path = tmp_path / "lying.safetensors"
    settings = smoke.model_dump(include=set(TrainingConfig.model_fields))
    lying = parse_config(TrainingConfig, settings | {"model": settings["model"] | changes}, "lying")
    save_checkpoint(VoiceCloner(smoke.model), lying, RECIPE, path)
    with pytest.raises(CheckpointError) as refusal:
        load_model(path)
    assert str(refusal.value).splitlines() == [f"{path}: {line}" for line in lines]


def test_a_voice_of_an_older_vocabulary_keeps_it(smoke: Config, tmp_path: Path) -> None:
    older = smoke.model_copy(update={"model": smoke.model.model_copy(update={"text_vocab_size": 87})})
    settings = parse_config(TrainingConfig, older.model_dump(include=set(TrainingConfig.model_fields)), "older")
    model = VoiceCloner(older.model)
    model.text_encoder.modifier = nn.Linear(6, older.model.text_encoder_dim, bias=False)
    save_checkpoint(model, settings, RECIPE, tmp_path / MODEL_FILE)
    loaded, _ = load_model(tmp_path / MODEL_FILE)
    assert loaded.text_encoder.symbol.num_embeddings == 87
    assert torch.equal(loaded.text_encoder.modifier.weight[:, :6], model.text_encoder.modifier.weight)
    assert not loaded.text_encoder.modifier.weight[:, 6:].any()


def test_a_voice_of_a_later_vocabulary_is_refused(smoke: Config, tmp_path: Path) -> None:
    later = smoke.model_copy(update={"model": smoke.model.model_copy(update={"text_vocab_size": 999})})
    settings = parse_config(TrainingConfig, later.model_dump(include=set(TrainingConfig.model_fields)), "later")
    save_checkpoint(VoiceCloner(later.model), settings, RECIPE, tmp_path / MODEL_FILE)
    with pytest.raises(CheckpointError, match="text_vocab_size is 999, expected 101 or less: a later version"):
        load_model(tmp_path / MODEL_FILE)


def test_a_vocoder_for_other_mels_is_refused(smoke: Config, tmp_path: Path) -> None:
    path = tmp_path / VOCODER_FILE
    save_checkpoint(SourceFilterVocoder(smoke.audio), smoke.audio, RECIPE, path)
    other = smoke.audio.model_copy(update={"sample_rate": 22050, "hop_length": 128})
    with pytest.raises(CheckpointError) as refusal:
        load_vocoder(path, other)
    assert str(refusal.value).splitlines() == [
        f"{path}: hop_length is 256, expected 128",
        f"{path}: sample_rate is 16000, expected 22050",
    ]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04pickle"])
def test_a_file_that_is_no_checkpoint_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / MODEL_FILE
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: not a readable safetensors file"):
        load_model(path)
