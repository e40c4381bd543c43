"""Corpora of a handful of clips are refused with what would do, before anything is made of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from configs.schema import Config, Data
from data.corpus import CorpusClip, CorpusError, read_corpus
from data.features import Features
from data.splits import split_of
from data.sufficiency import check_pieces, check_splits

CLIP = CorpusClip("", Path("clip.flac"), "", "en", "anna", 3.0, 16000, 48000, "clip.wav", None)


def clips_of(texts: Sequence[str], split: str | None, data: Data) -> list[CorpusClip]:
    """A clip for each text, all of one split if one is named."""
    ids = (id for id in (f"clip-{k}" for k in range(10_000)) if split in (None, split_of(id, data)))
    return [replace(CLIP, id=id, text=text) for id, text in zip(ids, texts, strict=False)]


def refused(clips: Sequence[CorpusClip], data: Data) -> str:
    with pytest.raises(CorpusError) as error:
        check_splits(clips, data)
    return str(error.value)


def test_the_corpora_of_the_tests_are_enough(smoke: Config, smoke_corpus: Path) -> None:
    check_splits(read_corpus(smoke_corpus), smoke.data)


@pytest.mark.parametrize("number", [4, 5, 8])
def test_a_handful_of_clips_is_told_how_many_more_would_do(smoke: Config, number: int) -> None:
    data = smoke.data.model_copy(update={"test_percent": 14})
    message = refused(clips_of([f"This is sentence {k}." for k in range(number)], "train", data), data)
    assert message.startswith(f"of {number} clips none is left to listen to: ")
    assert f"of which the corpus has {number}; record {20 - number} more such sentences" in message


def test_advised_settings_do(smoke: Config) -> None:
    clips = clips_of([f"This is sentence {k}." for k in range(8)], "train", smoke.data)
    percent = re.search(r"or set data\.test_percent=(\d+)$", refused(clips, smoke.data))
    assert percent
    check_splits(clips, smoke.data.model_copy(update={"test_percent": int(percent[1])}))


def test_forty_clips_of_a_word_have_nothing_to_listen_to(smoke: Config) -> None:
    message = refused(clips_of(["Yes."] * 40, None, smoke.data), smoke.data)
    assert message.startswith("of 40 clips none is left to listen to: ")
    assert message.endswith("of which the corpus has 0; record 14 more such sentences")


def test_one_sentence_forty_times_is_known_to_training(smoke: Config) -> None:
    message = refused(clips_of(["This is it again."] * 40, None, smoke.data), smoke.data)
    assert message.endswith("that no other clip says, of which the corpus has 0; record 14 more such sentences")


def test_clips_of_which_none_trains_are_refused(smoke: Config) -> None:
    clips = clips_of([f"This is sentence {k}." for k in range(30)], "test", smoke.data)
    message = refused(clips, smoke.data)
    assert message.startswith("of 30 clips fewer than 4 are left to train on: ")
    percent = re.search(r"data\.test_percent=(\d+)$", message)
    assert percent
    assert int(percent[1]) < smoke.data.test_percent
    assert "fewer than 4 are left to train on" in refused([], smoke.data)


def test_a_long_clip_counts_by_its_sentences(smoke: Config) -> None:
    trained = clips_of(["This is what is learned."] * 4, "train", smoke.data)
    (talk,) = clips_of(["It begins here. It goes on for a while. Then it ends."], "test", smoke.data)
    check_splits([*trained, replace(talk, duration=12.0)], smoke.data)
    assert refused([*trained, replace(talk, duration=120.0)], smoke.data)


def test_pieces_that_trimming_left_too_short_are_refused(smoke: Config, smoke_features: Path) -> None:
    pieces = Features(smoke_features).pieces
    check_pieces(pieces, smoke.audio)
    with pytest.raises(CorpusError, match="of 40 pieces none is left to listen to"):
        check_pieces(pieces.assign(frames=10), smoke.audio)
