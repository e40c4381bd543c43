"""Making what training reads of a corpus: log-mels, tokens and their alignment, for every piece of every clip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from safetensors.numpy import save_file

from common.progress import Report, silent, watched
from configs.schema import Audio, Data
from data.align import align
from data.audio import Waveform, trimmed_audio
from data.corpus import CorpusClip, CorpusError, read_corpus
from data.features import FEATURES, PIECES
from data.mel import log_mel
from data.pieces import Piece, cut, read_texts
from data.vocabulary import SILENT

Array = npt.NDArray[np.float32]


def extract_features(
    data: Data, audio: Audio, corpus: Path, out: Path, workers: int, report: Report = silent
) -> dict[str, float]:
    """Write the features of a corpus to the folder `out` and return a summary of the alignment.

    `features.safetensors` holds for each piece `<id>/mel` (t, n_mels), `<id>/tokens` (2, n: symbols, modifiers) and
    `<id>/frames` (n,), and the `mel_mean` and `mel_std` (n_mels,) of the training pieces; `pieces.csv` describes them.

    Raises `CorpusError` if there is no corpus, or nothing in it to train on.
    """
    clips = read_corpus(corpus)
    splits = [split_of(clip.id, data) for clip in clips]
    if "train" not in splits:
        raise CorpusError(f"{corpus}: none of its {len(clips)} clips falls into the training split")
    spoken = read_texts(clips)
    with ThreadPoolExecutor(workers) as pool:
        jobs = pool.map(lambda clip: _measure(clip.path, audio), clips)
        sounds = list(watched(jobs, "measuring clips", len(clips), report))
    acoustic, tokens = [sound.acoustic_tc for sound in sounds], [said.tokens for said in spoken]
    alignment = align(acoustic, tokens, workers, report)

    per_second = audio.sample_rate / audio.hop_length
    longest = data.max_piece_seconds * per_second
    pieces, rows = [], []
    for clip, split, said, sound, halves in zip(clips, splits, spoken, sounds, alignment.frames, strict=True):
        frames_n = (halves / halves.sum() * len(sound.mel_tm)).astype(np.float32)
        # What will be listened to must have a text of its own.
        for piece in cut(clip.id, sound.mel_tm, said, frames_n, longest, only_sentences=split == "test"):
            pieces.append(piece)
            rows.append(_row(piece, clip, split, corpus.resolve()))
    training = [piece for piece, row in zip(pieces, rows, strict=True) if row["split"] == "train"]

    out.mkdir(parents=True, exist_ok=True)
    save_file(_tensors(pieces, training), out / FEATURES)
    pd.DataFrame(rows).to_csv(out / PIECES, index=False)
    summary = {
        "clips": float(len(clips)),
        "pieces": float(len(pieces)),
        "minutes": _frames(pieces) / per_second / 60,
        "training_minutes": _frames(training) / per_second / 60,
        "median_phone_ms": float(np.median(_phone_lengths(pieces)) / per_second * 1000),
        "alignment_log_likelihood": alignment.log_likelihood,
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def split_of(clip_id: str, data: Data) -> str:
    """`train`, `validation` or `test`, by the hash of the id: a growing corpus moves nobody."""
    percent = int.from_bytes(hashlib.sha256(clip_id.encode()).digest()[:8], "big") % 100
    if percent < data.test_percent:
        return "test"
    return "validation" if percent < data.test_percent + data.validation_percent else "train"


def _row(piece: Piece, clip: CorpusClip, split: str, corpus: Path) -> dict[str, str | int]:
    return {
        "id": piece.id,
        "clip": clip.id,
        "split": split,
        "frames": len(piece.mel_tm),
        "text": piece.text,
        "start": piece.start,
        "language": clip.language,
        "speaker": clip.speaker,
        "path": clip.path.relative_to(corpus).as_posix(),
    }


def _tensors(pieces: Sequence[Piece], training: Sequence[Piece]) -> dict[str, npt.NDArray[np.generic]]:
    """What `features.safetensors` holds, by name."""
    train = np.concatenate([piece.mel_tm for piece in training])
    tensors: dict[str, npt.NDArray[np.generic]] = {"mel_mean": train.mean(0), "mel_std": train.std(0) + 1e-3}
    for piece in pieces:
        tensors[f"{piece.id}/mel"] = piece.mel_tm
        tensors[f"{piece.id}/tokens"] = np.array([piece.tokens.symbols, piece.tokens.modifiers], np.int32)
        tensors[f"{piece.id}/frames"] = piece.frames_n
    # safetensors writes the memory of an array as it lies.
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def _frames(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.mel_tm) for piece in pieces)


def _phone_lengths(pieces: Sequence[Piece]) -> list[float]:
    """Mel frames that each phone lasts."""
    return [
        float(frames)
        for piece in pieces
        for symbol, frames in zip(piece.tokens.symbols, piece.frames_n, strict=True)
        if symbol not in SILENT
    ]


@dataclass(frozen=True)
class _Sound:
    mel_tm: Array
    acoustic_tc: Array  # two frames for each mel frame


def _measure(path: Path, audio: Audio) -> _Sound:
    samples = trimmed_audio(path, audio)
    mel_tm = log_mel(torch.from_numpy(samples)[None], audio)[0].numpy()
    return _Sound(mel_tm, _acoustic(samples, audio)[: 2 * len(mel_tm)])


def _acoustic(samples: Waveform, audio: Audio) -> Array:
    """Thirteen cepstra and their first and second differences at half the hop, (t, 39)."""
    emphasised = np.append(samples[:1], samples[1:] - 0.97 * samples[:-1])
    mel_ct = librosa.feature.melspectrogram(
        y=emphasised,
        sr=audio.sample_rate,
        n_fft=512,
        win_length=round(0.025 * audio.sample_rate),
        hop_length=audio.hop_length // 2,
        n_mels=40,
        fmin=60,
    )
    cepstra_ct = librosa.feature.mfcc(S=np.log(mel_ct + 3e-4), n_mfcc=13)
    deltas = [librosa.feature.delta(cepstra_ct, width=5, order=order, mode="nearest") for order in (1, 2)]
    return np.concatenate([cepstra_ct, *deltas]).T.astype(np.float32)
