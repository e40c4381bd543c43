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
from model.vocoder_training import VocoderExample
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
    read, corpus = Features(features.path()), Outs(preset).corpus

    def examples(split: str) -> list[VocoderExample]:
        pieces = read.pieces.loc[read.pieces["split"] == split, "id"]
        return [VocoderExample(recording_of(read, piece, corpus, audio), read.mel(piece).numpy()) for piece in pieces]

    kept = States(states_folder(folder), recipe["id"], settings)
    with kept as states, making(folder) as out, shown() as report:
        trained, figures = train(
            examples("train"),
            examples("test"),
            audio,
            vocoder,
            settings["seed"],
            settings["threads"],
            report,
            states,
        )
        save_checkpoint(trained, audio, recipe, out / VOCODER_FILE)
        (out / "vocoder.json").write_text(json.dumps(figures, indent=2))
    log_metadata(dict(figures))
    return result_of(folder)
