"""What an epoch holds, and which recordings are heard as references."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.schema import Balance, Config, Data
from data.batches import TrainingSet, plan_batches
from data.features import Features

DATA = Data(source="debian_prompts", languages=["en"], batch_size=4)


def pieces_of(speakers: dict[str, int], languages: dict[str, str]) -> pd.DataFrame:
    names = [speaker for speaker, number in speakers.items() for _ in range(number)]
    rows = {"speaker": names, "language": [languages.get(name, "en") for name in names]}
    return pd.DataFrame(rows | {"frames": range(100, 100 + len(names))})


def epoch(pieces: pd.DataFrame, balance: Balance, seed: int = 1) -> list[list[int]]:
    """Batches of the first epoch."""
    plan = plan_batches(pieces, DATA.model_copy(update={"balance": balance}), seed)
    batches: list[list[int]] = []
    while sum(map(len, batches)) < len(pieces):
        batches.append(next(plan))
    return batches


@given(st.integers(1, 60), st.integers(0, 5))
def test_one_speaker_of_one_language_is_seen_in_the_same_order_however_balanced(number: int, seed: int) -> None:
    pieces = pieces_of({"1": number}, {})
    assert epoch(pieces, "speakers", seed) == epoch(pieces, "languages", seed) == epoch(pieces, "clips", seed)


def test_balanced_speakers_are_seen_equally_often() -> None:
    pieces = pieces_of({"anna": 90, "boris": 9, "cloe": 1}, {})
    rows = [row for batch in epoch(pieces, "speakers") for row in batch]
    seen = Counter(pieces["speaker"][row] for row in rows)
    assert len(rows) == len(pieces)
    assert all(number == pytest.approx(100 / 3, abs=2) for number in seen.values())
    times = Counter(rows)
    assert max(times[row] for row in range(90)) == 1
    assert {times[row] for row in range(90, 99)} <= {3, 4}


def test_balanced_languages_are_seen_equally_often_and_in_them_their_speakers() -> None:
    pieces = pieces_of({"anna": 80, "bob": 10, "cloe": 10}, {"cloe": "fr"})
    seen = Counter(pieces["speaker"][row] for batch in epoch(pieces, "languages") for row in batch)
    assert seen["cloe"] == pytest.approx(50, abs=2)
    assert seen["anna"] == pytest.approx(25, abs=2)
    assert seen["bob"] == pytest.approx(25, abs=2)


def test_each_epoch_draws_other_pieces_of_the_one_who_has_many() -> None:
    pieces = pieces_of({"anna": 38, "boris": 2}, {})
    plan = plan_batches(pieces, DATA.model_copy(update={"balance": "speakers"}), 1)
    first, second = ({row for _ in range(10) for row in next(plan)} for _ in range(2))
    assert first != second


@pytest.fixture
def features(smoke_features: Path, smoke: Config) -> Features:
    """Those of the corpus by several people: one has short clips only, one is there once, one is not trained on."""
    features = Features(smoke_features)
    pieces = features.pieces
    long, training = pieces["frames"] >= smoke.model.reference_frames, pieces["split"] == "train"
    pieces.loc[~long, "speaker"] = "short"
    pieces.loc[pieces.index[training & long][0], "speaker"] = "once"
    pieces.loc[pieces["split"] == "validation", "speaker"] = "held out"
    return features


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_reference_is_of_the_same_speaker_and_another_recording_if_there_is_one(
    features: Features, smoke: Config, split: str
) -> None:
    dataset = TrainingSet(features, split, smoke)
    mels = {speaker: [features.mel(p) for p in own["id"]] for speaker, own in features.pieces.groupby("speaker")}
    for row, (piece, speaker) in enumerate(zip(dataset.pieces["id"], dataset.pieces["speaker"], strict=True)):
        reference_tm = dataset.batch([row], np.random.default_rng(row)).reference_btm[0]
        assert reference_tm.shape == (smoke.model.reference_frames, smoke.audio.n_mels)
        heard = [any((mel == frame).all() for mel in mel_tm) for mel_tm in mels[speaker] for frame in reference_tm[:1]]
        assert any(heard), piece
