"""Listen to the model: held-out sentences beside their recordings, and sentences that nobody recorded."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import pandas as pd
import torch
from zenml import log_metadata, step

from common.progress import shown
from configs.outs import MODEL_FILE, VOCODER_FILE, Outs
from configs.schema import Audio, Evaluation
from data.corpus import read_credits
from data.features import Features
from evaluation.listening import listen, summarize
from evaluation.measures import metrics_text
from evaluation.page import write_page
from evaluation.utterances import (
    FAR_SENTENCES,
    HARD_SENTENCES,
    choose_sentences,
    end_by_themselves,
    held_out,
    read_sentences,
    unrecorded,
)
from model.synthesis import THREADS, assemble_voice
from steps.work import Result, making, result_of, work_folder


@step
def evaluate_model(
    preset: str, settings: dict[str, Any], recipe: dict[str, str], features: Result, model: Result, vocoder: Result
) -> Annotated[Result, "evaluation"]:
    """Synthesise without any help from the recordings, listen, and write tables, pictures and a page."""
    folder = work_folder("evaluate_model", recipe)
    how, audio = Evaluation.model_validate(settings["evaluation"]), Audio.model_validate(settings["audio"])
    voice = assemble_voice(model.path(MODEL_FILE), vocoder.path(VOCODER_FILE))
    read, workers = Features(features.path()), os.cpu_count() or 1
    with making(folder) as out, shown() as report:
        torch.set_num_threads(THREADS)
        chosen = choose_sentences(read.pieces, audio, how.sentences)
        near = held_out(voice, read, Outs(preset).corpus, chosen, report)
        far = unrecorded(voice, read_sentences(FAR_SENTENCES, how.far_sentences), report)
        near_table = listen(near, audio.sample_rate, workers, report)
        far_table = listen(far, audio.sample_rate, workers, report, "listening afar")
        ended = end_by_themselves(voice, read_sentences(HARD_SENTENCES, how.hard_sentences), report)
        figures: dict[str, float] = {
            **summarize(near_table),
            **{f"far_{name}": figure for name, figure in summarize(far_table).items()},
            "hard_ended_percent": 100 * sum(ended) / len(ended),
            **json.loads(vocoder.path("vocoder.json").read_text()),
        }
        tables = {"utterances": near_table, "far_utterances": far_table}
        examples = near[: how.audio_examples] + far[: how.audio_examples]
        whose = read_credits(Outs(preset).corpus)
        write_page(out / "listening", f"MyXTTS {preset}", figures, pd.concat(tables.values()), examples, audio, whose)
        for name, table in tables.items():
            table.to_csv(out / "listening" / f"{name}.csv", index=False, float_format="%.6g")
        (out / "metrics.json").write_text(metrics_text(figures))
    log_metadata(dict(figures))
    return result_of(folder)
