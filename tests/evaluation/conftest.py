"""Real recordings for the tests of this folder, and the same recordings posing as synthesised speech."""

import numpy as np
import pandas as pd
import pytest
import torch

from configs.schema import Audio, Data, load_config
from data.audio import read_audio
from data.building import build_corpus
from data.corpus import CorpusClip, read_corpus
from data.mel import log_mel
from evaluation.listening import Floats, Utterance, listen


@pytest.fixture(scope="session")
def audio() -> Audio:
    return load_config("smoke").audio


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> list[CorpusClip]:
    """Six English prompts."""
    folder = tmp_path_factory.mktemp("prompts") / "corpus"
    build_corpus(Data(source="debian_prompts", languages=["en"], max_clips=6, batch_size=4), folder)
    return read_corpus(folder)


@pytest.fixture(scope="session")
def recordings(prompts: list[CorpusClip], audio: Audio) -> list[Floats]:
    return [read_audio(clip.path, audio.sample_rate) for clip in prompts]


@pytest.fixture(scope="session")
def utterances(prompts: list[CorpusClip], recordings: list[Floats], audio: Audio) -> list[Utterance]:
    """Each recording as the speech: the first calls itself Spanish, the second has no recording, the last is cut."""
    made = []
    for k, (clip, recording) in enumerate(zip(prompts, recordings, strict=True)):
        speech = recording[: len(recording) // 2] if k == 5 else recording
        mel_tm, speech_mel_tm = (log_mel(torch.from_numpy(w)[None], audio)[0].numpy() for w in (recording, speech))
        path_s = np.arange(8, dtype=np.float32)
        made.append(
            Utterance(
                id=clip.id,
                text=clip.text,
                language="es" if k == 0 else "en",
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
def table(utterances: list[Utterance], audio: Audio) -> pd.DataFrame:
    return listen(utterances, audio.sample_rate, workers=2)
