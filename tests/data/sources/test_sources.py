from __future__ import annotations

from typing import get_args

from configs.schema import Source
from data.sources import SOURCES


def test_every_source_that_a_preset_can_name_is_there() -> None:
    assert set(SOURCES) == set(get_args(Source))
