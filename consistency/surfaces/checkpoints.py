"""Headers and tensors of checkpoints against the presets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from configs.outs import MODEL_FILE
from configs.schema import Config, ConfigError, TrainingConfig, parse_config
from consistency.facts import model_facts
from consistency.surfaces.payloads import PayloadsSurface
from consistency.surfaces.surface import Statement, compared
from model.checkpoint import CheckpointError, read_header, read_shapes
from model.sizes import sizes


class CheckpointsSurface(PayloadsSurface):
    """The voice cloners that presets were last trained to."""

    kind = "checkpoint"

    def read_folder(self, folder: Path, where: str, config: Config) -> Iterator[Statement]:
        """What the model's checkpoint says of itself."""
        yield from checkpoint_statements(self.kind, folder / MODEL_FILE, f"{where}/{MODEL_FILE}", config)


def checkpoint_statements(surface: str, path: Path, where: str, config: TrainingConfig | None) -> Iterator[Statement]:
    """What a checkpoint's header and tensors say, beside what a preset says, or else its own header."""
    try:
        header = parse_config(TrainingConfig, read_header(path)["settings"], where)
        shapes = read_shapes(path)
    except (CheckpointError, ConfigError) as error:
        yield Statement(surface, where, "file", str(error), "a checkpoint of this schema", False)
        return
    if config is not None:
        for section in ("audio", "model"):
            stated, true = getattr(header, section).model_dump(), getattr(config, section).model_dump()
            yield from compared(surface, f"{where} (header)", stated, true)
    yield from compared(surface, f"{where} (tensors)", sizes(shapes), model_facts((config or header).model))
