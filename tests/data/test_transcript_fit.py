"""Spoken seconds and phones of real clips, with texts that belong to other clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.clip_measures import corpus_table, measure
from data.corpus import read_corpus
from data.transcript_fit import Floats, row_shifts, tempo


@pytest.fixture(scope="module")
def clips(smoke_corpus: Path) -> pd.DataFrame:
    """Forty clips with the columns seconds, phones and speaker."""
    measured = measure(corpus_table(read_corpus(smoke_corpus)), workers=2)
    seconds = measured["duration"] * (1 - measured["silence"])
    return pd.DataFrame(
        {"seconds": seconds, "phones": measured["speech_rate"] * seconds, "speaker": measured["speaker"]}
    )


def shifts_of(clips: pd.DataFrame, phones: Floats) -> Floats:
    return row_shifts(clips["seconds"].to_numpy(), phones, clips["speaker"], np.arange(len(clips)))


def test_texts_in_their_rows_are_not_shifted(clips: pd.DataFrame) -> None:
    assert not shifts_of(clips, clips["phones"].to_numpy()).any()
    for seed in range(20):
        some = clips.sample(frac=1, random_state=seed)
        assert not shifts_of(some, some["phones"].to_numpy()).any()
    ordered = clips.sort_values("seconds")
    assert not shifts_of(ordered, ordered["phones"].to_numpy()).any()


@pytest.mark.parametrize("by", [1, -1, 2, -2])
def test_a_list_that_slipped_as_a_whole_is_recognised_with_its_direction(clips: pd.DataFrame, by: int) -> None:
    found = shifts_of(clips, np.roll(clips["phones"].to_numpy(), by))
    assert (found == by).mean() > 0.85
    assert set(found) <= {0, by}


def test_a_list_that_slipped_from_the_middle_on_is_right_before(clips: pd.DataFrame) -> None:
    phones = clips["phones"].to_numpy()
    found = shifts_of(clips, np.concatenate([phones[:20], np.roll(phones[20:], 1)]))
    assert not found[:18].any()
    assert (found[20:] == 1).mean() > 0.8


def test_rows_decide_and_not_the_order_of_clips(clips: pd.DataFrame) -> None:
    slipped = clips.assign(phones=np.roll(clips["phones"], 1), row=np.arange(len(clips))).sample(frac=1, random_state=0)
    found = row_shifts(
        slipped["seconds"].to_numpy(), slipped["phones"].to_numpy(), slipped["speaker"], slipped["row"].to_numpy()
    )
    assert (found == 1).mean() > 0.85


def test_texts_of_strangers_are_no_shift(clips: pd.DataFrame) -> None:
    for seed in range(10):
        assert not shifts_of(clips, np.random.default_rng(seed).permutation(clips["phones"].to_numpy())).any()


def test_tempo_tells_of_one_wrong_text_and_not_of_others(clips: pd.DataFrame) -> None:
    phones = clips["phones"].to_numpy().copy()
    usual = tempo(clips["seconds"].to_numpy(), phones, clips["speaker"])
    assert np.abs(usual).max() < 5
    longest = int(clips["seconds"].argmax())
    phones[longest] /= 3
    odd = tempo(clips["seconds"].to_numpy(), phones, clips["speaker"])
    assert odd[longest] > 8
    assert np.flatnonzero(np.abs(odd) > 5).tolist() == [longest]


def test_too_few_clips_and_unknown_figures_give_no_answer_and_no_error(clips: pd.DataFrame) -> None:
    few = clips[:10]
    assert np.isnan(tempo(few["seconds"].to_numpy(), few["phones"].to_numpy(), few["speaker"])).all()
    nothing = np.full(10, np.nan)
    assert not row_shifts(nothing, nothing, few["speaker"], np.arange(10)).any()
    assert len(row_shifts(nothing[:0], nothing[:0], few["speaker"][:0], np.arange(0))) == 0
    same = np.ones(len(clips))
    assert not shifts_of(clips.assign(seconds=same), same).any()
