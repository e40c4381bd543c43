"""Speaking with a registered version, in a process of its own with the version's own code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from registry.store import CHALLENGER, model_name

CHAMPION = "champion"

# Two versions in one process would share the modules of the first, so each gets a process.
_SPEAK = """
import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1], model_config={"int8": sys.argv[3] == "int8"})
answers = model.predict(pandas.DataFrame(json.load(sys.stdin)))
with open(sys.argv[2], "w") as file:
    json.dump(answers.to_dict("records"), file)
"""


class NoSuchModel(LookupError):
    """Nothing is registered under the wanted name."""


def model_uri(preset: str, wanted: str | None) -> str:
    """MLflow's URI of a version: by number, by `@alias`, or the champion, else the challenger, if none is wanted."""
    import mlflow
    from mlflow.exceptions import MlflowException

    client, name = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"]), model_name(preset)
    candidates = [wanted] if wanted else [f"@{CHAMPION}", f"@{CHALLENGER}"]
    for candidate in candidates:
        try:
            if candidate.startswith("@"):
                version = client.get_model_version_by_alias(name, candidate[1:])
            else:
                version = client.get_model_version(name, candidate)
        except MlflowException:
            continue
        return f"models:/{name}/{version.version}"
    raise NoSuchModel(f"{name} has no version {' or '.join(candidates)}; `myxtts models {preset}` lists what there is")


def speak_with(uri: str, rows: Sequence[dict[str, Any]], int8: bool) -> list[dict[str, Any]]:
    """The answers of a registered version to rows of `registry.served_model.INPUTS`.

    Raises `RuntimeError` with the version's own error if it cannot be loaded.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    inherited["PYTHONDONTWRITEBYTECODE"] = "1"  # nothing is added to the registered files
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder, "answers.json")
        done = subprocess.run(
            [sys.executable, "-c", _SPEAK, uri, str(answers), "int8" if int8 else "float32"],
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
