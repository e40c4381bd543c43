"""Speaking with a registered version, in a process of its own with the version's own code.

A version whose files are not those that were registered does not speak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from registry.store import CHALLENGER, CHAMPION, SERVED, fetched, find, store, wrong_files

# Two versions in one process would share the modules of the first, so each gets a process.
_SPEAK = """
import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1], model_config={"int8": sys.argv[3] == "int8"})
answers = model.predict(pandas.DataFrame(json.load(sys.stdin)))
with open(sys.argv[2], "w") as file:
    json.dump(answers.to_dict("records"), file)
"""


def model_uri(preset: str, wanted: str | None) -> str:
    """MLflow's URI of a version: by number, by `@alias`, or the champion, else the challenger, if none is wanted."""
    version = find(preset, *([wanted] if wanted else [f"@{CHAMPION}", f"@{CHALLENGER}"]))
    return f"models:/{version.name}/{version.version}"


def speak_with(uri: str, rows: Sequence[dict[str, Any]], int8: bool) -> list[dict[str, Any]]:
    """The answers of a registered version to rows of `registry.served_model.INPUTS`.

    Raises `RuntimeError` if its files are not those that were registered, or with its own error if it cannot be loaded.
    """
    with fetched(store().get_model_version(*uri.removeprefix("models:/").rsplit("/", 1))) as evidence:
        if wrong := wrong_files(evidence):
            head = f"{uri} does not speak; its files are not those that were registered:"
            raise RuntimeError("\n".join([head, *wrong.values()]))
        return _speak(uri, evidence.folder / SERVED, rows, int8)


def _speak(uri: str, served: Path, rows: Sequence[dict[str, Any]], int8: bool) -> list[dict[str, Any]]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder, "answers.json")
        done = subprocess.run(
            [sys.executable, "-c", _SPEAK, str(served), str(answers), "int8" if int8 else "float32"],
            cwd=folder,
            env=inherited,
            input=json.dumps(list(rows)),
            text=True,
            stderr=subprocess.PIPE,
        )
        if done.returncode:
            raise RuntimeError(f"{uri} cannot speak: {done.stderr.strip().splitlines()[-1]}")
        spoken: list[dict[str, Any]] = json.loads(answers.read_text())
    return spoken
