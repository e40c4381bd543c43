"""Checkpoints: safetensors whose header says which settings and which recipe made them. No clock, no run id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from common.errors import Unanswerable
from common.files import replacing

# One key, because safetensors does not keep the order of several.
_HEADER = "myxtts"


class CheckpointError(Unanswerable):
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
