from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from common.files import folder_digests
from configs.schema import Config
from data.corpus import read_corpus
from data.extraction import extract_features
from data.features import Features
from tests.data.corpora import corpus_of

TEXTS = {
    "0001": "1",
    "0002": "007 is 1 agent of them",
    "1.10": "1e5",
    "1e5": "NA",
    "NULL": "null",
    "nan": "2.50 is all that it costs",
}
"""Texts of clips by id, which look like numbers or like missing values."""


@pytest.fixture
def numbered(prompts: Path, tmp_path: Path) -> Path:
    """A corpus whose speakers, names and texts do."""
    rows = zip(read_corpus(prompts), TEXTS.items(), strict=True)
    clips = [replace(clip, id=id, text=text, speaker="1", duration=2.0) for clip, (id, text) in rows]
    return corpus_of(clips, tmp_path / "corpus")


def test_clips_that_are_called_like_numbers_stay_texts(numbered: Path, smoke: Config, tmp_path: Path) -> None:
    data = smoke.data.model_copy(update={"test_percent": 40, "validation_percent": 0})
    extract_features(data, smoke.audio, numbered, tmp_path / "features", 1)
    features = Features(tmp_path / "features")
    pieces = features.pieces
    assert list(pieces["id"]) == list(pieces["clip"]) == list(TEXTS)
    assert list(pieces["text"]) == list(TEXTS.values())
    assert set(pieces["speaker"]) == {"1"}
    for piece in TEXTS:
        assert len(features.mel(piece)) == features.place(piece).frames
        assert features.place(piece).path == f"audio/{piece}.flac"


def test_reading_features_changes_nothing(smoke_features: Path, tmp_path: Path) -> None:
    before = folder_digests(smoke_features)
    read = Features(smoke_features)
    read.pieces.to_csv(tmp_path / "pieces.csv", index=False)
    assert (tmp_path / "pieces.csv").read_bytes() == (smoke_features / "pieces.csv").read_bytes()
    assert folder_digests(smoke_features) == before
