"""The served model: rows that cannot be spoken say why and spoil no other, and each version speaks by its own code."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from model.synthesis import PAUSE, load_voice, speak
from registry import store
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
    return sf.read(io.BytesIO(base64.b64decode(audio)), dtype="int16")[0]


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
    ({"text": TEXT, "language": "xx"}, "language is 'xx', expected one of en, es, fa, fr, it, ru"),
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
]


def test_rows_that_cannot_be_spoken_say_why_and_spoil_no_other(served: ServedVoice) -> None:
    good: dict[str, Any] = {"text": TEXT, "reference": encoded(SECOND), "speaking_rate": 1.5, "seed": 3}
    rows = [good, *(row for row, _ in MALFORMED), good]
    answers = served.predict(None, pd.DataFrame(rows)).to_dict("records")
    for (row, message), answer in zip(MALFORMED, answers[1:-1], strict=True):
        assert message in answer["error"], row
        assert answer["audio"] == "" and not answer["ended"]
    for answer in (answers[0], answers[-1]):
        assert answer["error"] == ""
        assert answer["sample_rate"] == RATE
        assert decoded(answer["audio"]).any()
    assert answers[0] == answers[-1]


def offline(folder: Path, seed: int) -> np.ndarray:
    """What the checkpoint says without any server, in 16 bits."""
    speech = speak(load_voice(folder), TEXT, "en", seed=seed)
    return decoded(encoded(speech.waveform))


def test_each_version_speaks_by_its_own_code(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_code = store._copy_code

    def copy_with_longer_pause(folder: Path) -> list[str]:
        packages = copy_code(folder)
        source = folder / "model/synthesis.py"
        source.write_text(source.read_text().replace(f"PAUSE = {PAUSE}", f"PAUSE = {PAUSE + 1}"))
        return packages

    monkeypatch.setattr(store, "_copy_code", copy_with_longer_pause)
    other = registry.register(1.0)  # the same weights
    rows = [{"text": TEXT, "seed": 5}]
    first, second = (
        decoded(speak_with(f"models:/{store.model_name(PRESET)}/{version}", rows, int8=False)[0]["audio"])
        for version in (1, other)
    )
    assert np.array_equal(first, offline(registry.checkpoint(1, "model.safetensors").parent, seed=5))
    assert len(second) == len(first) + RATE


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
