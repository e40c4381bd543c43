"""Listen to the model: held-out sentences beside their recordings, and sentences that nobody recorded."""

from __future__ import annotations

import json
import math
import os
import sys
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
from evaluation.measures import HEARD_BY, metrics_text
from evaluation.page import write_page
from evaluation.recognisers import recogniser
from evaluation.sentences import far_sentences, hard_sentences, words_of
from evaluation.utterances import choose_sentences, end_by_themselves, held_out, references_of, unrecorded
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
    judge = recogniser(how.recogniser, workers)
    if judge.instead_of:
        print(f"myxtts: {judge.instead_of}", file=sys.stderr)
    with making(folder) as out, shown() as report:
        torch.set_num_threads(THREADS)
        chosen = choose_sentences(read.pieces, audio, how.sentences)
        words, references = words_of(read.pieces), references_of(read, voice)
        near = held_out(voice, read, Outs(preset).corpus, chosen, report)
        far = unrecorded(voice, far_sentences(words, how.far_sentences), references, report)
        near_table = listen(near, judge, audio.sample_rate, workers, report)
        far_table = listen(far, judge, audio.sample_rate, workers, report, "listening afar")
        ended = end_by_themselves(voice, hard_sentences(words, how.hard_sentences), references, report)
        measured: dict[str, float] = {
            **summarize(near_table),
            **{f"far_{name}": figure for name, figure in summarize(far_table).items()},
            "hard_ended_percent": 100 * sum(ended) / len(ended),
            **json.loads(vocoder.path("vocoder.json").read_text()),
        }
        figures = {name: figure for name, figure in measured.items() if math.isfinite(figure)}
        tables = {"utterances": near_table, "far_utterances": far_table}
        examples = near[: how.audio_examples] + far[: how.audio_examples]
        every, whose = pd.concat(tables.values()), read_credits(Outs(preset).corpus)
        write_page(out / "listening", f"MyXTTS {preset}", figures, every, examples, audio, judge.identity, whose)
        for name, table in tables.items():
            table.to_csv(out / "listening" / f"{name}.csv", index=False, float_format="%.6g")
        (out / "listening" / HEARD_BY).write_text(f"{judge.identity}\n", encoding="utf-8")
        (out / "metrics.json").write_text(metrics_text(figures))
    log_metadata(dict(figures))
    return result_of(folder)
