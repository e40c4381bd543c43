"""The facts of a preset: what it sets, and what the network that it builds turns out to be."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from configs.schema import Config, Model
from model.layers import SelfAttention
from model.network import VoiceCloner
from model.sizes import PARTS, sizes


def facts(config: Config) -> dict[str, Any]:
    """Every fact that a surface may state about a preset, by the name of its setting or of `model_facts`."""
    settings = config.data.model_dump(include={"batch_size", "batch_frames"}) | config.audio.model_dump()
    settings |= config.model.model_dump() | config.train.model_dump(include={"steps", "learning_rate", "warmup_steps"})
    settings |= config.goals.model_dump()
    measured = model_facts(config.model)
    dims = {name: measured[f"{name}_dim"] for name in PARTS}
    return (
        settings
        | measured
        | {f"{name}_feed_forward_ratio": measured[f"{name}_feed_forward_dim"] / dim for name, dim in dims.items()}
        | {"dim_progression": [dim / dims["text_encoder"] for dim in dims.values()]}
        | {"depth_ratio": measured["decoder_layers"] / measured["text_encoder_layers"]}
    )


def model_facts(config: Model) -> dict[str, Any]:
    """Sizes, parameter counts and capacity shares (%) of each component, by its weights.

    The model is built on the meta device, so that even the largest costs neither memory nor time.
    """
    with torch.device("meta"):
        model = VoiceCloner(config)
    counts = {name: sum(p.numel() for p in model.get_submodule(module).parameters()) for name, module in PARTS.items()}
    total = sum(p.numel() for p in model.parameters())
    return (
        sizes({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
        | {f"{name}_head_dim": _head_dim(model.get_submodule(module)) for name, module in PARTS.items()}
        | {f"{name}_parameters": count for name, count in counts.items()}
        | {f"{name}_capacity_percent": round(100 * count / total, 1) for name, count in counts.items()}
        | {"parameters": total}
    )


def _head_dim(component: nn.Module) -> int | list[int]:
    """Width of the heads of a component's attention to itself; all of them, if its layers differ."""
    widths = {
        module.query_key_value.out_features // 3 // module.heads
        for module in component.modules()
        if isinstance(module, SelfAttention)
    }
    return widths.pop() if len(widths) == 1 else sorted(widths)
