"""Figures are called, written and read as one place says."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from evaluation.listening import summarize
from evaluation.measures import CEILINGS, MEASURES, WITH_CEILINGS, is_timing, metrics_text, read_metrics


@pytest.mark.parametrize("name", ["rtf", "far_rtf", "real_time_factor"])
def test_timings_stand_apart_in_the_metrics_file(name: str) -> None:
    assert is_timing(name)
    assert json.loads(metrics_text({name: 0.1, "cer": 0.2})) == {"quality": {"cer": 0.2}, "speed": {name: 0.1}}


@pytest.mark.parametrize("name", ["cer", "ended_percent", "stft_distance", "duration_ratio"])
def test_quality_is_no_timing(name: str) -> None:
    assert not is_timing(name)
    assert json.loads(metrics_text({name: 0.1})) == {"quality": {name: 0.1}, "speed": {}}


def test_the_metrics_file_is_read_as_it_was_written() -> None:
    figures = {"rtf": 0.1, "cer": 1 / 3, "far_cer": 0.25, "real_time_factor": 0.01}
    assert read_metrics(metrics_text(figures)) == figures
    assert metrics_text(figures) == metrics_text(dict(sorted(figures.items())))


def test_every_measure_is_found_by_listening_and_those_with_ceilings_have_them(table: pd.DataFrame) -> None:
    figures = summarize(table)
    assert MEASURES.keys() <= figures.keys()
    assert {name for name in MEASURES if f"{name}_vocoded" in figures} == set(WITH_CEILINGS)
    for name, measure in MEASURES.items():
        ceilings = [figures[f"{name}{kind}"] for kind in CEILINGS if name in WITH_CEILINGS]
        assert all(measure.form.format(figure) for figure in (figures[name], *ceilings))
