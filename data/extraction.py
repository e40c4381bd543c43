"""Making what training reads of a corpus: log-mels, tokens and their alignment, for every piece of every clip.

Clips are gone through three times, shard by shard: they are measured; some of them train the aligner; with it each is
aligned, cut and written. Of no clip more than its line in the manifests stays in memory.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import save_file
from threadpoolctl import threadpool_limits

from common.progress import Report, silent
from configs.schema import Audio, Data
from data.align import FEWEST_FRAMES_A_PHONE, Aligner, misfit, train_aligner
from data.cluster import spread_over
from data.corpus import CorpusClip, CorpusError, read_corpus, write_findings
from data.features import COLUMNS, PIECES, STATISTICS, shard_name
from data.measurements import Measurements, Shard
from data.measuring import spread_here
from data.pieces import Piece, cut
from data.problems import Finding, Kind
from data.splits import Split, split_of
from data.vocabulary import SILENT, Tokens

MISFIT = Kind("text_does_not_fit", "error", "see whether the text is that of the recording, and mend either")

_MOST_OF_A_LANGUAGE = 240_000  # half-frames that the aligner learns from: half an hour at 16 kHz
_MOST_OF_ALL = 2_400_000

Array = npt.NDArray[np.float32]


def extract_features(
    data: Data,
    audio: Audio,
    corpus: Path,
    out: Path,
    workers: int,
    report: Report = silent,
    *,
    keep: Collection[str] | None = None,
    measurements: Measurements | None = None,
    scheduler: str | None = None,
) -> dict[str, float]:
    """Write the features of a corpus to the folder `out` and return a summary of the alignment.

    They are what `data.features` reads; `findings.jsonl` names the clips that could not be aligned and are left out.
    `keep` are the ids of the clips to take, if not all. What `measurements` has of them is not measured again, and what
    it lacks is kept there. With the address of a Dask `scheduler`, its workers measure; the bytes are the same.

    Raises `CorpusError` if there is no corpus, or nothing in it to train on, and `ClusterError` if the scheduler cannot
    be reached or has lost its workers.
    """
    clips = [clip for clip in read_corpus(corpus) if keep is None or clip.id in keep]
    if not any(split_of(clip.id, data) == "train" for clip in clips):
        raise CorpusError(f"{corpus}: none of its {len(clips)} clips falls into the training split")
    spread = spread_over(scheduler, audio) if scheduler else spread_here(workers, audio)
    survey = _Survey()
    # Every clip has a thread of its own; those of a matrix product would only wait for each other.
    with threadpool_limits(1), tempfile.TemporaryDirectory(prefix="myxtts-") as scratch:
        kept = measurements or Measurements(Path(scratch), "")
        for shard in kept.of(clips, audio, spread, workers):
            survey.add(shard)
            report("measuring clips", len(survey.half_frames), len(clips))
        aligner = _train(survey, workers, report)
        out.mkdir(parents=True, exist_ok=True)
        totals = _write(survey.shards, aligner, data, audio, corpus.resolve(), out, workers, report)
    write_findings(survey.findings, out)
    if measurements:
        measurements.prune(survey.shards)
    summary = totals.summary(len(clips), audio)
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


@dataclass
class _Survey:
    """What has to be known of all clips before the first can be aligned."""

    shards: list[Shard] = field(default_factory=list)
    half_frames: dict[str, int] = field(default_factory=dict)  # by id; 0 of a clip that is left out
    phones: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def add(self, shard: Shard) -> None:
        self.shards.append(shard)
        for clip, measured in zip(shard.clips, shard.read(), strict=True):
            tokens = measured.spoken.tokens
            found = misfit(measured.half_frames, tokens)
            if found:
                expected = f"at least {FEWEST_FRAMES_A_PHONE} half-frames a phone"
                self.findings.append(Finding(MISFIT, found, expected, clip.id, clip.file, clip.row))
            self.half_frames[clip.id] = 0 if found else measured.half_frames
            self.phones |= {*tokens.symbols}


def _train(survey: _Survey, workers: int, report: Report) -> Aligner:
    learned_from = _learned_from(survey)
    features: list[Array] = []
    tokens: list[Tokens] = []
    for shard in survey.shards:
        if any(clip.id in learned_from for clip in shard.clips):
            for clip, measured in zip(shard.clips, shard.read(), strict=True):
                if clip.id in learned_from:
                    features.append(measured.acoustic_tc())
                    tokens.append(measured.spoken.tokens)
    if not features:
        raise CorpusError(f"of {len(survey.half_frames)} clips none has a text that fits its recording")
    return train_aligner(features, tokens, survey.phones, workers, report)


def _learned_from(survey: _Survey) -> set[str]:
    """The ids of as many clips of each language as the aligner learns from, by the hash of their ids."""
    by_language: dict[str, list[str]] = {}
    for clip in (clip for shard in survey.shards for clip in shard.clips if survey.half_frames[clip.id]):
        by_language.setdefault(clip.language, []).append(clip.id)
    most = min(_MOST_OF_A_LANGUAGE, _MOST_OF_ALL // max(1, len(by_language)))
    chosen: set[str] = set()
    for ids in by_language.values():
        taken = 0
        for id in sorted(ids, key=lambda id: hashlib.sha256(id.encode()).digest()):
            taken += survey.half_frames[id]
            if taken > most and taken > survey.half_frames[id]:  # one is taken, however long
                break
            chosen.add(id)
    return chosen


@dataclass
class _Totals:
    """What is known of all pieces when the last is written."""

    pieces: int = 0
    frames: int = 0
    training_frames: int = 0
    half_frames: int = 0
    log_likelihood: float = 0.0
    phones: Counter[int] = field(default_factory=Counter)  # by the half-frames that they last
    sum_m: npt.NDArray[np.float64] | float = 0.0  # of the training frames, as the next
    squares_m: npt.NDArray[np.float64] | float = 0.0

    def add(self, piece: Piece, mel_tm: Array, split: Split) -> None:
        self.pieces += 1
        self.frames += len(mel_tm)
        self.phones.update(
            round(2 * float(frames))
            for symbol, frames in zip(piece.tokens.symbols, piece.frames_n, strict=True)
            if symbol not in SILENT
        )
        if split == "train":
            self.training_frames += len(mel_tm)
            self.sum_m += mel_tm.sum(0, dtype=np.float64)
            self.squares_m += np.square(mel_tm, dtype=np.float64).sum(0)

    def statistics(self) -> dict[str, Array]:
        """Mean and standard deviation of the training frames' mels, (n_mels,)."""
        mean_m = np.asarray(self.sum_m) / self.training_frames
        variance_m = np.asarray(self.squares_m) / self.training_frames - mean_m**2
        std_m = np.sqrt(variance_m.clip(0)) + 1e-3
        return {"mel_mean": mean_m.astype(np.float32), "mel_std": std_m.astype(np.float32)}

    def summary(self, clips: int, audio: Audio) -> dict[str, float]:
        per_second = audio.sample_rate / audio.hop_length
        lengths = np.repeat(list(self.phones), list(self.phones.values()))
        return {
            "clips": float(clips),
            "pieces": float(self.pieces),
            "minutes": self.frames / per_second / 60,
            "training_minutes": self.training_frames / per_second / 60,
            "median_phone_ms": float(np.median(lengths)) / 2 / per_second * 1000,
            "alignment_log_likelihood": self.log_likelihood / self.half_frames,
        }


def _write(
    shards: Sequence[Shard],
    aligner: Aligner,
    data: Data,
    audio: Audio,
    corpus: Path,
    out: Path,
    workers: int,
    report: Report,
) -> _Totals:
    """Align, cut and write the clips of one shard after another."""
    longest = data.max_piece_seconds * audio.sample_rate / audio.hop_length
    totals = _Totals()
    with (out / PIECES).open("w", encoding="utf-8", newline="") as table, ThreadPoolExecutor(workers) as pool:
        for number, shard in enumerate(shards):
            fitting = [
                (clip, measured)
                for clip, measured in zip(shard.clips, shard.read(), strict=True)
                if not misfit(measured.half_frames, measured.spoken.tokens)
            ]
            alignments = pool.map(lambda pair: aligner.align(pair[1].acoustic_tc(), pair[1].spoken.tokens), fitting)
            rows, tensors = [], dict[str, npt.NDArray[np.generic]]()
            for (clip, measured), aligned in zip(fitting, alignments, strict=True):
                totals.half_frames += measured.half_frames
                totals.log_likelihood += aligned.log_likelihood
                length, split = len(measured.mel_tm), split_of(clip.id, data)
                frames_n = (aligned.frames_n / aligned.frames_n.sum() * length).astype(np.float32)
                # What will be listened to must have a text of its own.
                for piece in cut(clip.id, length, measured.spoken, frames_n, longest, only_sentences=split == "test"):
                    # safetensors writes the memory of an array as it lies.
                    mel_tm = np.ascontiguousarray(measured.mel_tm[piece.start : piece.stop])
                    totals.add(piece, mel_tm, split)
                    tensors[f"{piece.id}/mel"] = mel_tm
                    tensors[f"{piece.id}/tokens"] = np.array([piece.tokens.symbols, piece.tokens.modifiers], np.int32)
                    tensors[f"{piece.id}/frames"] = piece.frames_n
                    rows.append(_row(piece, clip, split, corpus, number))
            save_file(tensors, out / shard_name(number))
            pd.DataFrame(rows, columns=COLUMNS).to_csv(table, index=False, header=number == 0)
            report("aligning clips", number + 1, len(shards))
    if not totals.training_frames:
        raise CorpusError(f"{corpus}: no clip of the training split has a text that fits its recording")
    save_file(totals.statistics(), out / STATISTICS)
    return totals


def _row(piece: Piece, clip: CorpusClip, split: Split, corpus: Path, shard: int) -> tuple[str | int, ...]:
    path = clip.path.relative_to(corpus).as_posix()
    frames = piece.stop - piece.start
    return piece.id, clip.id, split, frames, piece.text, piece.start, clip.language, clip.speaker, path, shard
