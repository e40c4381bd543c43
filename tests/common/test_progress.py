from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from steps import progress


def test_the_time_left_is_judged_by_what_was_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    printed = io.StringIO()
    report = progress._lines(Console(file=printed))
    report("training", 901, 1000, {})  # resumed: the 900 before were done by another process
    time.sleep(0.2)
    report("training", 902, 1000, {})
    last = printed.getvalue().splitlines()[-1]
    left = re.fullmatch(r"training: 902/1000, 0 s, (\d+) s left", last)
    assert left and 98 * 0.2 <= int(left[1]) + 1 < 98 * 2
