"""Which clips train, which are watched and which are listened to."""

from __future__ import annotations

import hashlib
from typing import Literal

import pandas as pd

from configs.schema import Data
from data.text import normalize

Split = Literal["train", "validation", "test"]

_SHORTEST, _LONGEST = 1.0, 10.0  # of a sentence to listen to, s
_FEWEST_WORDS = 3
CRITERIA = f"of {_FEWEST_WORDS} words or more and {_SHORTEST:g} to {_LONGEST:g} s"
"""What is listened to, in words."""


def split_of(clip_id: str, data: Data) -> Split:
    """By the hash of the id, so that a growing corpus moves nobody."""
    percentile = int.from_bytes(hashlib.sha256(clip_id.encode()).digest()[:8], "big") % 100
    if percentile < data.test_percent:
        return "test"
    return "validation" if percentile < data.test_percent + data.validation_percent else "train"


def are_sentences(table: pd.DataFrame) -> pd.Series[bool]:
    """Of which rows one can be listened to, by their columns spoken (see `listenable`) and seconds."""
    words = table["spoken"].str.count(r"\S+")
    return table["seconds"].between(_SHORTEST, _LONGEST) & (words >= _FEWEST_WORDS)


def with_spoken(table: pd.DataFrame) -> pd.DataFrame:
    """With a column `spoken`, the normalised text."""
    texts = [normalize(text, language) for text, language in zip(table["text"], table["language"], strict=True)]
    return table.assign(spoken=pd.Series(texts, table.index, dtype=str))


def listenable(spoken: pd.DataFrame) -> pd.DataFrame:
    """The test pieces that are whole sentences of usual length, each text once, of texts that training never reads.

    Columns of `spoken`: split, seconds and spoken, see `with_spoken`.
    """
    known = set(spoken.loc[spoken["split"] != "test", "spoken"])
    chosen = spoken[(spoken["split"] == "test") & are_sentences(spoken) & ~spoken["spoken"].isin(known)]
    return chosen.drop_duplicates("spoken")
