"""Progress where there is no terminal."""

from __future__ import annotations

import re

import pytest

from common.progress import lines, watched


def test_the_time_left_in_progress_is_judged_by_what_was_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 10.5])
    monkeypatch.setattr("common.progress.time.monotonic", lambda: next(clock))
    written: list[str] = []
    report = lines(written.append, seconds_between=0.0)
    report("training", 901, 1000)  # resumed: the 900 before were done by another process
    report("training", 902, 1000, {"loss": 0.5})
    assert written[-1] == "training: 902/1000, 0 s, 49 s left loss 0.5"


def test_progress_is_told_now_and_then_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 40, 4))
    monkeypatch.setattr("common.progress.time.monotonic", lambda: float(next(clock)))
    written: list[str] = []
    assert list(watched("abcdefgh", "spelling", 8, lines(written.append, seconds_between=15.0))) == list("abcdefgh")
    assert [re.match(r"spelling: (\d)/8", line)[1] for line in written] == ["5", "8"]  # type: ignore[index]
