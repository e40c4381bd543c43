"""The networks that presets build, against the presets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from configs.schema import Config
from consistency.facts import model_facts
from consistency.presets import valid_configs
from consistency.rules import Finding
from consistency.surfaces.surface import Statement, Surface, stated_by
from model import HEAD_DIM
from model.sizes import PARTS


class ModelSurface(Surface):
    """What the weights of each preset's network say of its sizes."""

    kind = "model"

    def __init__(self, root: Path, presets: Sequence[str]) -> None:
        self._root, self._presets = root, presets

    def read(self) -> Iterator[Statement]:
        """Every size that the preset decides."""
        for preset, config in valid_configs(self._root, self._presets):
            for finding in check_model(config):
                yield stated_by(self.kind, finding, f"model of {preset}")


def check_model(config: Config) -> list[Finding]:
    """Build the model on the meta device, which takes no memory, and hold its shapes to the preset."""
    rule, stated = "the built model is what the preset says", _stated(config)
    return [
        Finding(rule, fact, "built model", value, str(stated[fact]), value == stated[fact])
        for fact, value in model_facts(config.model).items()
        if fact in stated
    ]


def _stated(config: Config) -> dict[str, Any]:
    """What a preset says about facts that can be read off a built model."""
    stated = config.model.model_dump()
    stated |= {f"{name}_head_dim": HEAD_DIM for name in PARTS}
    stated |= {f"{name}_feed_forward_dim": stated["feed_forward_ratio"] * stated[f"{name}_dim"] for name in PARTS}
    if not config.model.use_voice_conditioning:
        stated["voice_conditioning_layers"] = 0
    return stated
