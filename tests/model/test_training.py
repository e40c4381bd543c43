from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from common import ROOT
from configs.outs import MODEL_FILE
from configs.schema import Config
from data.batches import TrainingSet, plan_batches
from data.features import Features
from model.checkpoint import read_header
from model.loading import load_model
from model.state import States, Stopped
from model.training import compute_losses, schedule, train
from tests.model.conftest import Disk

RECIPE = {"id": "a recipe"}
MADE = (MODEL_FILE, "training.csv")

TRAIN = """
import importlib, os, signal, sys
from pathlib import Path
from configs.schema import Config
from data.features import Features
from model.state import States
from model.training import train
config, features, out, states, module, name, last_call = sys.argv[1:]
module = importlib.import_module(module)
function, calls = getattr(module, name), 0
def deadly(*arguments, **options):
    global calls
    calls += 1
    if calls == int(last_call):
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*arguments, **options)
setattr(module, name, deadly)
with States(Path(states), "a recipe", {}, share=1) as kept:
    train(Config.model_validate_json(config), Features(Path(features)), {"id": "a recipe"}, Path(out), states=kept)
"""
"""Trains, saves its state after every step, and is killed as soon as a function is called so many times."""

KILLS = (
    ("model.training", "compute_losses", 2, 1),  # in its second step
    ("common.files", "_sync", 3, 2),  # the state of step 3 is written, but not yet in its place
    ("common.files", "_sync", 4, 4),  # the state of step 4 has just come to its place
    ("model.checkpoint", "save_file", 1, 6),  # all steps are done, the checkpoint is not written
)
"""Module, function and call at which a training is killed, and the step that the next one goes on from."""


@pytest.fixture(scope="module")
def few_steps(smoke: Config) -> Config:
    return smoke.model_copy(update={"train": smoke.train.model_copy(update={"steps": 6, "validate_every": 3})})


@pytest.fixture(scope="module")
def whole_training(tmp_path_factory: pytest.TempPathFactory, few_steps: Config, smoke_features: Path) -> Path:
    out = tmp_path_factory.mktemp("training")
    train(few_steps, Features(smoke_features), RECIPE, out)
    return out


def test_training_learns_and_draws_its_curve(whole_training: Path) -> None:
    rows = list(csv.DictReader((whole_training / "training.csv").open()))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert [bool(row["validation_mel_l1"]) for row in rows] == [False, False, True, False, False, True]


def test_the_same_recipe_gives_the_same_bytes(
    whole_training: Path, few_steps: Config, smoke_features: Path, tmp_path: Path
) -> None:
    train(few_steps, Features(smoke_features), RECIPE, tmp_path)
    assert (tmp_path / MODEL_FILE).read_bytes() == (whole_training / MODEL_FILE).read_bytes()
    other_seed = few_steps.model_copy(update={"seed": 2})
    train(other_seed, Features(smoke_features), RECIPE, tmp_path)
    assert (tmp_path / MODEL_FILE).read_bytes() != (whole_training / MODEL_FILE).read_bytes()


def test_a_checkpoint_says_what_made_it(whole_training: Path, few_steps: Config) -> None:
    header = read_header(whole_training / MODEL_FILE)
    assert header["recipe"] == RECIPE
    model, config = load_model(whole_training / MODEL_FILE)
    assert config.train == few_steps.train
    assert model.config == few_steps.model


def test_the_loss_ignores_what_is_masked(few_steps: Config, smoke_features: Path, whole_training: Path) -> None:
    model, _ = load_model(whole_training / MODEL_FILE)
    training = TrainingSet(Features(smoke_features), "train", few_steps)
    batch = training.batch([0, 5], np.random.default_rng(0))
    with torch.no_grad():
        prediction = model(**vars(batch))
        before = compute_losses(model, prediction, batch)
        batch.mel_btm = torch.where(batch.frame_mask_bt[..., None], batch.mel_btm, torch.tensor(99.0))
        after = compute_losses(model, prediction, batch)
    assert before.total == after.total


def test_batches_of_an_epoch_hold_every_piece_once(smoke: Config, smoke_features: Path) -> None:
    pieces = Features(smoke_features).pieces
    lengths = pieces["frames"].tolist()
    plan = plan_batches(pieces, smoke.data, seed=1)
    seen: list[int] = []
    while len(seen) < len(lengths):
        rows = next(plan)
        assert max(lengths[row] for row in rows) * len(rows) <= smoke.data.batch_frames or len(rows) == 1
        seen += rows
    assert sorted(seen) == list(range(len(lengths)))
    first, other = (next(plan_batches(pieces, smoke.data, seed)) for seed in (1, 2))
    assert first != other


def test_the_learning_rate_rises_then_falls(smoke: Config) -> None:
    factors = [schedule(step, smoke.train) for step in range(1, smoke.train.steps + 1)]
    peak = factors.index(max(factors))
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert 0 < factors[-1] < 0.05


def resume(config: Config, features: Path, out: Path, states: Path, stop: Callable[[int], None]) -> list[str]:
    """Train in this process, saving after each step and calling `stop` before; returns what was said."""
    said: list[str] = []
    with States(states, RECIPE["id"], {}, said.append, share=1) as kept:
        train(config, Features(features), RECIPE, out, lambda _, step, *__: stop(step), states=kept)
    return said


def assert_same(out: Path, other: Path) -> None:
    for name in MADE:
        assert (out / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.pipeline
def test_a_training_killed_again_and_again_resumes_to_the_same_bytes(
    few_steps: Config, smoke_features: Path, whole_training: Path, tmp_path: Path
) -> None:
    out, states = tmp_path / "out", tmp_path / "states"
    expected: list[str] = []
    for module, function, call, left_at in KILLS:
        arguments = [few_steps.model_dump_json(), str(smoke_features), str(out), str(states), module, function]
        command = [sys.executable, "-c", TRAIN, *arguments, str(call)]
        killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert [line.split(" from ")[0] for line in killed.stdout.splitlines()] == expected
        expected = [f"resumed at step {left_at} of 6"]
    (said,) = resume(few_steps, smoke_features, out, states, lambda _: None)
    assert said.startswith("resumed at step 6 of 6 ")
    assert_same(out, whole_training)


def test_a_torn_state_costs_a_step_and_no_byte(
    few_steps: Config, smoke_features: Path, whole_training: Path, tmp_path: Path
) -> None:
    def interrupt(step: int) -> None:
        if step == 5:
            raise KeyboardInterrupt

    states = tmp_path / "states"
    with pytest.raises(KeyboardInterrupt):
        resume(few_steps, smoke_features, tmp_path, states, interrupt)
    os.truncate(states / "state-00000004.safetensors", 1 << 20)
    done: list[int] = []
    refused, resumed = resume(few_steps, smoke_features, tmp_path, states, done.append)
    assert refused.startswith(f"refused: {states / 'state-00000004.safetensors'}: torn")
    assert resumed == f"resumed at step 3 of 6 from {states / 'state-00000003.safetensors'}"
    assert done == [4, 5, 6]
    assert_same(tmp_path, whole_training)


def test_sigterm_stops_a_training_that_then_resumes(
    few_steps: Config, smoke_features: Path, whole_training: Path, tmp_path: Path
) -> None:
    def terminate(step: int) -> None:
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped, match="after step 3"):
        resume(few_steps, smoke_features, tmp_path, tmp_path / "states", terminate)
    assert not (tmp_path / MODEL_FILE).exists()
    (resumed,) = resume(few_steps, smoke_features, tmp_path, tmp_path / "states", lambda _: None)
    assert resumed.startswith("resumed at step 3 of 6 ")
    assert_same(tmp_path, whole_training)


def test_a_disk_too_full_for_the_checkpoint_loses_only_unsaved_steps(
    few_steps: Config, smoke_features: Path, whole_training: Path, disk: Disk
) -> None:
    """It is full from the fourth step on."""
    states = disk.folder / "states"
    with pytest.raises(OSError, match=r"model\.safetensors could not be written: "):
        resume(few_steps, smoke_features, disk.folder / "out", states, lambda step: disk.fill() if step == 4 else None)
    disk.free()
    done: list[int] = []
    (resumed,) = resume(few_steps, smoke_features, disk.folder / "out", states, done.append)
    assert resumed.startswith("resumed at step 3 of 6 ")
    assert done == [4, 5, 6]
    assert_same(disk.folder / "out", whole_training)
