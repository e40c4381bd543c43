from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from configs.schema import Config
from data.batches import TrainingSet, plan_batches
from data.features import Features
from model.checkpoint import CheckpointError, load_model, read_header, save_checkpoint
from model.training import compute_losses, schedule, train

RECIPE = {"id": "a recipe"}


@pytest.fixture(scope="module")
def few_steps(smoke: Config) -> Config:
    return smoke.model_copy(update={"train": smoke.train.model_copy(update={"steps": 6, "validate_every": 3})})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, few_steps: Config, smoke_features: Path) -> Path:
    out = tmp_path_factory.mktemp("trained")
    train(few_steps, Features(smoke_features), RECIPE, out, lambda *_: None)
    return out


def test_training_learns_and_draws_its_curve(trained: Path) -> None:
    rows = list(csv.DictReader((trained / "training.csv").open()))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert [bool(row["validation_mel_l1"]) for row in rows] == [False, False, True, False, False, True]


def test_the_same_recipe_gives_the_same_bytes(
    trained: Path, few_steps: Config, smoke_features: Path, tmp_path: Path
) -> None:
    train(few_steps, Features(smoke_features), RECIPE, tmp_path, lambda *_: None)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    other_seed = few_steps.model_copy(update={"seed": 2})
    train(other_seed, Features(smoke_features), RECIPE, tmp_path, lambda *_: None)
    assert (tmp_path / "model.safetensors").read_bytes() != (trained / "model.safetensors").read_bytes()


def test_a_checkpoint_says_what_made_it(trained: Path, few_steps: Config) -> None:
    header = read_header(trained / "model.safetensors")
    assert header["recipe"] == RECIPE
    model, config = load_model(trained / "model.safetensors")
    assert config.train == few_steps.train
    assert model.config == few_steps.model


def test_a_checkpoint_of_other_shapes_is_refused_tensor_by_tensor(
    trained: Path, few_steps: Config, tmp_path: Path
) -> None:
    model, config = load_model(trained / "model.safetensors")
    lying = config.model_copy(update={"model": config.model.model_copy(update={"prenet_dim": 128})})
    save_checkpoint(model, lying, RECIPE, tmp_path / "lying.safetensors")
    with pytest.raises(CheckpointError, match=r"prenet\.0\.weight is \(256, 240\), expected \(128, 240\)"):
        load_model(tmp_path / "lying.safetensors")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04pickle"])
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: not a readable safetensors file"):
        load_model(path)


def test_the_loss_ignores_what_is_masked(few_steps: Config, smoke_features: Path, trained: Path) -> None:
    model, _ = load_model(trained / "model.safetensors")
    training = TrainingSet(Features(smoke_features), "train", few_steps)
    batch = training.batch([0, 5], np.random.default_rng(0))
    with torch.no_grad():
        prediction = model(**vars(batch))
        before = compute_losses(model, prediction, batch)
        batch.mel_btm = torch.where(batch.frame_mask_bt[..., None], batch.mel_btm, torch.tensor(99.0))
        after = compute_losses(model, prediction, batch)
    assert before.total == after.total


def test_every_epoch_holds_every_piece_once(smoke: Config, smoke_features: Path) -> None:
    pieces = Features(smoke_features).pieces
    lengths = pieces["frames"].tolist()
    plan = plan_batches(lengths, smoke.data, seed=1)
    seen: list[int] = []
    while len(seen) < len(lengths):
        rows = next(plan)
        assert max(lengths[row] for row in rows) * len(rows) <= smoke.data.batch_frames or len(rows) == 1
        seen += rows
    assert sorted(seen) == list(range(len(lengths)))
    again = plan_batches(lengths, smoke.data, seed=1)
    assert list(itertools.islice(again, 30)) == list(itertools.islice(plan_batches(lengths, smoke.data, seed=1), 30))


def test_the_learning_rate_rises_then_falls(smoke: Config) -> None:
    factors = [schedule(step, smoke.train) for step in range(1, smoke.train.steps + 1)]
    peak = factors.index(max(factors))
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert 0 < factors[-1] < 0.05
