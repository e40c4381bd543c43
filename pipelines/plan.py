"""What each step of a run depends on, and its recipe, known before any of them runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common import LOCK_FILE, ROOT
from common.files import digest, file_digest
from configs.schema import Config, TrainingConfig
from registry.code import code_digest
from reproduction.lock import corpus_digest


@dataclass(frozen=True)
class Needs:
    """What a step depends on: sections of the preset or single keys of them, and results of earlier steps."""

    sections: tuple[str, ...]
    inputs: tuple[str, ...] = ()


# Every step also depends on its code, on requirements.lock and on the corpus.
NEEDS = {
    "validate_dataset": Needs(("validation", "data.on_error", "data.max_dropped_percent")),
    "extract_features": Needs(("data", "audio")),
    "train_model": Needs(tuple(TrainingConfig.model_fields), ("extract_features",)),
    "train_vocoder": Needs(("seed", "threads", "audio", "vocoder"), ("extract_features",)),
    "evaluate_model": Needs(("audio", "evaluation"), ("extract_features", "train_model", "train_vocoder")),
}

_VALIDATED = ("validate_dataset",)
"""What `extract_features` depends on as well where clips with errors are dropped: the validation says which."""


@dataclass(frozen=True)
class Job:
    """The settings and the recipe of one step for one preset."""

    settings: dict[str, Any]
    recipe: dict[str, str]


def plan(preset: str, config: Config) -> dict[str, Job]:
    """The job of every step. Raises `LookupError` if `dvc.lock` knows no corpus of the preset."""
    everything = config.model_dump(mode="json")
    corpus = corpus_digest(preset)
    jobs: dict[str, Job] = {}
    for name, needs in NEEDS.items():
        drops = name == "extract_features" and everything["data"]["on_error"] == "drop"
        steps = (*needs.inputs, *(_VALIDATED if drops else ()))
        settings = _chosen(everything, needs.sections)
        inputs = {"corpus": corpus} | {step: jobs[step].recipe["id"] for step in steps}
        jobs[name] = Job(settings, make_recipe(f"steps.{name}", settings, inputs))
    return jobs


def _chosen(everything: Mapping[str, Any], sections: Iterable[str]) -> dict[str, Any]:
    """The sections, or single keys of them (`data.on_error`), of all settings."""
    chosen: dict[str, Any] = {}
    for name in sections:
        section, _, key = name.partition(".")
        if key:
            chosen.setdefault(section, {})[key] = everything[section][key]
        else:
            chosen[section] = everything[section]
    return chosen


def run_id(jobs: Mapping[str, Job]) -> str:
    """One identity of all that decides a run's result: its last step's recipe, which holds those that it builds on."""
    return jobs["evaluate_model"].recipe["id"]


def make_recipe(module: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, str]:
    """What decides the result of `module`: its code, settings, inputs and the lock file; `id` sums it up."""
    parts = {
        "code": code_digest(module),
        "lock_file": file_digest(ROOT / LOCK_FILE),
        "settings": digest(settings),
        **inputs,
    }
    return {"id": digest(parts), **parts}
