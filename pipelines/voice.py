"""DVC's stage `voice`: from a corpus to a registered voice. `python -m pipelines voice PRESET`"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from zenml import pipeline
from zenml.config.cache_policy import CachePolicy
from zenml.enums import ExecutionMode
from zenml.steps import BaseStep
from zenml.utils import source_utils

from common import ROOT
from configs.schema import load_config
from pipelines.plan import Job, plan, run_id
from steps.evaluate_model import evaluate_model
from steps.extract_features import extract_features
from steps.register_model import register_model
from steps.train_model import train_model
from steps.train_vocoder import train_vocoder
from steps.validate_dataset import validate_dataset
from steps.verify_consistency import verify_consistency
from steps.work import is_whole, work_folder


@pipeline(execution_mode=ExecutionMode.FAIL_FAST)
def voice(preset: str) -> None:
    """Hold the data and all that is said of it to account, learn from it, listen to what was learned, register it."""
    jobs = plan(preset, load_config(preset))
    make = functools.partial(_make, preset, jobs)

    validation = make(validate_dataset)
    consistency = verify_consistency(preset, validation)
    features = make(extract_features, validation=validation, consistency=consistency)
    model = make(train_model, features=features)
    vocoder = make(train_vocoder, features=features)
    evaluation = make(evaluate_model, features=features, model=model, vocoder=vocoder)
    register_model(preset, run_id(jobs), validation, consistency, model, vocoder, evaluation)


def main(preset: str) -> int:
    """Run the pipeline on ZenML; returns the exit code. Raises what its steps raise."""
    source_utils.set_custom_source_root(str(ROOT))
    voice.with_options(run_name=f"{preset}-{{date}}-{{time}}")(preset)
    return 0


def _make(preset: str, jobs: Mapping[str, Job], step: BaseStep, **inputs: Any) -> Any:
    """Have ZenML carry out a step, unless it remembers the result and the files are still there and intact.

    A step's recipe is among its parameters and says all that it depends on, its code and inputs included.
    """
    job = jobs[step.name]
    policy = CachePolicy(include_step_code=False, include_artifact_values=False, include_artifact_ids=False)
    prepared = step.with_options(enable_cache=is_whole(work_folder(step.name, job.recipe)), cache_policy=policy)
    return prepared(preset=preset, settings=job.settings, recipe=job.recipe, **inputs)
