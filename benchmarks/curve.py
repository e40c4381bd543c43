"""Character error rate against minutes of training: snapshots of one run for each seed, listened to afterwards.

The last snapshot also speaks with 8-bit weights and through Griffin-Lim, and says sentences far from the corpus too;
`above_float32` is how much higher the rate over all of these is than with the first voice, with its 95% bounds.

    myxtts run demo && python -m benchmarks.curve --seeds 1 2 3

Uses the features and the vocoder of the last run of the preset.
"""

from __future__ import annotations

import argparse
import copy
import csv
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from common import ROOT
from configs.outs import VOCODER_FILE, Outs
from configs.schema import Audio, load_config
from data.audio import Waveform
from data.features import Features
from evaluation.listening import Floats, Utterance, listen, summarize
from evaluation.recognisers import recogniser
from evaluation.sentences import far_sentences, words_of
from evaluation.utterances import choose_sentences, held_out, references_of, unrecorded
from model.loading import load_vocoder
from model.network import VoiceCloner
from model.synthesis import THREADS, Voice, lighten
from model.training import train
from model.vocoder import griffin_lim
from pipelines.plan import plan
from registry.gates import upper_bound
from steps.work import work_folder

GRIFFIN_LIM = "float32, Griffin-Lim"
FIGURES = ("cer", "cer_vocoded", "wer", "dnsmos", "dnsmos_vocoded")
COLUMNS = ("seed", "voice", "step", "minutes", *FIGURES, "far_cer", "far_dnsmos", "above_float32")


def curve_of(preset: str, seed: int, shares: list[float], threads: int, scratch: Path) -> Iterator[dict[str, object]]:
    """Train with one seed, then listen to what there was after each share of the steps."""
    config = load_config(preset)
    recipe = plan(preset, config)["extract_features"].recipe
    features = Features(work_folder("extract_features", recipe))
    config = config.model_copy(update={"seed": seed, "threads": threads})
    wanted = {round(share * config.train.steps) for share in shares}
    snapshots: dict[int, tuple[float, VoiceCloner]] = {}
    started = time.perf_counter()
    copying = 0.0

    def watch(step: int, model: VoiceCloner) -> None:
        nonlocal copying
        if step in wanted:
            now = time.perf_counter()
            snapshots[step] = ((now - started - copying) / 60, copy.deepcopy(model).eval())
            copying += time.perf_counter() - now

    train(config, features, {"id": f"curve, seed {seed}"}, scratch / f"seed-{seed}", watch=watch)

    vocoder = load_vocoder(Outs(preset).checkpoints / VOCODER_FILE, config.audio)
    last = max(snapshots)
    minutes, model = snapshots[last]
    voices = [("float32", step, made, Voice(snapshot, config, vocoder)) for step, (made, snapshot) in snapshots.items()]
    voices.append(("int8", last, minutes, Voice(lighten(model), config, vocoder)))
    voices.append((GRIFFIN_LIM, last, minutes, Voice(model, config, vocoder)))
    sentences = choose_sentences(features.pieces, config.audio, config.evaluation.sentences)
    far_texts = far_sentences(words_of(features.pieces), config.evaluation.far_sentences)
    judge = recogniser(config.evaluation.recogniser, threads)
    torch.set_num_threads(THREADS)
    float32: pd.DataFrame | None = None
    for name, step, made, voice in voices:
        spoken = held_out(voice, features, Outs(preset).corpus, sentences)
        far_spoken = unrecorded(voice, far_texts, references_of(features, voice)) if step == last else []
        if name == GRIFFIN_LIM:
            spoken, far_spoken = ([_through_griffin_lim(u, config.audio) for u in us] for us in (spoken, far_spoken))
        if step < last:  # the ceilings are the same for every snapshot
            spoken = [replace(utterance, recording=None, vocoded=None) for utterance in spoken]
        table = listen(spoken, judge, config.audio.sample_rate, threads)
        figures = {name: f"{figure:.3f}" for name, figure in summarize(table).items() if name in FIGURES}
        if step == last:
            far = listen(far_spoken, judge, config.audio.sample_rate, threads)
            heard = summarize(far)
            figures |= {f"far_{name}": f"{heard[name]:.3f}" for name in ("cer", "dnsmos")}
            table = pd.concat([table, far], ignore_index=True)
            if float32 is None:
                float32 = table
            else:
                figures["above_float32"] = _difference(table, float32)
        yield {"seed": seed, "voice": name, "step": step, "minutes": f"{made:.1f}"} | figures


def _through_griffin_lim(utterance: Utterance, audio: Audio) -> Utterance:
    """The same mels, made to sound by Griffin-Lim."""

    def sound(mel_tm: Floats) -> Waveform:
        waveform: Waveform = griffin_lim(torch.from_numpy(mel_tm), audio).numpy()
        return waveform

    recorded = utterance.recording_mel_tm
    return replace(utterance, speech=sound(utterance.mel_tm), vocoded=None if recorded is None else sound(recorded))


def _difference(table: pd.DataFrame, other: pd.DataFrame) -> str:
    difference_n, weights_n = (table["cer"] - other["cer"]).to_numpy(), table["characters"].to_numpy()
    mean = (difference_n * weights_n).sum() / weights_n.sum()
    return f"{mean:+.3f} ({-upper_bound(-difference_n, weights_n):+.3f} to {upper_bound(difference_n, weights_n):+.3f})"


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.25, 0.5, 0.75, 1.0], help="of the training steps")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scratch", type=Path, default=ROOT / ".work" / "curve")
    parsed = parser.parse_args()
    table = csv.DictWriter(sys.stdout, COLUMNS)
    table.writeheader()
    for seed in parsed.seeds:
        for row in curve_of(parsed.preset, seed, parsed.shares, parsed.threads, parsed.scratch):
            table.writerow(row)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
