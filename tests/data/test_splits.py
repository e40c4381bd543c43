from __future__ import annotations

import pandas as pd
import pytest

from configs.schema import Config
from data.splits import listenable, split_of, with_spoken


def test_splits_are_as_large_as_the_preset_says(smoke: Config) -> None:
    counts = pd.Series([split_of(f"clip-{k}", smoke.data) for k in range(5000)]).value_counts(normalize=True)
    assert counts["test"] == pytest.approx(smoke.data.test_percent / 100, abs=0.02)
    assert counts["validation"] == pytest.approx(smoke.data.validation_percent / 100, abs=0.02)


def test_what_is_listened_to_is_a_sentence_that_training_never_reads() -> None:
    rows = [
        ("heard", "test", 2.0, "Press 3 now, please."),
        ("again", "test", 2.0, "Press three now, please."),
        ("brief", "test", 0.9, "It was very short."),
        ("long", "test", 10.1, "It was very long."),
        ("word", "test", 2.0, "Good-bye then."),
        ("known", "test", 2.0, "You have two messages."),
        ("trained", "train", 2.0, "you have 2 messages."),
        ("watched", "validation", 2.0, "Nobody listens to this."),
    ]
    pieces = pd.DataFrame(rows, columns=["id", "split", "seconds", "text"]).assign(language="en")
    assert listenable(with_spoken(pieces))["id"].tolist() == ["heard"]
