"""The served model: rows that cannot be spoken say why and spoil no other, and each version speaks by its own code."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import mlflow
import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch
from mlflow import MlflowException
from mlflow.pyfunc import scoring_server

from model.synthesis import PAUSE, load_voice, speak
from registry import registration
from registry.isolated import speak_with
from registry.served_model import ServedVoice
from tests.registry.conftest import PRESET, Registry, make_outs

TEXT = "Good morning. Please hold."
RATE = 16000


def encoded(samples_n: np.ndarray, rate: int = RATE) -> str:
    file = io.BytesIO()
    sf.write(file, samples_n, rate, format="WAV")
    return base64.b64encode(file.getvalue()).decode()


def decoded(audio: str) -> np.ndarray:
    samples_n: np.ndarray = sf.read(io.BytesIO(base64.b64decode(audio)), dtype="int16")[0]
    return samples_n


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> ServedVoice:
    return ServedVoice.of(make_outs(tmp_path_factory.mktemp("served"), 1.0, {}).checkpoints, int8=False)


SECOND = np.sin(np.arange(RATE) * 0.1) * 0.5
MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"text": None}, "nothing to say in ''"),
    ({"text": ""}, "nothing to say in ''"),
    ({"text": " \n\t "}, "nothing to say"),
    ({"text": "..."}, "nothing to say in '...'"),
    ({"text": "\x00"}, "nothing to say"),
    ({"text": "🙂"}, "nothing to say"),
    ({"text": TEXT, "language": "xx"}, "language is 'xx', expected a code that espeak-ng knows"),
    ({"text": TEXT, "language": ""}, "language is ''"),
    ({"text": TEXT, "speaking_rate": 0.0}, "speaking_rate is 0, expected 0.5 to 2"),
    ({"text": TEXT, "speaking_rate": -1.0}, "speaking_rate is -1"),
    ({"text": TEXT, "speaking_rate": 9.0}, "speaking_rate is 9"),
    ({"text": TEXT, "seed": -1}, "seed is -1"),
    ({"text": TEXT, "reference": "not base64!"}, "reference is not base64"),
    ({"text": TEXT, "reference": "ü"}, "reference is not base64"),
    ({"text": TEXT, "reference": ""}, "reference is not audio"),
    ({"text": TEXT, "reference": base64.b64encode(b"RIFF").decode()}, "reference is not audio"),
    ({"text": TEXT, "reference": encoded(SECOND)[:60]}, "reference"),
    ({"text": TEXT, "reference": encoded(SECOND[:0])}, "reference is not audio that can be used: holds no samples"),
    ({"text": TEXT, "reference": encoded(SECOND[:100])}, "reference has 0.00 s of sound, expected 0.5 s or more"),
    ({"text": TEXT, "reference": encoded(0 * SECOND)}, "reference has nothing to hear, expected a voice"),
    ({"text": TEXT, "language": "English"}, "language is 'English'"),
    ({}, "nothing to say in ''"),
    ({"text": 5}, "text is 5, expected text"),
    ({"text": ["a"]}, "text is ['a'], expected text"),
    ({"text": TEXT, "language": 7}, "language is 7"),
    ({"text": TEXT, "reference": 7}, "reference is 7, expected text"),
    ({"text": TEXT, "seed": 1.5}, "seed is 1.5, expected a whole number"),
    ({"text": TEXT, "seed": 2.0**70}, "seed is 1"),
]
OF_NO_TYPE: list[tuple[dict[str, Any], str]] = [
    ({"text": TEXT, "seed": "abc"}, "seed is 'abc', expected a number"),
    ({"text": TEXT, "speaking_rate": "fast"}, "speaking_rate is 'fast', expected a number"),
    ({"text": TEXT, "speaking_rate": [1]}, "speaking_rate is [1], expected a number"),
]
"""Rows that MLflow itself refuses, and all that come with them, if it is asked to serve them."""


def test_rows_that_cannot_be_spoken_say_why_and_spoil_no_other(served: ServedVoice) -> None:
    good: dict[str, Any] = {"text": TEXT, "reference": encoded(SECOND), "speaking_rate": 1.5, "seed": 3}
    malformed = [*MALFORMED, *OF_NO_TYPE]
    rows = [good, *(row for row, _ in malformed), good]
    answers = served.predict(None, pd.DataFrame(rows)).to_dict("records")
    for (row, message), answer in zip(malformed, answers[1:-1], strict=True):
        assert message in answer["error"], row
        assert answer["audio"] == ""
        assert not answer["ended"]
    for answer in (answers[0], answers[-1]):
        assert answer["error"] == ""
        assert answer["sample_rate"] == RATE
        assert decoded(answer["audio"]).any()
    assert answers[0] == answers[-1]


def offline(folder: Path, seed: int) -> np.ndarray:
    """What the checkpoint says without any server, in 16 bits."""
    speech = speak(load_voice(folder), TEXT, "en", seed=seed)
    return decoded(encoded(speech.waveform))


@pytest.mark.pipeline
def test_each_version_speaks_by_its_own_code(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_code = registration._copy_code

    def copy_with_longer_pause(folder: Path) -> list[str]:
        packages = copy_code(folder)
        source = folder / "model/synthesis.py"
        source.write_text(source.read_text().replace(f"PAUSE = {PAUSE}", f"PAUSE = {PAUSE + 1}"))
        return packages

    monkeypatch.setattr(registration, "_copy_code", copy_with_longer_pause)
    other = registry.register_outs(make_outs(registry.folder / "outs", 1.0, {}))  # the same weights
    rows = [{"text": TEXT, "seed": 5}]
    first, second = (decoded(speak_with(PRESET, str(version), rows, int8=False)[0]["audio"]) for version in (1, other))
    assert np.array_equal(first, offline(registry.checkpoint(1, "model.safetensors").parent, seed=5))
    assert len(second) == len(first) + RATE


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def server(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], list[dict[str, Any]]]:
    """What `mlflow models serve` makes of the body of a request; raises what it answers with code 400."""
    monkeypatch.setattr(sys, "path", list(sys.path))  # MLflow puts the version's own code there
    model = mlflow.pyfunc.load_model(str(registry.served(1)))
    schema = model.metadata.get_input_schema()

    def ask(body: str, kind: str) -> list[dict[str, Any]]:
        answer = cast(Any, scoring_server).invocations(body, kind, model, schema)
        assert answer.status == 200, answer.response
        found: list[dict[str, Any]] = json.loads(answer.response)["predictions"]
        return found

    return ask


GOOD = {"text": TEXT, "seed": 1}


@pytest.mark.parametrize(
    ("rows", "csv"),
    [
        ([GOOD], "text,seed\nGood morning. Please hold.,1\n"),
        ([GOOD | {"seed": 1.0}], "text,seed\nGood morning. Please hold.,1.0\n"),
        ([GOOD | {"language": None, "speaking_rate": 1}], "text,seed,speaking_rate\nGood morning. Please hold.,1,1\n"),
        ([GOOD, {"text": None}], "text,seed\nGood morning. Please hold.,1\n,\n"),
        ([GOOD, {"text": ""}, {}], "text,seed\nGood morning. Please hold.,1\n,3\n,\n"),
        ([GOOD, GOOD | {"seed": -1}], "text,seed\nGood morning. Please hold.,1\nHello.,-1\n"),
        ([GOOD, GOOD | {"language": "xx"}], "text,seed,language\nGood morning. Please hold.,1,\nHello.,1,xx\n"),
    ],
    ids=["whole", "seed 1.0", "no language", "text null", "missing columns", "bad seed", "bad language"],
)
def test_served_rows_say_the_same_as_json_or_csv_and_good_ones_are_spoken(
    server: Callable[[str, str], list[dict[str, Any]]], rows: list[dict[str, Any]], csv: str
) -> None:
    answers = server(json.dumps({"dataframe_records": rows}), "application/json")
    (alone,) = server(json.dumps({"dataframe_records": [GOOD]}), "application/json")
    assert answers[0] == alone
    assert decoded(alone["audio"]).any()
    assert all(answer["error"] for answer in answers[1:])
    assert [answer["audio"] for answer in server(csv, "text/csv")] == [answer["audio"] for answer in answers]


@pytest.mark.parametrize(
    ("row", "message"),
    [({"txt": TEXT}, r"missing inputs \['text'\]"), (OF_NO_TYPE[0][0], "'abc'"), (OF_NO_TYPE[1][0], "'fast'")],
)
def test_served_rows_of_no_type_are_refused_in_words(
    server: Callable[[str, str], list[dict[str, Any]]], row: dict[str, Any], message: str
) -> None:
    with pytest.raises(MlflowException, match=message):
        server(json.dumps({"dataframe_records": [row]}), "application/json")
