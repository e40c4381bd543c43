"""Train the vocoder on the corpus alone."""

from __future__ import annotations

import json
from typing import Annotated, Any

from zenml import log_metadata, step

from common.progress import shown
from configs.outs import VOCODER_FILE, Outs
from configs.schema import Audio, Vocoder
from data.features import Features
from data.recordings import recording_of
from model.checkpoint import save_checkpoint
from model.state import States
from model.vocoder_training import Clip
from model.vocoder_training import train_vocoder as train
from steps.work import Result, making, result_of, states_folder, work_folder


@step
def train_vocoder(
    preset: str, settings: dict[str, Any], recipe: dict[str, str], features: Result
) -> Annotated[Result, "vocoder"]:
    """Train on the training pieces, from scratch or where an earlier attempt was interrupted.

    The test pieces say how well it does. See `model.vocoder_training`.
    """
    folder = work_folder("train_vocoder", recipe)
    audio, vocoder = Audio.model_validate(settings["audio"]), Vocoder.model_validate(settings["vocoder"])
    steps = vocoder.pitch_steps + vocoder.filter_steps
    read = Features(features.path())

    corpus = Outs(preset).corpus

    def clips(split: str) -> list[Clip]:
        pieces = read.pieces[read.pieces["split"] == split]
        return [(recording_of(read, piece, corpus, audio), read.mel(piece).numpy()) for piece in pieces["id"]]

    kept = States(states_folder(folder), recipe["id"], settings)
    with kept as states, making(folder) as out, shown() as report:
        trained, figures = train(
            clips("train"),
            clips("test"),
            audio,
            vocoder,
            settings["seed"],
            settings["threads"],
            lambda done, losses: report("training the vocoder", done, steps, {"loss": next(iter(losses.values()))}),
            states,
        )
        save_checkpoint(trained, audio, recipe, out / VOCODER_FILE)
        (out / "vocoder.json").write_text(json.dumps(figures, indent=2))
    log_metadata(dict(figures))
    return result_of(folder)
