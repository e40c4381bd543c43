from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch

from common.files import folder_digests
from common.progress import Report, silent
from configs.schema import Config, Data
from data import extraction, measurements
from data.align import train_aligner
from data.building import build_corpus
from data.corpus import CorpusError, read_corpus, read_findings
from data.extraction import MISFIT, extract_features
from data.features import Features
from data.measurements import Measurements
from data.vocabulary import SILENT
from tests.data.corpora import corpus_of


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


def test_the_same_corpus_gives_features_of_the_same_bytes(smoke: Config, smoke_corpus: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(smoke_corpus)
    for name, corpus, workers in (("one", smoke_corpus, 1), ("two", link, 2)):
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


def test_a_corpus_without_training_clips_is_refused(smoke: Config, smoke_corpus: Path, tmp_path: Path) -> None:
    nobody = smoke.data.model_copy(update={"validation_percent": 60, "test_percent": 40})
    with pytest.raises(CorpusError, match="none of its 40 clips falls into the training split"):
        extract_features(nobody, smoke.audio, smoke_corpus, tmp_path, 2)
    assert not list(tmp_path.iterdir())


def test_statistics_are_those_of_all_training_frames(features: Features) -> None:
    pieces = features.pieces
    frames = torch.cat([features.mel(piece) for piece in pieces.loc[pieces["split"] == "train", "id"]]).double()
    torch.testing.assert_close(features.mel_mean_m, frames.mean(0).float())
    torch.testing.assert_close(features.mel_std_m, frames.std(0, correction=0).float() + 1e-3)


def test_a_text_that_is_too_long_is_named_and_left_out(smoke: Config, smoke_corpus: Path, tmp_path: Path) -> None:
    first, second, *others = read_corpus(smoke_corpus)
    wrong = replace(first, text="This wrong line was never said, " * 20)
    mute = replace(second, text="...")
    corpus = corpus_of([wrong, mute, *others], tmp_path / "corpus")
    summary = extract_features(smoke.data, smoke.audio, corpus, tmp_path / "features", 2)
    found = {finding.id: (finding.kind, finding.found) for finding in read_findings(tmp_path / "features")}
    assert found.keys() == {first.id, second.id}
    assert found[second.id] == (MISFIT, "no phone to say")
    assert re.fullmatch(r"\d+ phones in \d+ half-frames", found[first.id][1])
    assert not {first.id, second.id} & {*Features(tmp_path / "features").pieces["clip"]}
    assert -4 < summary["alignment_log_likelihood"] < 0


def test_only_clips_that_are_kept_have_features(smoke: Config, smoke_corpus: Path, tmp_path: Path) -> None:
    ids = [clip.id for clip in read_corpus(smoke_corpus)]
    extract_features(smoke.data, smoke.audio, smoke_corpus, tmp_path, 2, keep=ids[:30])
    assert set(Features(tmp_path).pieces["clip"]) == set(ids[:30])


def interrupting(what: str, done: int) -> Report:
    """A report that ends the extraction when so much of something is done."""

    def report(now: str, so_far: int, _total: int, _figures: Mapping[str, float] = MappingProxyType({}), /) -> None:
        if (now, so_far) == (what, done):
            raise KeyboardInterrupt

    return report


def test_an_extraction_that_goes_on_makes_the_bytes_of_one_in_one_go(
    smoke: Config, smoke_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extract(out: Path, kept: Path, report: Report = silent) -> dict[str, str]:
        of = Measurements(kept, "code")
        extract_features(smoke.data, smoke.audio, smoke_corpus, out, 2, report, measurements=of)
        return folder_digests(out)

    monkeypatch.setattr(measurements, "_LONGEST", 30.0)
    whole = extract(tmp_path / "whole", tmp_path / "kept-whole")
    kept = tmp_path / "kept"
    shards = len(list((tmp_path / "kept-whole").iterdir()))
    assert shards >= 3
    with pytest.raises(KeyboardInterrupt):
        extract(tmp_path / "interrupted", kept, interrupting("training the aligner", 2))
    assert len(list(kept.iterdir())) == shards
    with pytest.raises(KeyboardInterrupt):
        extract(tmp_path / "interrupted", kept, interrupting("aligning clips", 1))
    assert extract(tmp_path / "resumed", kept) == whole


def test_a_language_is_learned_from_no_longer_than_it_takes(
    smoke: Config, smoke_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some clips train the aligner, and all are aligned with it."""
    monkeypatch.setattr(extraction, "_MOST_OF_A_LANGUAGE", 5000)
    sizes = []

    def train(features: Sequence[Any], *arguments: Any) -> Any:
        sizes.append(sum(map(len, features)))
        return train_aligner(features, *arguments)

    monkeypatch.setattr(extraction, "train_aligner", train)
    summary = extract_features(smoke.data, smoke.audio, smoke_corpus, tmp_path, 2)
    assert 4000 < sizes[0] <= 5000
    assert summary["clips"] == summary["pieces"] == 40
    assert -10 < summary["alignment_log_likelihood"] < 0
