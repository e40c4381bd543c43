from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from common.files import folder_digests
from configs.schema import Config
from data.align import align
from data.audio import read_audio, trimmed_audio
from data.corpus import read_corpus
from data.extraction import extract_features, split_of
from data.features import Features
from data.mel import log_mel
from data.vocabulary import SILENT, Tokens


@pytest.fixture(scope="module")
def features(smoke_features: Path) -> Features:
    return Features(smoke_features)


def test_stored_mels_are_those_of_the_recordings(features: Features, smoke_corpus: Path, smoke: Config) -> None:
    for piece in features.pieces["id"]:
        recording = features.recording(piece, smoke_corpus, smoke.audio)
        mel_tm = log_mel(torch.from_numpy(recording)[None], smoke.audio)[0]
        stored_tm = features.mel(piece)
        assert stored_tm.shape == mel_tm.shape
        # At a cut the recording goes on, so that the outermost frames hear beyond it.
        torch.testing.assert_close(stored_tm[4:-4], mel_tm[4:-4], atol=1e-3, rtol=1e-3)


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
    extract_features(short, smoke.audio, smoke_corpus, tmp_path, 2, lambda *_: None)
    cut = Features(tmp_path)
    assert len(cut.pieces) > len(features.pieces)
    whole = features.pieces[features.pieces["id"] == features.pieces["clip"]].set_index("clip")
    for clip, pieces in cut.pieces.groupby("clip"):
        if clip in whole.index and len(pieces) > 1:
            joined = torch.cat([cut.mel(piece) for piece in pieces.sort_values("start")["id"]])
            torch.testing.assert_close(joined, features.mel(str(clip)))
    listened_to = cut.pieces[cut.pieces["split"] == "test"]
    assert (listened_to["text"] != "").all()


def test_the_same_corpus_gives_the_same_bytes(smoke: Config, smoke_corpus: Path, tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        extract_features(smoke.data, smoke.audio, smoke_corpus, tmp_path / name, workers, lambda *_: None)
    assert folder_digests(tmp_path / "one") == folder_digests(tmp_path / "two")


def test_a_growing_corpus_moves_nobody(smoke: Config, smoke_corpus: Path) -> None:
    ids = read_corpus(smoke_corpus)["id"]
    splits = {clip: split_of(clip, smoke.data) for clip in ids}
    assert {split_of(f"other-{k}", smoke.data) for k in range(200)} == {"train", "validation", "test"}
    assert splits == {clip: split_of(clip, smoke.data) for clip in reversed(list(ids))}


def test_clips_are_trimmed_and_scaled_alike(smoke: Config, smoke_corpus: Path) -> None:
    for path in read_corpus(smoke_corpus)["path"].head(5):
        trimmed = trimmed_audio(path, smoke.audio)
        assert len(trimmed) % smoke.audio.hop_length == 0
        assert len(trimmed) <= len(read_audio(path, smoke.audio.sample_rate))
        assert np.abs(trimmed).max() == pytest.approx(0.9, abs=0.01)


def test_alignment_finds_the_known_boundaries_of_a_made_up_language() -> None:
    rng = np.random.default_rng(0)
    sounds = {symbol: rng.normal(size=6) * 3 for symbol in (10, 11, 12, 13)}
    features, tokens, truth = [], [], []
    for _ in range(40):
        symbols = rng.choice(list(sounds), size=5).tolist()
        lengths = rng.integers(6, 20, size=7)
        frames = [np.full(6, -4.0)] * lengths[0]
        for symbol, length in zip(symbols, lengths[1:6], strict=True):
            frames += [sounds[symbol]] * length
        frames += [np.full(6, -4.0)] * lengths[6]
        noisy = np.stack(frames) + rng.normal(size=(len(frames), 6)) * 0.3
        loudness = np.where(np.arange(len(frames)) < lengths[0], -3.0, 3.0)
        loudness[len(frames) - lengths[6] :] = -3.0
        features.append(np.column_stack([loudness, noisy]).astype(np.float32))
        tokens.append(Tokens([1, *symbols, 2], [0] * 7))
        truth.append(lengths)
    found = align(features, tokens, 2, lambda *_: None)
    same_neighbours = [[a == b for a, b in zip(t.symbols, t.symbols[1:], strict=False)] for t in tokens]
    errors = [
        abs(int(a) - int(b))
        for lengths, frames, t, repeats in zip(truth, found, tokens, same_neighbours, strict=True)
        if not any(repeats)
        for a, b in zip(lengths, frames, strict=True)
    ]
    assert len(errors) > 20
    assert np.mean(errors) < 1
