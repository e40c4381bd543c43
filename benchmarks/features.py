"""Log-mels beside librosa's on the same recordings, and what validation and features cost as a corpus grows.

myxtts run demo && python -m benchmarks.features
python -m benchmarks.features --clips 1000 10000
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import torch

from common import ROOT
from configs.outs import Outs
from configs.schema import Validation, load_config
from data.audio import Waveform, read_audio
from data.clip_measures import corpus_table
from data.corpus import RECORDINGS, SUPERVISIONS, CorpusClip, read_corpus
from data.extraction import extract_features
from data.measurements import Measurements
from data.mel import FLOOR, log_mel
from data.validation import validate
from data.verdict import Policy

PRESET = "demo"
CONFIG = load_config(PRESET)
AUDIO = CONFIG.audio
WORKERS = os.cpu_count() or 1
ROUNDS = 7

Mel = npt.NDArray[np.float32]


def by_librosa(samples: Waveform) -> Mel:
    """Log-mel (t, n_mels) as librosa's users take it."""
    mel_mt = librosa.feature.melspectrogram(
        y=samples,
        sr=AUDIO.sample_rate,
        n_fft=AUDIO.n_fft,
        hop_length=AUDIO.hop_length,
        n_mels=AUDIO.n_mels,
        fmin=AUDIO.fmin,
        fmax=AUDIO.fmax,
        power=1.0,
        pad_mode="reflect",
    )
    mel_tm: Mel = np.log(np.maximum(mel_mt, FLOOR)).T
    return mel_tm


def by_us(samples: Waveform) -> Mel:
    """Log-mel (t, n_mels) as this project takes it."""
    mel_tm: Mel = log_mel(torch.from_numpy(samples)[None], AUDIO)[0].numpy()
    return mel_tm


def seconds_of(extract: Callable[[Waveform], Mel], recordings: list[Waveform]) -> float:
    """How long it takes to extract all recordings, s."""
    started = time.perf_counter()
    for samples in recordings:
        extract(samples)
    return time.perf_counter() - started


def repeat(clips: Sequence[CorpusClip], number: int, folder: Path) -> Path:
    """A corpus of so many clips in the folder: these again and again, under other ids, their files linked."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "audio").mkdir(parents=True)
    with (folder / RECORDINGS).open("w") as recordings, (folder / SUPERVISIONS).open("w") as supervisions:
        for k, clip in zip(range(number), itertools.cycle(clips), strict=False):
            id, audio = f"{k:07}", f"audio/{k:07}.flac"
            os.link(clip.path, folder / audio)
            source = {"type": "file", "channels": [0], "source": audio}
            recording = {"id": id, "sources": [source], "sampling_rate": clip.sample_rate}
            said = {"id": id, "recording_id": id, "text": clip.text, "language": clip.language, "speaker": clip.speaker}
            print(json.dumps(recording | {"num_samples": clip.num_samples, "duration": clip.duration}), file=recordings)
            print(json.dumps(said), file=supervisions)
    return folder


def change(corpus: Path) -> None:
    """Another text, another recording, ten clips more at the end and one less at the beginning."""
    recordings, supervisions = ((corpus / name).read_text().splitlines() for name in (RECORDINGS, SUPERVISIONS))
    middle, last = len(recordings) // 2, len(recordings)
    supervisions[middle] = json.dumps(json.loads(supervisions[middle]) | {"text": "This was corrected by hand."})
    names = [json.loads(line)["sources"][0]["source"] for line in recordings]
    (corpus / names[middle + 7]).unlink()
    os.link(corpus / names[middle + 8], corpus / names[middle + 7])
    for k in range(last, last + 10):
        os.link(corpus / names[k - 20], corpus / f"audio/{k:07}.flac")
        for lines in (recordings, supervisions):
            lines.append(lines[k - 20].replace(f"{k - 20:07}", f"{k:07}"))
    for name, lines in ((RECORDINGS, recordings), (SUPERVISIONS, supervisions)):
        (corpus / name).write_text("".join(f"{line}\n" for line in lines[1:]))


def validate_clips(corpus: Path) -> None:
    """Measure a corpus and hold it to the bounds."""
    policy = Policy("drop", 100.0)
    validate(corpus_table(read_corpus(corpus)), [], Validation(), policy, WORKERS, corpus.with_name("validation"))


def extract(corpus: Path) -> None:
    """Make its features, or what changed of them."""
    measurements = Measurements(corpus.with_name("kept"), "benchmark")
    with tempfile.TemporaryDirectory(dir=corpus.parent) as out:
        extract_features(CONFIG.data, AUDIO, corpus, Path(out), WORKERS, measurements=measurements)


def cost_of(stage: Callable[[Path], None], corpus: Path) -> str:
    """What a stage costs in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        wall, cpu, memory = process.submit(_cost_here, stage, corpus).result()
    speech = sum(clip.duration for clip in read_corpus(corpus))
    return f"{wall:.0f} s, {memory / 1024:.2f} GB, {speech / cpu:.0f} x real time a core"


def _cost_here(stage: Callable[[Path], None], corpus: Path) -> tuple[float, float, float]:
    started, before = time.perf_counter(), time.process_time()
    stage(corpus)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MB
    return time.perf_counter() - started, time.process_time() - before, memory


def growth(numbers: Sequence[int]) -> None:
    """Print what validation and features cost of so many clips, and of features once more after a few changes."""
    clips = read_corpus(Outs(PRESET).corpus)
    for number in numbers:
        with tempfile.TemporaryDirectory(dir=ROOT / ".work") as folder:
            corpus = repeat(clips, number, Path(folder, "corpus"))
            print(f"{number:,} clips: validation: {cost_of(validate_clips, corpus)}", flush=True)
            print(f"{number:,} clips: features: {cost_of(extract, corpus)}", flush=True)
            change(corpus)
            print(f"{number:,} clips: features after 13 changes: {cost_of(extract, corpus)}", flush=True)


def main() -> None:
    """Compare with librosa, or show how the cost grows with the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, nargs="+", help="grow to so many clips")
    numbers = parser.parse_args().clips
    if numbers:
        growth(numbers)
    else:
        compare_with_librosa()


def compare_with_librosa() -> None:
    """Print the ratio of speeds, a median of rounds, and the largest difference of the mels."""
    torch.set_num_threads(1)
    recordings = [read_audio(clip.path, AUDIO.sample_rate) for clip in read_corpus(Outs(PRESET).corpus)]
    difference = max(np.abs(by_us(r) - by_librosa(r)[: len(by_us(r))]).max() for r in recordings[:20])
    pairs = [(seconds_of(by_librosa, recordings), seconds_of(by_us, recordings)) for _ in range(ROUNDS)]
    minutes = sum(map(len, recordings)) / AUDIO.sample_rate / 60
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    print(f"{minutes:.1f} minutes of speech: {ratio:.2f} x librosa's speed; largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
