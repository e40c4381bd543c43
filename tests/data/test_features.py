from __future__ import annotations

from pathlib import Path

import pytest

from common.files import folder_digests
from configs.schema import Config, Data
from data.building import build_corpus
from data.extraction import extract_features
from data.features import Features

NUMBERS = [f"{k:04d}" for k in range(6)]
DATA = Data(source="ljspeech", languages=["en"], path=".", batch_size=4, validation_percent=0, test_percent=1)


@pytest.fixture
def numbered(ljspeech: Path) -> Path:
    """Recordings whose speaker, names and texts all look like numbers, or like a missing value."""
    texts = ["1", "007", "1e5", "NA", "null", "2.50"]
    for number, name in enumerate(NUMBERS, start=1):
        (ljspeech / "wavs" / f"clip-{number}.wav").rename(ljspeech / "wavs" / f"{name}.wav")
    rows = [f"{name}|{text}\n" for name, text in zip(NUMBERS, texts, strict=True)]
    (ljspeech / "metadata.csv").write_text("".join(rows))
    return ljspeech.rename(ljspeech.with_name("0042"))


def test_clips_that_are_called_like_numbers_have_features(numbered: Path, smoke: Config, tmp_path: Path) -> None:
    data = DATA.model_copy(update={"path": str(numbered)})
    build_corpus(data, tmp_path / "corpus")
    extract_features(data, smoke.audio, tmp_path / "corpus", tmp_path / "features", 1)
    features = Features(tmp_path / "features")
    assert list(features.pieces["id"]) == list(features.pieces["clip"]) == NUMBERS
    assert list(features.pieces["text"]) == ["1", "007", "1e5", "NA", "null", "2.50"]
    assert set(features.pieces["speaker"]) == {"0042"}
    for piece in NUMBERS:
        assert len(features.mel(piece)) == features.place(piece).frames
        assert features.place(piece).path == f"audio/{piece}.flac"


def test_reading_features_changes_nothing(smoke_features: Path, tmp_path: Path) -> None:
    before = folder_digests(smoke_features)
    read = Features(smoke_features)
    read.pieces.to_csv(tmp_path / "pieces.csv", index=False)
    assert (tmp_path / "pieces.csv").read_bytes() == (smoke_features / "pieces.csv").read_bytes()
    assert folder_digests(smoke_features) == before
