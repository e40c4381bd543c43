from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from common.files import folder_digests
from configs.schema import Config, Data
from data.building import build_corpus
from data.corpus import CorpusError
from data.extraction import extract_features, split_of
from data.features import Features
from data.vocabulary import SILENT


@pytest.fixture(scope="module")
def features(smoke_features: Path) -> Features:
    return Features(smoke_features)


def splits(features: Path) -> dict[str, str]:
    pieces = Features(features).pieces
    return dict(zip(pieces["clip"], pieces["split"], strict=True))


def test_tokens_fill_every_frame(features: Features) -> None:
    for piece in features.pieces["id"]:
        frames_n, tokens = features.frames(piece), features.tokens(piece)
        assert len(frames_n) == len(tokens)
        assert float(frames_n.sum()) == pytest.approx(len(features.mel(piece)), abs=0.01)
        spoken = [float(f) for f, symbol in zip(frames_n, tokens.symbols, strict=True) if symbol not in SILENT]
        assert min(spoken) > 0


def test_phones_are_louder_than_the_pauses(features: Features) -> None:
    """The alignment tells sound from silence, which it was never told."""
    levels: dict[bool, list[float]] = {True: [], False: []}
    for piece in features.pieces["id"]:
        level_t = features.mel(piece).amax(1)
        edges = [0, *features.frames(piece).cumsum(0).round().int().tolist()]
        for start, stop, symbol in zip(edges, edges[1:], features.tokens(piece).symbols, strict=False):
            if stop - start >= 3:
                levels[symbol in SILENT].append(float(level_t[start:stop].mean()))
    assert np.mean(levels[False]) > np.mean(levels[True]) + 1.5


def test_long_clips_are_cut_at_pauses_and_lose_nothing(
    features: Features, smoke: Config, smoke_corpus: Path, tmp_path: Path
) -> None:
    short = smoke.data.model_copy(update={"max_piece_seconds": 3.0})
    extract_features(short, smoke.audio, smoke_corpus, tmp_path, 2)
    cut = Features(tmp_path)
    assert len(cut.pieces) > len(features.pieces)
    whole = set(features.pieces["clip"][features.pieces["id"] == features.pieces["clip"]])
    joined_clips = 0
    for clip, pieces in cut.pieces.groupby("clip"):
        if clip in whole and len(pieces) > 1:
            joined = torch.cat([cut.mel(piece) for piece in pieces.sort_values("start")["id"]])
            torch.testing.assert_close(joined, features.mel(str(clip)))
            joined_clips += 1
    assert joined_clips
    listened_to = cut.pieces[cut.pieces["split"] == "test"]
    assert (listened_to["text"] != "").all()


def test_the_same_corpus_gives_features_of_the_same_bytes(smoke: Config, prompts: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(prompts)
    for name, corpus, workers in (("one", prompts, 1), ("two", link, 2)):
        extract_features(smoke.data, smoke.audio, corpus, tmp_path / name, workers)
    assert folder_digests(tmp_path / "one") == folder_digests(tmp_path / "two")


def test_a_growing_corpus_moves_nobody(smoke: Config, smoke_features: Path, tmp_path: Path) -> None:
    half: Data = smoke.data.model_copy(update={"max_clips": 20})
    build_corpus(half, tmp_path / "corpus")
    extract_features(half, smoke.audio, tmp_path / "corpus", tmp_path / "features", 2)
    few, many = splits(tmp_path / "features"), splits(smoke_features)
    assert len(few) < len(many)
    assert few.items() <= many.items()
    assert set(few.values()) == {"train", "validation", "test"}


def test_splits_are_as_large_as_the_preset_says(smoke: Config) -> None:
    counts = pd.Series([split_of(f"clip-{k}", smoke.data) for k in range(5000)]).value_counts(normalize=True)
    assert counts["test"] == pytest.approx(smoke.data.test_percent / 100, abs=0.02)
    assert counts["validation"] == pytest.approx(smoke.data.validation_percent / 100, abs=0.02)


def test_a_corpus_without_training_clips_is_refused(smoke: Config, smoke_corpus: Path, tmp_path: Path) -> None:
    nobody = smoke.data.model_copy(update={"validation_percent": 60, "test_percent": 40})
    with pytest.raises(CorpusError, match="none of its 40 clips falls into the training split"):
        extract_features(nobody, smoke.audio, smoke_corpus, tmp_path, 2)
    assert not list(tmp_path.iterdir())
