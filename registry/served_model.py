"""The registered model as MLflow serves it: text in, WAV out. Loaded from its own files alone; holds no pickle."""

from __future__ import annotations

import base64
import io
import tempfile
import threading
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import soundfile as sf
import torch
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, DataType, Schema

from common.files import file_digest
from configs.languages import known_language
from data.audio import AudioError
from data.containers.base import WHOLE
from model.synthesis import THREADS, Voice, load_voice, read_reference, speak

CHECKPOINTS = "checkpoints"
"""Name of the artifact folder with `configs.outs.CHECKPOINT_FILES`."""

MODEL_CONFIG = {"int8": False}
"""What `mlflow.pyfunc.load_model(…, model_config=…)` may set: `int8` decodes faster on a CPU.

Registration adds `sha256`, the digests of the checkpoints; files that have others are not loaded.
"""

INPUTS = Schema(
    [
        ColSpec(DataType.string, "text"),
        ColSpec(DataType.string, "language", required=False),
        ColSpec(DataType.string, "reference", required=False),
        ColSpec(DataType.double, "speaking_rate", required=False),
        ColSpec(DataType.double, "seed", required=False),  # whole, but a column of integers could have no gaps
    ]
)
"""`reference` is a recording of the voice to speak with, base64; without one the training voice speaks."""

OUTPUTS = Schema(
    [
        ColSpec(DataType.string, "audio"),
        ColSpec(DataType.long, "sample_rate"),
        ColSpec(DataType.boolean, "ended"),
        ColSpec(DataType.string, "error"),
    ]
)
"""`audio` is a WAV, base64. A row that cannot be spoken has an `error` and no audio; it does not spoil the others."""

# espeak-ng cannot be called by two threads, and a server has many.
_ONE_AT_A_TIME = threading.Lock()


class ServedVoice(PythonModel):
    """A voice behind MLflow's pyfunc interface."""

    voice: Voice

    @classmethod
    def of(cls, folder: Path, int8: bool) -> ServedVoice:
        """The voice of a folder of checkpoints, without MLflow around it."""
        torch.set_num_threads(THREADS)
        served = cls()
        served.voice = load_voice(folder, int8)
        return served

    def load_context(self, context: Any) -> None:
        """Load the checkpoints that MLflow has fetched. Raises `ValueError` if they are not those registered."""
        folder = Path(context.artifacts[CHECKPOINTS])
        for name, expected in context.model_config["sha256"].items():
            if (found := file_digest(folder / name)) != expected:
                raise ValueError(f"{folder / name} has SHA-256 {found}, but {expected} was registered")
        self.voice = self.of(folder, context.model_config["int8"]).voice

    def predict(
        self,
        context: Any,  # noqa: ARG002  MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Speak every row; see `INPUTS` and `OUTPUTS`."""
        return pd.DataFrame([self._row(row) for row in model_input.to_dict("records")])

    def _row(self, row: Mapping[Hashable, Any]) -> dict[str, Any]:
        given = {name: value for name, value in row.items() if not (pd.api.types.is_scalar(value) and pd.isna(value))}
        answer = {"audio": "", "sample_rate": self.voice.audio.sample_rate, "ended": False, "error": ""}
        try:
            with _ONE_AT_A_TIME:
                return answer | self._speak(given)
        except ValueError as error:
            return answer | {"error": str(error)}

    def _speak(self, given: Mapping[Hashable, Any]) -> dict[str, Any]:
        rate, seed = _number(given, "speaking_rate", 1.0), _number(given, "seed", 0)
        if not 0.5 <= rate <= 2.0:
            raise ValueError(f"speaking_rate is {rate:g}, expected 0.5 to 2")
        if not (0 <= seed < 2**63 and seed == int(seed)):
            raise ValueError(f"seed is {seed}, expected a whole number, 0 or more")
        for name in ("text", "language", "reference"):
            if not isinstance(given.get(name, ""), str):
                raise ValueError(f"{name} is {given[name]!r}, expected text")
        language = known_language(given.get("language", "en"))
        reference_tm = self._reference(given["reference"]) if "reference" in given else None
        speech = speak(self.voice, given.get("text", ""), language, reference_tm, rate, int(seed))
        wav = io.BytesIO()
        sf.write(wav, speech.waveform, self.voice.audio.sample_rate, format="WAV", subtype="PCM_16")
        return {"audio": base64.b64encode(wav.getvalue()).decode(), "ended": speech.ended}

    def _reference(self, encoded: str) -> torch.Tensor:
        try:
            content = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise ValueError("reference is not base64") from None
        with tempfile.NamedTemporaryFile(suffix=".audio") as file:
            file.write(content)
            file.flush()
            try:
                return read_reference(Path(file.name), self.voice)
            except AudioError as error:
                reason = str(error).removeprefix(f"{file.name}: ")
                raise ValueError(f"reference is not audio that can be used: {reason}, expected {WHOLE}") from None
            except ValueError as error:
                raise ValueError(str(error).replace(f"{file.name}:", "reference has")) from None


def _number(given: Mapping[Hashable, Any], name: str, default: float) -> float:
    value = given.get(name, default)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    elif isinstance(value, int | float):
        return value
    raise ValueError(f"{name} is {value!r}, expected a number")


mlflow.models.set_model(ServedVoice())
