"""Checkpoints: safetensors whose header says which settings and which recipe made them. No clock, no run id."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from configs.schema import Audio, TrainingConfig, parse_config
from model.generation import arrange_for_speaking
from model.network import VoiceCloner
from model.vocoder import SourceFilterVocoder

# One key, because safetensors does not keep the order of several.
_HEADER = "myxtts"


class CheckpointError(ValueError):
    """A file that is not a checkpoint of the model it is to be; every difference on a line."""


def save_checkpoint(module: nn.Module, settings: BaseModel, recipe: Mapping[str, str], path: Path) -> None:
    """Write weights with the settings and the recipe that made them; equal content gives equal bytes."""
    header = {"settings": settings.model_dump(mode="json"), "recipe": dict(recipe)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    temporary = path.with_name(f"{path.name}.tmp")
    save_file(tensors, temporary, metadata={_HEADER: json.dumps(header, sort_keys=True)})
    os.replace(temporary, path)


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


def load_model(path: Path) -> tuple[VoiceCloner, TrainingConfig]:
    """The voice cloner as it was saved, ready to speak, and its settings."""
    config = parse_config(TrainingConfig, read_header(path)["settings"], str(path))
    with torch.device("meta"):
        model = VoiceCloner(config.model)
    _load_weights(model, path)
    return arrange_for_speaking(model), config


def load_vocoder(path: Path) -> SourceFilterVocoder:
    """The vocoder as it was saved."""
    vocoder = SourceFilterVocoder(Audio.model_validate(read_header(path)["settings"]))
    _load_weights(vocoder, path)
    return vocoder.eval()


def _load_weights(module: nn.Module, path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    problems = [
        f"{path}: {name} is {found.get(name, 'missing')}, expected {expected.get(name, 'no such tensor')}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    if problems:
        raise CheckpointError("\n".join(problems))
    module.load_state_dict(tensors, assign=True)
