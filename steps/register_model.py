"""Hand the results over: to DVC as outs, to MLflow as a registered version."""

from __future__ import annotations

import shutil
from typing import Annotated

from zenml import get_step_context, log_metadata, step

from common.files import link
from configs.outs import MODEL_FILE, VOCODER_FILE, Outs
from data.dropping import what_was_dropped
from registry.registration import register
from registry.store import model_name
from reproduction.lock import source_digest
from steps.work import Result, check


@step(enable_cache=False)
def register_model(
    preset: str,
    run_id: str,
    validation: Result,
    consistency: Result,
    model: Result,
    vocoder: Result,
    evaluation: Result,
) -> Annotated[int, "version"]:
    """Check every file against what its step said of it, link it to where DVC looks, and register the model.

    Never cached: ZenML may have taken any of the results from an earlier run.
    """
    outs = Outs(preset)
    for result in (validation, consistency, model, vocoder, evaluation):
        check(result)
    links = {
        model.path(MODEL_FILE): outs.checkpoints / MODEL_FILE,
        vocoder.path(VOCODER_FILE): outs.checkpoints / VOCODER_FILE,
        consistency.path("consistency.csv"): outs.reports / "consistency.csv",
        model.path("training.csv"): outs.reports / "training.csv",
        evaluation.path("metrics.json"): outs.reports / "metrics.json",
    }
    for folder, made in (("listening", evaluation), ("validation", validation)):
        shutil.rmtree(outs.reports / folder, ignore_errors=True)
        links |= {made.path(name): outs.reports / name for name in made.files if name.startswith(f"{folder}/")}
    for source, target in links.items():
        link(source, target)
    run = get_step_context().pipeline_run
    dropped = what_was_dropped(validation.path("validation"))
    version = register(preset, run_id, {"zenml_run": str(run.id), "dropped": dropped, "source": source_digest(preset)})
    log_metadata({"model": model_name(preset), "version": int(version.version)})
    return int(version.version)
