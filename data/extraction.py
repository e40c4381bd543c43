"""Making what training reads of a corpus: log-mels, tokens and their alignment, for every piece of every clip."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
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
from data.align import PASSES, align
from data.audio import Waveform, trimmed_audio
from data.corpus import read_corpus
from data.features import FEATURES, PIECES
from data.mel import log_mel
from data.text import phonemize, split_sentences
from data.vocabulary import END, SILENT, START, STOP, Tokens

_SHORTEST_PAUSE = 8  # where a long clip may be cut, frames
_SHORTEST_PIECE = 150  # frames

Array = npt.NDArray[np.float32]


def split_of(clip_id: str, data: Data) -> str:
    """`train`, `validation` or `test`, by the hash of the id: a growing corpus moves nobody."""
    percent = int.from_bytes(hashlib.sha256(clip_id.encode()).digest()[:8], "big") % 100
    if percent < data.test_percent:
        return "test"
    return "validation" if percent < data.test_percent + data.validation_percent else "train"


@dataclass(frozen=True)
class _Clip:
    mel_tm: Array
    acoustic_tc: Array  # two frames for each mel frame


def extract_features(
    data: Data, audio: Audio, corpus: Path, out: Path, workers: int, report: Report = silent
) -> dict[str, float]:
    """Write the features of a corpus to the folder `out` and return a summary of the alignment.

    `features.safetensors` holds for each piece `<id>/mel` (t, n_mels), `<id>/tokens` (2, n: symbols, modifiers) and
    `<id>/frames` (n,), and the `mel_mean` and `mel_std` (n_mels,) of the training pieces; `pieces.csv` describes them.
    """
    clips = read_corpus(corpus)
    clips["split"] = [split_of(clip, data) for clip in clips["id"]]
    spoken = _phonemize(clips)
    with ThreadPoolExecutor(workers) as pool:
        jobs = pool.map(lambda path: _measure(path, audio), clips["path"])
        measured = list(watched(jobs, "measuring clips", len(clips), report))

    likelihoods: list[float] = []

    def on_pass(k: int, likelihood: float) -> None:
        likelihoods.append(likelihood)
        report("aligning phonemes", k + 1, PASSES)

    half_frames = align([clip.acoustic_tc for clip in measured], [said.tokens for said in spoken], workers, on_pass)

    per_second = audio.sample_rate / audio.hop_length
    tensors: dict[str, npt.NDArray[np.generic]] = {}
    rows = []
    for clip, said, sound, halves in zip(clips.to_dict("records"), spoken, measured, half_frames, strict=True):
        frames_n = (halves / halves.sum() * len(sound.mel_tm)).astype(np.float32)
        # What will be listened to must have a text of its own.
        for piece in _cut(
            str(clip["id"]), sound.mel_tm, said, frames_n, data.max_piece_seconds * per_second, clip["split"] == "test"
        ):
            tensors[f"{piece.id}/mel"] = piece.mel_tm
            tensors[f"{piece.id}/tokens"] = np.array([piece.tokens.symbols, piece.tokens.modifiers], np.int32)
            tensors[f"{piece.id}/frames"] = piece.frames_n
            rows.append(
                {
                    "id": piece.id,
                    "clip": clip["id"],
                    "split": clip["split"],
                    "frames": len(piece.mel_tm),
                    "text": piece.text,
                    "start": piece.start,
                    "language": clip["language"],
                    "speaker": clip["speaker"],
                    "path": clip["path"].relative_to(corpus).as_posix(),
                }
            )
    pieces = pd.DataFrame(rows)
    if not (pieces["split"] == "train").any():
        raise ValueError(f"{corpus}: none of its {len(clips)} clips falls into the training split")
    train = np.concatenate([tensors[f"{piece}/mel"] for piece in pieces.loc[pieces["split"] == "train", "id"]])
    tensors["mel_mean"], tensors["mel_std"] = train.mean(0), train.std(0) + 1e-3

    phones = [
        frames
        for piece in pieces["id"]
        for symbol, frames in zip(tensors[f"{piece}/tokens"][0], tensors[f"{piece}/frames"], strict=True)
        if symbol not in SILENT
    ]
    summary = {
        "clips": float(len(clips)),
        "pieces": float(len(pieces)),
        "minutes": float(pieces["frames"].sum() / per_second / 60),
        "training_minutes": float(len(train) / per_second / 60),
        "median_phone_ms": float(np.median(phones) / per_second * 1000),
        "alignment_log_likelihood": likelihoods[-1],
    }
    out.mkdir(parents=True, exist_ok=True)
    # safetensors writes the memory of an array as it lies.
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(contiguous, out / FEATURES)
    pieces.to_csv(out / PIECES, index=False)
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


@dataclass(frozen=True)
class _Spoken:
    """What is said in a clip: its sentences, and for each the index of the token after its last phone."""

    tokens: Tokens
    sentences: list[str]
    ends: list[int]


def _phonemize(clips: pd.DataFrame) -> list[_Spoken]:
    spoken: dict[int, _Spoken] = {}
    for language, group in clips.groupby("language", sort=True):
        sentences = [split_sentences(text, max_characters=sys.maxsize) for text in group["text"]]
        tokens = iter(phonemize([sentence for clip in sentences for sentence in clip], str(language)))
        for index, clip in zip(group.index, sentences, strict=True):
            spoken[index] = _join(clip, [next(tokens) for _ in clip])
    return [spoken[k] for k in clips.index]


def _join(sentences: list[str], tokens: list[Tokens]) -> _Spoken:
    symbols, modifiers, ends = [START], [0], []
    for sentence in tokens:
        inside = slice(1, -1)
        symbols += sentence.symbols[inside]
        modifiers += sentence.modifiers[inside]
        if symbols[-1] not in SILENT:
            symbols.append(STOP)
            modifiers.append(0)
        ends.append(len(symbols) - 1)
    if tokens and tokens[-1].symbols[-2] not in SILENT:  # the last sentence ended without a mark
        symbols.pop()
        modifiers.pop()
    return _Spoken(Tokens([*symbols, END], [*modifiers, 0]), sentences, ends)


def _measure(path: Path, audio: Audio) -> _Clip:
    samples = trimmed_audio(path, audio)
    mel_tm = log_mel(torch.from_numpy(samples)[None], audio)[0].numpy()
    return _Clip(mel_tm, _acoustic(samples, audio)[: 2 * len(mel_tm)])


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


@dataclass(frozen=True)
class _Piece:
    id: str
    text: str
    mel_tm: Array
    start: int  # its first frame in the clip
    tokens: Tokens
    frames_n: Array


def _cut(
    clip: str, mel_tm: Array, spoken: _Spoken, frames_n: Array, longest: float, only_sentences: bool
) -> Iterator[_Piece]:
    """Cut a clip of more than `longest` frames in the middle of its pauses, or only of those between sentences."""
    tokens, last = spoken.tokens, len(spoken.tokens) - 1
    if len(mel_tm) <= longest:
        yield _Piece(clip, " ".join(spoken.sentences), mel_tm, 0, tokens, frames_n)
        return
    ends_n = np.cumsum(frames_n)
    pauses = [
        n
        for n in range(1, last)
        if tokens.symbols[n] in SILENT and frames_n[n] > _SHORTEST_PAUSE and (n in spoken.ends or not only_sentences)
    ]
    first, start = 0, 0
    for n in [*pauses, last]:
        stop = len(mel_tm) if n == last else round(float(ends_n[n] - frames_n[n] / 2))
        if n != last and stop - start < _SHORTEST_PIECE:
            continue
        # The piece begins and ends with half of a pause, in place of the sentence's edges.
        symbols = [START, *tokens.symbols[first + 1 : n], END]
        modifiers = [0, *tokens.modifiers[first + 1 : n], 0]
        edges = np.concatenate([[start], ends_n[first:n], [stop]])
        frames = np.diff(edges).clip(0).astype(np.float32)
        if len(symbols) > 4:
            text = _text_between(spoken, first, n, last)
            yield _Piece(f"{clip}@{first}", text, mel_tm[start:stop], start, Tokens(symbols, modifiers), frames)
        first, start = n, stop


def _text_between(spoken: _Spoken, first: int, stop: int, last: int) -> str:
    """The sentences from one cut to another; empty if a cut is inside of a sentence."""
    begins = dict(zip([0, *spoken.ends], range(len(spoken.ends) + 1), strict=True))
    begins[last] = len(spoken.sentences)
    if first not in begins or stop not in begins:
        return ""
    return " ".join(spoken.sentences[begins[first] : begins[stop]])
