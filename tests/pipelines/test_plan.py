"""Which steps are carried out again after a change: told by their recipes, before anything runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from configs.schema import Bounds, Config, TrainingConfig, flat, load_config, parse_config
from pipelines import plan as module
from pipelines.plan import NEEDS, plan, run_id

CORPUS = "0123456789abcdef0123456789abcdef.dir"
ALL = set(NEEDS)
FROM_TRAINING = {"train_model", "evaluate_model"}
FROM_VOCODER = {"train_vocoder", "evaluate_model"}
FROM_FEATURES = {"extract_features", *FROM_TRAINING, *FROM_VOCODER}
AFTER_A_CHANGE_OF = {
    "seed": FROM_TRAINING | FROM_VOCODER,
    "threads": FROM_TRAINING | FROM_VOCODER,
    "data": FROM_FEATURES,
    "audio": FROM_FEATURES,
    "model": FROM_TRAINING,
    "train": FROM_TRAINING,
    "vocoder": FROM_VOCODER,
    "evaluation": {"evaluate_model"},
    "validation": {"validate_dataset"},
    "goals": set(),
    "data.on_error": {"validate_dataset"},
    "data.max_dropped_percent": {"validate_dataset"},
}
"""The steps whose recipe changes with a setting of a section, and those that do with single ones as well."""


def recipes(preset: str, config: Config) -> dict[str, str]:
    return {name: job.recipe["id"] for name, job in plan(preset, config).items()}


@pytest.fixture(autouse=True)
def corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus that DVC knows."""
    monkeypatch.setattr(module, "corpus_digest", lambda _: CORPUS)


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value * 2 + 1
        case str():
            return f"{value}-changed"
        case None:
            return 1
        case list():
            return [*value, "fr"]
        case _:
            raise TypeError(value)


@pytest.mark.parametrize("section", Config.model_fields)
def test_a_setting_changes_the_recipes_of_the_steps_that_it_decides(smoke: Config, section: str) -> None:
    before = recipes("smoke", smoke)
    settings = smoke.model_dump(mode="json")[section]
    for key, value in flat({section: settings}).items():
        content = smoke.model_dump(mode="json")
        parent = content
        *parents, last = key.split(".")
        for name in parents:
            parent = parent[name]
        parent[last] = changed(value)
        config = cast(Config, SimpleNamespace(model_dump=lambda mode, content=content: content if mode else {}))
        after = recipes("smoke", config)
        expected = AFTER_A_CHANGE_OF[section] | AFTER_A_CHANGE_OF.get(key, set())
        assert {step for step in before if before[step] != after[step]} == expected, key


def test_bounds_decide_the_features_where_clips_are_dropped_and_only_there(smoke: Config) -> None:
    looser = {"validation": smoke.validation.model_copy(update={"hum": Bounds(max=0.0)})}
    for policy, expected in (("stop", {"validate_dataset"}), ("drop", {"validate_dataset", *FROM_FEATURES})):
        config = smoke.model_copy(update={"data": smoke.data.model_copy(update={"on_error": policy})})
        before, after = recipes("smoke", config), recipes("smoke", config.model_copy(update=looser))
        assert {step for step in before if before[step] != after[step]} == expected, policy


def test_a_recording_more_changes_every_recipe(smoke: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipes("smoke", smoke)
    monkeypatch.setattr(module, "corpus_digest", lambda _: CORPUS.replace("0", "1"))
    after = recipes("smoke", smoke)
    assert {step for step in before if before[step] != after[step]} == ALL


def test_a_package_more_changes_every_recipe(smoke: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipes("smoke", smoke)
    monkeypatch.setattr(module, "LOCK_FILE", "pyproject.toml")
    after = recipes("smoke", smoke)
    assert {step for step in before if before[step] != after[step]} == ALL


def test_settings_there_and_back_give_the_first_recipes(smoke: Config) -> None:
    there = smoke.model_copy(update={"train": smoke.train.model_copy(update={"steps": 30})})
    back = there.model_copy(update={"train": there.train.model_copy(update={"steps": smoke.train.steps})})
    assert recipes("smoke", there) != recipes("smoke", smoke)
    assert recipes("smoke", back) == recipes("smoke", smoke)


def test_a_run_is_identified_by_what_decides_its_result(smoke: Config) -> None:
    jobs = plan("smoke", smoke)
    assert run_id(jobs) == jobs["evaluate_model"].recipe["id"]
    decided = {"extract_features", "train_model", "train_vocoder"}
    assert {step for step in decided if jobs["evaluate_model"].recipe[step] == jobs[step].recipe["id"]} == decided
    assert "verify_consistency" not in jobs


def test_a_preset_is_known_by_its_settings_and_not_by_its_name(smoke: Config) -> None:
    assert recipes("smoke", smoke) == recipes("another", smoke)


def test_the_checkpoints_header_holds_the_settings_of_its_recipe() -> None:
    config = load_config("demo")
    settings = plan("demo", config)["train_model"].settings
    assert parse_config(TrainingConfig, settings, "recipe").train == config.train
    assert settings.keys() == TrainingConfig.model_fields.keys()
