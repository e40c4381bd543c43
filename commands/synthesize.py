"""`myxtts synthesize`: text to sound files, with a registered model or a checkpoint."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common.environment import isolate
from common.files import replacing


def synthesize(
    texts: Sequence[str],
    out: Path,
    preset: str,
    model: str | None,
    language: str,
    reference: Path | None,
    speaking_rate: float,
    seed: int,
    int8: bool,
) -> list[dict[str, Any]]:
    """Speak each text into a WAV file: `out` itself for one text, `<out>-001.wav` and so on for several.

    `model` is a version, an `@alias` or a folder with checkpoints. Returns for each text its file, the sample rate,
    whether all of it ended by itself, and the error if it could not be spoken.
    """
    isolate()
    row: dict[str, Any] = {"language": language, "speaking_rate": speaking_rate, "seed": seed}
    if reference is not None:
        row["reference"] = base64.b64encode(reference.read_bytes()).decode()
    rows = [row | {"text": text} for text in texts]
    if model is not None and os.sep in model:
        answers = _speak_from(Path(model), rows, int8)
    else:
        from registry.isolated import model_uri, speak_with

        answers = speak_with(model_uri(preset, model), rows, int8)
    spoken = []
    for text, answer, path in zip(texts, answers, _paths(out, len(texts)), strict=True):
        made = None if answer["error"] else str(path)
        if made:
            with replacing(path) as temporary:
                temporary.write_bytes(base64.b64decode(answer["audio"]))
        kept = {key: answer[key] for key in ("sample_rate", "ended", "error")}
        spoken.append({"text": text, "file": made, **kept})
    return spoken


def _speak_from(folder: Path, rows: Sequence[dict[str, Any]], int8: bool) -> list[dict[str, Any]]:
    import pandas as pd

    from registry.served_model import ServedVoice

    served = ServedVoice.of(folder, int8)
    answers = served.predict(None, pd.DataFrame(rows))
    return [{str(key): value for key, value in answer.items()} for answer in answers.to_dict("records")]


def _paths(out: Path, count: int) -> Iterator[Path]:
    if count == 1:
        yield out
        return
    for k in range(count):
        yield out.with_name(f"{out.stem}-{k + 1:03}{out.suffix}")
