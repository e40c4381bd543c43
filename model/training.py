"""The training loop: one process, on a GPU where there is one and on the CPU otherwise.

Everything is counted in optimizer steps, and what a step draws depends only on the seed and the step.
"""

from __future__ import annotations

import csv
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from common.files import replacing
from common.progress import Report, silent
from configs.outs import MODEL_FILE
from configs.schema import Train, TrainingConfig
from data.batches import Batch, TrainingSet, plan_batches, reference_window
from data.features import Features
from model.checkpoint import save_checkpoint
from model.network import Prediction, VoiceCloner
from model.state import States

Row = dict[str, float]
"""Figures of one step."""

_CURVE = ("step", "loss", "mel_l1", "duration_loss", "gradient_norm", "learning_rate", "validation_mel_l1")
_VALIDATED_TOGETHER = 8


@dataclass(frozen=True)
class Losses:
    """`total` is what is minimised; the others are its parts. All are means over what the masks leave in."""

    total: Tensor
    mel_l1: Tensor
    duration: Tensor


def train(
    config: TrainingConfig,
    features: Features,
    recipe: Mapping[str, str],
    out: Path,
    report: Report = silent,
    watch: Callable[[int, VoiceCloner], None] | None = None,
    states: States | None = None,
) -> dict[str, float]:
    """Train a model from scratch and write `MODEL_FILE` and `training.csv` into the folder `out`.

    `watch` is shown the model after every step. With `states`, the training goes on from the last of them and keeps
    its own there. Returns how fast it went and the last losses. On the same kind of CPU with the same number of
    threads, equal arguments give equal bytes, however often the training was interrupted.
    """
    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    accelerator = Accelerator(mixed_precision="bf16" if torch.cuda.is_available() else "no")
    torch.manual_seed(config.seed)
    network = VoiceCloner(config.model, config.train.gradient_checkpointing)
    _learn_statistics(network, config, features)
    model, optimizer = accelerator.prepare(network, make_optimizer(network, config.train))
    training = TrainingSet(features, "train", config)
    validation = TrainingSet(features, "validation", config)

    done, curve, frames, seconds = 0, list[Row](), 0, 0.0
    if states and (state := states.latest(config.train.steps)):
        state.restore_module(network)
        state.restore_optimizer(optimizer)
        done, (curve, frames, seconds) = state.step, (state.notes[key] for key in ("curve", "frames", "seconds"))
    plan = plan_batches(training.pieces, config.data, config.seed)
    figures = {name: figure for row in curve for name, figure in row.items()}
    started = time.perf_counter() - seconds
    model.train()
    for step, rows in zip(range(done + 1, config.train.steps + 1), itertools.islice(plan, done, None), strict=False):
        torch.manual_seed(_draw_seed(config.seed, step))
        rng = np.random.default_rng([config.seed, step])
        batch = training.batch(rows, rng).to(accelerator.device)
        learning_rate = config.train.learning_rate * schedule(step, config.train)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        losses = compute_losses(network, _predict(model, batch), batch)
        accelerator.backward(losses.total)
        norm = accelerator.clip_grad_norm_(model.parameters(), config.train.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        frames += int(batch.frame_mask_bt.sum())
        last = step == config.train.steps
        if last or step % config.train.log_every == 0:
            row = dict(zip(_CURVE, (step, *_floats(losses.total, losses.mel_l1, losses.duration, norm)), strict=False))
            row["learning_rate"] = learning_rate
            if last or step % config.train.validate_every == 0:
                row["validation_mel_l1"] = validation_loss(network, validation)
            curve.append(row)
            figures.update(row)
        if watch:
            watch(step, network)
        seconds = time.perf_counter() - started
        report("training the model", step, config.train.steps, {**figures, "frames_per_second": frames / seconds})
        if states:
            states.keep(step, {"curve": curve, "frames": frames, "seconds": seconds}, network, optimizer)
    settings = TrainingConfig(**{name: getattr(config, name) for name in TrainingConfig.model_fields})
    with replacing(out / "training.csv") as path:
        _write_curve(curve, path)
    save_checkpoint(network, settings, recipe, out / MODEL_FILE)
    return {**figures, "frames_per_second": frames / seconds, "seconds": seconds}


def compute_losses(model: VoiceCloner, prediction: Prediction, batch: Batch) -> Losses:
    """L1 and a quarter of the squared error of the mel before and after the postnet, and the durations' error."""
    target_btm = model.normalize(batch.mel_btm)
    mask_bt1 = batch.frame_mask_bt[..., None]
    count = mask_bt1.sum() * target_btm.shape[-1]
    errors = [(made - target_btm) * mask_bt1 for made in (prediction.mel_btm, prediction.refined_btm)]
    l1 = [error.abs().sum() / count for error in errors]
    l2 = [error.square().sum() / count for error in errors]
    log_frames_bn = torch.log1p(batch.frames_bn)
    token_count = batch.token_mask_bn.sum()
    duration = ((prediction.log_duration_bn - log_frames_bn).square() * batch.token_mask_bn).sum() / token_count
    return Losses(sum(l1) + 0.25 * sum(l2) + 0.2 * duration, l1[1], duration)


def make_optimizer(model: torch.nn.Module, train: Train) -> torch.optim.AdamW:
    """Fused AdamW; only matrices decay."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": train.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=train.learning_rate, betas=(0.9, 0.98), fused=True)


def schedule(step: int, train: Train) -> float:
    """Factor of the learning rate: warm-up, then the square root of what is left, in the last quarter linear to 2%."""
    left = 1 - (step - 1) / train.steps
    warm_up = min(1.0, step / max(1, train.warmup_steps))
    factor: float = warm_up * left**0.5 * max(0.02, min(1.0, left / 0.25))
    return factor


@torch.no_grad()
def validation_loss(model: VoiceCloner, held_out: TrainingSet) -> float:
    """Mean absolute error of held-out normalised mel frames, teacher forced; not a number if nothing is held out."""
    model.eval()
    error, count = 0.0, 0
    order = held_out.pieces["frames"].argsort().tolist()
    for start in range(0, len(order), _VALIDATED_TOGETHER):
        rows, rng = order[start : start + _VALIDATED_TOGETHER], np.random.default_rng(start)
        batch = held_out.batch(rows, rng).to(model.mel_mean_m.device)
        frames = int(batch.frame_mask_bt.sum())
        error += float(compute_losses(model, _predict(model, batch), batch).mel_l1) * frames
        count += frames
    model.train()
    return error / count if count else float("nan")


def _predict(model: torch.nn.Module, batch: Batch) -> Prediction:
    prediction: Prediction = model(**vars(batch))
    return prediction


def _learn_statistics(model: VoiceCloner, config: TrainingConfig, features: Features) -> None:
    """Give the model the corpus' mel statistics and the voice it speaks with when no reference is given."""
    model.mel_mean_m.copy_(features.mel_mean_m)
    model.mel_std_m.copy_(features.mel_std_m)
    train = features.pieces[features.pieces["split"] == "train"]
    frames = config.model.reference_frames
    typical = int((train["frames"] - 3 * frames).abs().to_numpy().argmin())
    mel_tm = features.mel(str(train["id"].iloc[typical]))
    start = max(0, (len(mel_tm) - frames) // 2)
    model.default_reference_tm.copy_(reference_window(mel_tm, frames, start))


def _write_curve(curve: Sequence[Row], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, _CURVE, lineterminator="\n")
        table.writeheader()
        for row in curve:
            table.writerow({name: figure if name == "step" else f"{figure:.6g}" for name, figure in row.items()})


def _draw_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)


def _floats(*values: Tensor) -> list[float]:
    return [float(value.detach()) for value in values]
