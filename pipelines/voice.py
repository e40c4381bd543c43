"""DVC's stage `pipeline`: from a corpus to a registered voice. `python -m pipelines.voice PRESET`"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from configs import ROOT
from configs.schema import Config, ConfigError, TrainingConfig, load_config
from pipelines.environment import isolate
from registry.identity import corpus_digest, digest, make_recipe


@dataclass(frozen=True)
class Plan:
    """What a step depends on: sections of the preset, and results of earlier steps."""

    sections: tuple[str, ...]
    inputs: tuple[str, ...] = ()


# Every step also depends on its code, on requirements.lock and on the corpus.
PLANS = {
    "validate_dataset": Plan(("validation",)),
    "verify_consistency": Plan(tuple(Config.model_fields)),
    "extract_features": Plan(("data", "audio")),
    "train_model": Plan(tuple(TrainingConfig.model_fields), ("extract_features",)),
    "train_vocoder": Plan(("seed", "threads", "audio", "vocoder"), ("extract_features",)),
    "evaluate_model": Plan(("audio", "evaluation"), ("extract_features", "train_model", "train_vocoder")),
}


@dataclass(frozen=True)
class Job:
    """The settings and the recipe of one step for one preset."""

    settings: dict[str, Any]
    recipe: dict[str, str]


def plan(preset: str, config: Config) -> dict[str, Job]:
    """The recipe of every step, known before any of them runs."""
    everything = config.model_dump(mode="json")
    corpus = corpus_digest(preset)
    jobs: dict[str, Job] = {}
    for name, needs in PLANS.items():
        settings = {section: everything[section] for section in needs.sections}
        inputs = {"corpus": corpus} | {step: jobs[step].recipe["id"] for step in needs.inputs}
        jobs[name] = Job(settings, make_recipe(f"steps.{name}", settings, inputs))
    return jobs


def run_id(jobs: dict[str, Job]) -> str:
    """One identity of all that decides a run's result."""
    return digest({name: job.recipe["id"] for name, job in jobs.items()})


def main(preset: str) -> int:
    """Run the pipeline on ZenML; returns the exit code."""
    isolate()
    try:
        jobs = plan(preset, load_config(preset))
    except (ConfigError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1

    from zenml import pipeline
    from zenml.config.cache_policy import CachePolicy
    from zenml.enums import ExecutionMode
    from zenml.utils import source_utils

    from model.state import Stopped
    from steps.evaluate_model import evaluate_model
    from steps.extract_features import extract_features
    from steps.register_model import register_model
    from steps.train_model import train_model
    from steps.train_vocoder import train_vocoder
    from steps.validate_dataset import InvalidDataset, validate_dataset
    from steps.verify_consistency import Inconsistent, verify_consistency
    from steps.work import is_whole, work_folder

    source_utils.set_custom_source_root(str(ROOT))
    # A step's recipe is among its parameters and says all that it depends on, its code and inputs included.
    policy = CachePolicy(include_step_code=False, include_artifact_values=False, include_artifact_ids=False)

    def prepared(step: Any) -> Any:
        # ZenML remembers results; whether the files are still there and intact is seen here.
        there = is_whole(work_folder(step.name, jobs[step.name].recipe))
        return step.with_options(enable_cache=there, cache_policy=policy)

    def arguments(name: str) -> dict[str, Any]:
        return {"preset": preset, "settings": jobs[name].settings, "recipe": jobs[name].recipe}

    @pipeline(name=f"voice_{preset}", enable_cache=True, execution_mode=ExecutionMode.FAIL_FAST)
    def voice() -> None:
        validation = prepared(validate_dataset)(**arguments("validate_dataset"))
        # What it reads besides, documents and notebooks, is in no recipe: it is never cached.
        verified = verify_consistency.with_options(enable_cache=False)
        consistency = verified(**arguments("verify_consistency"), validation=validation)
        features = prepared(extract_features)(**arguments("extract_features"), consistency=consistency)
        model = prepared(train_model)(**arguments("train_model"), features=features)
        vocoder = prepared(train_vocoder)(**arguments("train_vocoder"), features=features)
        evaluation = prepared(evaluate_model)(
            **arguments("evaluate_model"), features=features, model=model, vocoder=vocoder
        )
        register_model.with_options(enable_cache=False)(
            preset=preset,
            run_id=run_id(jobs),
            validation=validation,
            consistency=consistency,
            model=model,
            vocoder=vocoder,
            evaluation=evaluation,
        )

    try:
        voice()
    except (InvalidDataset, Inconsistent, Stopped) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
