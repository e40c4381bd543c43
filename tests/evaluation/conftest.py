"""Real recordings for the tests of this folder, and the same recordings posing as synthesised speech."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from configs.schema import Audio, Config
from data.audio import read_audio
from data.corpus import CorpusClip, read_corpus
from data.mel import log_mel
from evaluation.listening import Floats, Utterance, listen
from evaluation.recognisers import Recogniser, recogniser


@pytest.fixture(scope="session")
def audio(smoke: Config) -> Audio:
    return smoke.audio


@pytest.fixture(scope="session")
def clips(prompts: Path) -> list[CorpusClip]:
    """Six English prompts."""
    return read_corpus(prompts)


@pytest.fixture(scope="session")
def recordings(clips: list[CorpusClip], audio: Audio) -> list[Floats]:
    return [read_audio(clip.path, audio.sample_rate) for clip in clips]


@pytest.fixture(scope="session")
def utterances(clips: list[CorpusClip], recordings: list[Floats], audio: Audio) -> list[Utterance]:
    """Each recording as the speech: the first calls itself Persian, the second has no recording, the last is cut."""
    made = []
    for k, (clip, recording) in enumerate(zip(clips, recordings, strict=True)):
        speech = recording[: len(recording) // 2] if k == 5 else recording
        mel_tm, speech_mel_tm = (log_mel(torch.from_numpy(w)[None], audio)[0].numpy() for w in (recording, speech))
        path_s = np.arange(8, dtype=np.float32)
        made.append(
            Utterance(
                id=clip.id,
                text=clip.text,
                language="fa" if k == 0 else "en",
                speech=speech,
                mel_tm=speech_mel_tm,
                ended=k != 5,
                seconds_to_make=0.5 * len(speech) / audio.sample_rate,
                attention_sn=np.eye(8, dtype=np.float32),
                path_s=path_s,
                symbols=list("ˈabcdeʃ$"),
                recording=None if k == 1 else recording,
                recording_mel_tm=None if k == 1 else mel_tm,
                vocoded=None if k == 1 else recording,
            )
        )
    return made


@pytest.fixture(scope="session")
def english_judge() -> Recogniser:
    """Whisper base, as far as it is asked about English."""
    return dataclasses.replace(recogniser(workers=2), hears=lambda language: language == "en")


@pytest.fixture(scope="session")
def table(utterances: list[Utterance], english_judge: Recogniser, audio: Audio) -> pd.DataFrame:
    return listen(utterances, english_judge, audio.sample_rate, workers=2)
