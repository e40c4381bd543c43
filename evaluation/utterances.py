"""What there is to listen to: held-out sentences beside their recordings, and sentences that nobody recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from common.progress import Report, silent, watched
from configs.schema import Audio
from data.batches import reference_window
from data.features import Features
from data.recordings import recording_of
from data.splits import listenable, with_spoken
from data.text import phonemize
from data.vocabulary import SYMBOLS, has_sound
from evaluation.listening import Utterance
from model.generation import attention_along, generate
from model.synthesis import Voice, say
from model.vocoder import vocode

FAR_SENTENCES = "far_sentences.txt"
"""English sentences far from any prompt."""
HARD_SENTENCES = "hard_sentences.txt"
"""Lines at which speech might not end: digits, names, letters, long and broken ones."""

_SPOKEN_TOGETHER = 8


def choose_sentences(pieces: pd.DataFrame, audio: Audio, most: int) -> pd.DataFrame:
    """At most so many of the `data.splits.listenable` pieces."""
    chosen = listenable(with_spoken(pieces.assign(seconds=pieces["frames"] * audio.hop_length / audio.sample_rate)))
    # Evenly from all of them, so that every language and kind of prompt is heard.
    return chosen.iloc[np.unique(np.linspace(0, len(chosen) - 1, min(most, len(chosen))).round().astype(int))]


def held_out(
    voice: Voice, features: Features, corpus: Path, pieces: pd.DataFrame, report: Report = silent
) -> list[Utterance]:
    """Say test pieces with another recording of the same speaker as reference, beside what was recorded."""
    utterances = []
    for piece in watched(pieces.to_dict("records"), "speaking", len(pieces), report):
        mel_tm = features.mel(piece["id"])
        utterance = _utterance(
            voice,
            piece["id"],
            piece["text"],
            piece["language"],
            _reference(features, piece["speaker"], voice),
            recording=recording_of(features, piece["id"], corpus, voice.audio),
            recording_mel_tm=mel_tm.numpy(),
            vocoded=vocode(mel_tm, voice.vocoder).numpy(),
        )
        utterances.append(utterance)
    return utterances


def unrecorded(voice: Voice, sentences: Sequence[str], report: Report = silent) -> list[Utterance]:
    """Say English sentences in the training voice."""
    return [
        _utterance(voice, f"far-{k + 1:03}", text, "en", voice.default_reference_tm)
        for k, text in enumerate(watched(sentences, "speaking afar", len(sentences), report))
    ]


def read_sentences(name: str, most: int) -> list[str]:
    """The first lines of one of the files beside this module."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()[:most]


def end_by_themselves(voice: Voice, sentences: Sequence[str], report: Report = silent) -> list[bool]:
    """For each English sentence, shortest first, whether speech comes to an end by itself."""
    spoken = sorted((tokens for tokens in phonemize(sentences, "en") if has_sound(tokens)), key=len)
    ended: list[bool] = []
    for start in range(0, len(spoken), _SPOKEN_TOGETHER):
        batch = spoken[start : start + _SPOKEN_TOGETHER]
        references_btm = voice.default_reference_tm.expand(len(batch), -1, -1)
        ended += [generated.ended for generated in generate(voice.model, batch, references_btm)]
        report("hard sentences", len(ended), len(spoken))
    return ended


def _utterance(voice: Voice, name: str, text: str, language: str, reference_tm: Tensor, **recorded: Any) -> Utterance:
    tokens = phonemize([text], language)[0]
    started = time.perf_counter()
    generated, speech = say(voice, tokens, reference_tm)
    seconds = time.perf_counter() - started
    attention_sn, path_s = attention_along(voice.model, tokens, reference_tm, generated)
    return Utterance(
        id=name,
        text=text,
        language=language,
        speech=speech,
        mel_tm=generated.mel_tm.numpy(),
        ended=generated.ended,
        seconds_to_make=seconds,
        attention_sn=attention_sn.numpy(),
        path_s=path_s.numpy(),
        symbols=[SYMBOLS[symbol] for symbol in tokens.symbols],
        **recorded,
    )


def _reference(features: Features, speaker: str, voice: Voice) -> Tensor:
    """The speaker's longest training piece, so that it is always the same."""
    pieces = features.pieces
    own = pieces[(pieces["split"] == "train") & (pieces["speaker"] == speaker)]
    if own.empty:
        return voice.default_reference_tm
    longest = str(own["id"].iloc[int(own["frames"].to_numpy().argmax())])
    return reference_window(features.mel(longest), voice.config.model.reference_frames)
