"""What there is to listen to: held-out sentences beside their recordings, and sentences that nobody recorded."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
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
from evaluation.sentences import Sentence, even_shares
from model.generation import attention_along, generate
from model.synthesis import Voice, say
from model.vocoder import vocode

_SPOKEN_TOGETHER = 8


def choose_sentences(pieces: pd.DataFrame, audio: Audio, most: int) -> pd.DataFrame:
    """At most so many of the `data.splits.listenable` pieces, as many in each language as in the others."""
    chosen = listenable(with_spoken(pieces.assign(seconds=pieces["frames"] * audio.hop_length / audio.sample_rate)))
    # Evenly from all of a language, so that every kind of prompt is heard.
    positions_n = np.arange(len(chosen))
    picked: list[int] = []
    for language, share in even_shares(Counter(chosen["language"]), most).items():
        own_n = positions_n[(chosen["language"] == language).to_numpy()]
        picked += own_n[np.unique(np.linspace(0, len(own_n) - 1, share).round().astype(int))].tolist()
    return chosen.iloc[sorted(picked)]


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


def unrecorded(
    voice: Voice, sentences: Sequence[Sentence], references: Mapping[str, Tensor] | None = None, report: Report = silent
) -> list[Utterance]:
    """Say sentences that nobody recorded; `references` has whose voice speaks a language, if it is not the default."""
    spoken = watched(sentences, "speaking afar", len(sentences), report)
    return [
        _utterance(voice, f"far-{k:03}", text, language, (references or {}).get(language, voice.default_reference_tm))
        for k, (language, text) in enumerate(spoken, 1)
    ]


def end_by_themselves(
    voice: Voice, sentences: Sequence[Sentence], references: Mapping[str, Tensor] | None = None, report: Report = silent
) -> list[bool]:
    """For each sentence with a sound, shortest first, whether speech comes to an end by itself."""
    given = [
        (tokens, (references or {}).get(language, voice.default_reference_tm))
        for language, own in itertools.groupby(sorted(sentences), lambda sentence: sentence.language)
        for tokens in phonemize([sentence.text for sentence in own], language)
        if has_sound(tokens)
    ]
    spoken = sorted(given, key=lambda one: len(one[0]))
    ended: list[bool] = []
    for start in range(0, len(spoken), _SPOKEN_TOGETHER):
        tokens, references_tm = zip(*spoken[start : start + _SPOKEN_TOGETHER], strict=True)
        ended += [generated.ended for generated in generate(voice.model, tokens, torch.stack(references_tm))]
        report("hard sentences", len(ended), len(spoken))
    return ended


def references_of(features: Features, voice: Voice) -> dict[str, Tensor]:
    """For each language of a corpus what is heard of its speaker; of several, the one with most to learn from."""
    train = features.pieces[features.pieces["split"] == "train"]
    frames = train.groupby(["language", "speaker"])["frames"].sum().sort_values(ascending=False, kind="stable")
    speakers: dict[str, str] = {}
    for language, speaker in frames.index:
        speakers.setdefault(language, speaker)
    return {language: _reference(features, speaker, voice) for language, speaker in speakers.items()}


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
