"""Train the voice cloner."""

from __future__ import annotations

import json
from typing import Annotated, Any

from zenml import log_metadata, step

from common.progress import shown
from configs.schema import TrainingConfig, parse_config
from data.features import Features
from model.state import States
from model.training import train
from steps.work import Result, making, result_of, states_folder, work_folder


@step
def train_model(
    preset: str, settings: dict[str, Any], recipe: dict[str, str], features: Result
) -> Annotated[Result, "model"]:
    """Train from scratch, or go on where an earlier attempt was interrupted; see `model.training`."""
    folder = work_folder("train_model", recipe)
    kept = States(states_folder(folder), recipe["id"], settings)
    with kept as states, making(folder) as out, shown() as report:
        summary = train(
            parse_config(TrainingConfig, settings, preset),
            Features(features.path()),
            recipe,
            out,
            report,
            states=states,
        )
        (out / "speed.json").write_text(json.dumps(summary, indent=2))
    log_metadata(dict(summary))
    return result_of(folder)
