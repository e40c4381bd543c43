"""Listen to the model: held-out sentences beside their recordings, and sentences that nobody recorded."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import pandas as pd
import torch
from zenml import log_metadata, step

from common.progress import shown, watched
from configs.outs import MODEL_FILE, VOCODER_FILE, Outs
from configs.schema import Audio, Evaluation
from data.features import Features
from evaluation.listening import listen, summarize
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
from model.loading import load_model, load_vocoder
from model.synthesis import THREADS, Voice
from steps.work import Result, making, result_of, work_folder


@step
def evaluate_model(
    preset: str, settings: dict[str, Any], recipe: dict[str, str], features: Result, model: Result, vocoder: Result
) -> Annotated[Result, "evaluation"]:
    """Synthesise without any help from the recordings, listen, and write tables, pictures and a page."""
    folder = work_folder("evaluate_model", recipe)
    how, audio = Evaluation.model_validate(settings["evaluation"]), Audio.model_validate(settings["audio"])
    cloner, config = load_model(model.path(MODEL_FILE))
    voice = Voice(cloner, config, load_vocoder(vocoder.path(VOCODER_FILE), config.audio))
    read = Features(features.path())
    chosen = choose_sentences(read.pieces, audio, how.sentences)
    far_sentences = read_sentences(FAR_SENTENCES, how.far_sentences)
    workers = os.cpu_count() or 1
    with making(folder) as out, shown() as report:
        torch.set_num_threads(THREADS)
        near_speech = held_out(voice, read, Outs(preset).corpus, chosen)
        near = list(watched(near_speech, "speaking", len(chosen), report))
        far = list(watched(unrecorded(voice, far_sentences), "speaking afar", len(far_sentences), report))
        table = listen(near, audio.sample_rate, workers, lambda done, total: report("listening", done, total, {}))
        far_table = listen(
            far, audio.sample_rate, workers, lambda done, total: report("listening afar", done, total, {})
        )
        metrics = summarize(table) | {f"far_{name}": figure for name, figure in summarize(far_table).items()}
        hard = read_sentences(HARD_SENTENCES, how.hard_sentences)
        ended = list(watched(end_by_themselves(voice, hard), "hard sentences", len(hard), report))
        metrics["hard_ended_percent"] = 100 * sum(ended) / len(ended)
        metrics |= json.loads(vocoder.path("vocoder.json").read_text())
        listening = out / "listening"
        examples = near[: how.audio_examples] + far[: how.audio_examples]
        write_page(listening, f"MyXTTS {preset}", metrics, pd.concat([table, far_table]), examples, audio)
        table.to_csv(listening / "utterances.csv", index=False, float_format="%.6g")
        far_table.to_csv(listening / "far_utterances.csv", index=False, float_format="%.6g")
        # Apart, because the clock decides them and no two runs agree.
        speed = {name: metrics.pop(name) for name in list(metrics) if name.endswith(("rtf", "real_time_factor"))}
        content = {"quality": metrics, "speed": speed}
        (out / "metrics.json").write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    log_metadata({**metrics, **speed})
    return result_of(folder)
