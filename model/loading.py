"""Models as they were saved, ready to be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional

from configs.schema import Audio, TrainingConfig, differences, parse_config
from data.vocabulary import MODIFIERS, SYMBOLS
from model.checkpoint import CheckpointError, read_header
from model.generation import arrange_for_speaking
from model.network import VoiceCloner
from model.sizes import sizes
from model.vocoder import SourceFilterVocoder


def load_model(path: Path) -> tuple[VoiceCloner, TrainingConfig]:
    """The voice cloner as it was saved, ready to speak, and its settings."""
    config = parse_config(TrainingConfig, read_header(path)["settings"], f"{path}: of another schema")
    if config.model.text_vocab_size > len(SYMBOLS):
        raise CheckpointError(
            f"{path}: text_vocab_size is {config.model.text_vocab_size}, expected {len(SYMBOLS)} or less: "
            "a later version of this code has made it"
        )
    with torch.device("meta"):
        model = VoiceCloner(config.model)
    _load_weights(model, path, "text_encoder.modifier.weight")
    return arrange_for_speaking(model), config


def load_vocoder(path: Path, audio: Audio) -> SourceFilterVocoder:
    """The vocoder as it was saved; its mels must be those of `audio`."""
    settings = parse_config(Audio, read_header(path)["settings"], str(path))
    _refuse(path, settings.model_dump(), audio.model_dump())
    vocoder = SourceFilterVocoder(settings)
    _load_weights(vocoder, path)
    return vocoder.eval()


def _load_weights(module: nn.Module, path: Path, modifiers: str = "") -> None:
    """Fill a module; `modifiers` names the matrix that has a column for each of `MODIFIERS`.

    A checkpoint of an older version knows fewer of them, the first ones: those that it lacks have no effect.
    """
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
    if modifiers in tensors:
        tensors[modifiers] = functional.pad(tensors[modifiers], (0, len(MODIFIERS) - tensors[modifiers].shape[1]))
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    _refuse(path, sizes(found), sizes(expected))
    _refuse(path, found, expected)
    module.load_state_dict(tensors, assign=True)


def _refuse(path: Path, found: Mapping[str, object], expected: Mapping[str, object]) -> None:
    """Raise `CheckpointError` with a line for each difference, if there is one."""
    lines = [f"{path}: {line}" for line in differences(found, expected)]
    if lines:
        raise CheckpointError("\n".join(lines))
