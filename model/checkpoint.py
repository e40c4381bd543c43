"""Checkpoints: safetensors whose header says which settings and which recipe made them. No clock, no run id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from configs.files import replacing
from configs.schema import Audio, TrainingConfig, differences, parse_config
from data.text import SYMBOLS
from model.generation import arrange_for_speaking
from model.network import VoiceCloner
from model.sizes import sizes
from model.vocoder import SourceFilterVocoder

# One key, because safetensors does not keep the order of several.
_HEADER = "myxtts"


class CheckpointError(ValueError):
    """A file that is not a checkpoint of the model it is to be; every difference on a line."""


def save_checkpoint(module: nn.Module, settings: BaseModel, recipe: Mapping[str, str], path: Path) -> None:
    """Write weights with the settings and the recipe that made them; equal content gives equal bytes."""
    header = {"settings": settings.model_dump(mode="json"), "recipe": dict(recipe)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={_HEADER: json.dumps(header, sort_keys=True)})


def read_header(path: Path) -> dict[str, Any]:
    """The header of a checkpoint: `settings` and `recipe`."""
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {})[_HEADER])
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from None
    except (KeyError, ValueError):
        raise CheckpointError(f"{path}: a safetensors file, but without a checkpoint's header {_HEADER!r}") from None
    return header


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of a checkpoint."""
    with safe_open(path, framework="pt") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  (no mapping)


def load_model(path: Path) -> tuple[VoiceCloner, TrainingConfig]:
    """The voice cloner as it was saved, ready to speak, and its settings."""
    config = parse_config(TrainingConfig, read_header(path)["settings"], str(path))
    _refuse(path, {"text_vocab_size": config.model.text_vocab_size}, {"text_vocab_size": len(SYMBOLS)})
    with torch.device("meta"):
        model = VoiceCloner(config.model)
    _load_weights(model, path)
    return arrange_for_speaking(model), config


def load_vocoder(path: Path, audio: Audio) -> SourceFilterVocoder:
    """The vocoder as it was saved; its mels must be those of `audio`."""
    settings = parse_config(Audio, read_header(path)["settings"], str(path))
    _refuse(path, settings.model_dump(), audio.model_dump())
    vocoder = SourceFilterVocoder(settings)
    _load_weights(vocoder, path)
    return vocoder.eval()


def _load_weights(module: nn.Module, path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
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
