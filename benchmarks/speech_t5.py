"""Decoding and training beside SpeechT5 of transformers at the same widths and depths, in turn, in one process.

    pip install transformers==5.23.0 && python -m benchmarks.speech_t5

Both models are untrained: only time and memory are compared, on equal numbers of frames. Ratios are medians over pairs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from configs.schema import load_config
from data.batches import Batch
from data.vocabulary import Tokens
from model.generation import arrange_for_speaking, generate
from model.network import VoiceCloner
from model.synthesis import lighten
from model.training import compute_losses, make_optimizer

SENTENCE_TOKENS, SENTENCE_FRAMES = 60, 240
BATCH, BATCH_TOKENS, BATCH_FRAMES = 16, 50, 198

CONFIG = load_config("demo")
MODEL = CONFIG.model


def speech_t5() -> Any:
    """SpeechT5 for text to speech, as wide and deep as the demo's decoder and text encoder's depth."""
    from transformers import SpeechT5Config, SpeechT5ForTextToSpeech

    torch.manual_seed(0)
    config = SpeechT5Config(
        vocab_size=MODEL.text_vocab_size,
        hidden_size=MODEL.decoder_dim,
        encoder_layers=MODEL.text_encoder_layers,
        encoder_attention_heads=MODEL.decoder_heads,
        encoder_ffn_dim=4 * MODEL.decoder_dim,
        decoder_layers=MODEL.decoder_layers,
        decoder_attention_heads=MODEL.decoder_heads,
        decoder_ffn_dim=4 * MODEL.decoder_dim,
        num_mel_bins=MODEL.n_mels,
        speech_decoder_prenet_units=MODEL.prenet_dim,
        speech_decoder_postnet_units=MODEL.postnet_dim,
        speaker_embedding_dim=MODEL.speaker_embedding_dim,
        use_guided_attention_loss=False,
    )
    return SpeechT5ForTextToSpeech(config)


def ours() -> VoiceCloner:
    """The demo's model, speaking at a steady length: every token lasts as long as the comparison wants."""
    torch.manual_seed(0)
    model = VoiceCloner(MODEL)
    last = model.text_encoder.duration[-1]
    assert isinstance(last, torch.nn.Linear)
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, float(torch.log1p(torch.tensor(SENTENCE_FRAMES / SENTENCE_TOKENS))))
    return model


def decode_ours(kind: str, sentences: int) -> Callable[[], int]:
    """A job that speaks so many sentences at once and returns how many frames it made."""
    model = lighten(ours().eval()) if kind == "int8" else arrange_for_speaking(ours())
    tokens = [Tokens([1, *[20 + k % 40 for k in range(SENTENCE_TOKENS - 2)], 2], [0] * SENTENCE_TOKENS)] * sentences
    reference_btm = torch.randn(sentences, MODEL.reference_frames, MODEL.n_mels)
    return lambda: sum(len(spoken.mel_tm) for spoken in generate(model, tokens, reference_btm))


def decode_theirs(sentences: int) -> Callable[[], int]:
    """The same job for SpeechT5."""
    model = speech_t5().eval()
    ids = torch.randint(4, MODEL.text_vocab_size, (sentences, SENTENCE_TOKENS))
    speakers = torch.randn(sentences, MODEL.speaker_embedding_dim)
    ratio = SENTENCE_FRAMES / SENTENCE_TOKENS

    def decode() -> int:
        # A threshold above 1 is never reached: it speaks up to the largest length.
        with torch.inference_mode():
            mels = model.generate_speech(ids, speakers, threshold=2.0, minlenratio=ratio, maxlenratio=ratio)
        return int(mels.reshape(-1, MODEL.n_mels).shape[0])

    return decode


def train_ours() -> Callable[[], int]:
    """A job that does a step of training and returns of how many frames."""
    model = ours().train()
    optimizer = make_optimizer(model, CONFIG.train)
    frames_bn = torch.full((BATCH, BATCH_TOKENS), BATCH_FRAMES / BATCH_TOKENS)
    everywhere = torch.ones(BATCH, BATCH_TOKENS, dtype=torch.bool)
    batch = Batch(
        torch.randint(7, MODEL.text_vocab_size, (BATCH, BATCH_TOKENS)),
        torch.zeros(BATCH, BATCH_TOKENS, dtype=torch.long),
        everywhere,
        frames_bn,
        torch.randn(BATCH, BATCH_FRAMES, MODEL.n_mels),
        torch.ones(BATCH, BATCH_FRAMES, dtype=torch.bool),
        torch.randn(BATCH, MODEL.reference_frames, MODEL.n_mels),
    )

    def step() -> int:
        compute_losses(model, model(**vars(batch)), batch).total.backward()
        return _finish(model, optimizer)

    return step


def train_theirs() -> Callable[[], int]:
    """The same job for SpeechT5."""
    model = speech_t5().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    ids = torch.randint(4, MODEL.text_vocab_size, (BATCH, BATCH_TOKENS))
    mels_btm: Tensor = torch.randn(BATCH, BATCH_FRAMES, MODEL.n_mels)
    speakers = torch.randn(BATCH, MODEL.speaker_embedding_dim)

    def step() -> int:
        model(input_ids=ids, labels=mels_btm, speaker_embeddings=speakers).loss.backward()
        return _finish(model, optimizer)

    return step


def _finish(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return BATCH * BATCH_FRAMES


JOBS: dict[str, dict[str, Callable[[], Callable[[], int]]]] = {
    "decoding, one sentence": {
        "SpeechT5": lambda: decode_theirs(1),
        "float32": lambda: decode_ours("float32", 1),
        "int8": lambda: decode_ours("int8", 1),
    },
    "decoding, eight sentences": {
        "SpeechT5": lambda: decode_theirs(8),
        "float32": lambda: decode_ours("float32", 8),
        "int8": lambda: decode_ours("int8", 8),
    },
    "training step": {"SpeechT5": train_theirs, "float32": train_ours},
}


def compare(job: str, threads: int, rounds: int) -> dict[str, dict[str, float]]:
    """Frames a second of every contestant, in turn, and the ratio to SpeechT5 in the same round."""
    torch.set_num_threads(threads)
    contestants = {name: make() for name, make in JOBS[job].items()}
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for contestant in contestants.values():
        contestant()
    for _ in range(rounds):
        for name, contestant in contestants.items():
            started = time.perf_counter()
            frames = contestant()
            speeds[name].append(frames / (time.perf_counter() - started))
    peer = speeds["SpeechT5"]
    return {
        name: {
            "frames_per_second": statistics.median(own),
            "ratio": statistics.median(a / b for a, b in zip(own, peer, strict=True)),
        }
        for name, own in speeds.items()
    }


def floors(threads: int) -> dict[str, float]:
    """Frames a second that this machine could reach at most: weights read once a step, products at full speed."""
    torch.set_num_threads(threads)
    many, square = torch.ones(64 << 20), torch.randn(2048, 2048)
    bandwidth = 4 * many.numel() / _fastest(lambda: many.sum())
    products = 2 * 2048**3 / _fastest(lambda: square @ square)
    model = ours()
    every_step = [p for name, p in model.mel_decoder.named_parameters() if "postnet" not in name]
    of_memory = [layer.text_attention.key_value.weight for layer in model.mel_decoder.layers]  # used once a sentence
    weights = sum(p.numel() for p in every_step) - sum(p.numel() for p in of_memory)
    steps = BATCH_FRAMES // MODEL.reduction_factor
    positions = (
        (model.mel_decoder.layers, steps),
        (model.mel_decoder.postnet, BATCH_FRAMES),
        (model.text_encoder, BATCH_TOKENS),
        (model.audio_encoder, MODEL.reference_frames // 4),
    )
    # Forward, and twice as much backward; a multiplication and an addition for each weight and position.
    work = 6 * BATCH * sum(n * sum(p.numel() for p in part.parameters() if p.ndim > 1) for part, n in positions)
    return {
        "decoding, one sentence": MODEL.reduction_factor * bandwidth / (4 * weights),
        "training step": BATCH * BATCH_FRAMES * products / work,
    }


def _fastest(job: Callable[[], object]) -> float:
    def once() -> float:
        started = time.perf_counter()
        job()
        return time.perf_counter() - started

    return min(once() for _ in range(10))


def peak_memory(job: str, name: str) -> float:
    """Peak resident memory of a process that does the job three times, MiB."""
    script = (
        "import re, sys, torch; torch.set_num_threads(1)\n"
        "from benchmarks.speech_t5 import JOBS\n"
        "import transformers\n"  # imported for both, so that its own weight is on both sides
        "job = JOBS[sys.argv[1]][sys.argv[2]]()\n"
        "[job() for _ in range(3)]\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read()).group(1))"
    )
    done = subprocess.run([sys.executable, "-c", script, job, name], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    """Print all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args()
    results: dict[str, Any] = {}
    for threads in parsed.threads:
        for job, floor in floors(threads).items():
            results.setdefault(f"ceiling, {job}", {})[f"{threads} threads"] = {"float32": floor}
    for job, contestants in JOBS.items():
        results[job] = {f"{threads} threads": compare(job, threads, parsed.rounds) for threads in parsed.threads}
        results[job]["peak MiB"] = {name: peak_memory(job, name) for name in contestants}
    if parsed.json:
        print(json.dumps(results, indent=2))
        return
    for job, columns in results.items():
        print(job)
        for column, values in columns.items():
            for name, value in values.items():
                figures = value if isinstance(value, dict) else {"": value}
                print(f"  {column:10} {name:10}", "  ".join(f"{key} {figure:.2f}" for key, figure in figures.items()))


if __name__ == "__main__":
    main()
