from __future__ import annotations

from pathlib import Path

import torch

from configs.schema import Config
from data.features import Features
from data.mel import log_mel
from data.recordings import recording_of


def test_stored_mels_are_those_of_the_recordings(smoke_features: Path, smoke_corpus: Path, smoke: Config) -> None:
    features = Features(smoke_features)
    for piece in features.pieces["id"]:
        recording = recording_of(features, piece, smoke_corpus, smoke.audio)
        mel_tm = log_mel(torch.from_numpy(recording)[None], smoke.audio)[0]
        stored_tm = features.mel(piece)
        assert stored_tm.shape == mel_tm.shape
        # At a cut the recording goes on, so that the outermost frames hear beyond it.
        torch.testing.assert_close(stored_tm[4:-4], mel_tm[4:-4], atol=1e-3, rtol=1e-3)
