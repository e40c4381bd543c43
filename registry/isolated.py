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

from mlflow.entities.model_registry import ModelVersion

from common.errors import Refused
from registry import ledger
from registry.evidence import SERVED, fetched
from registry.store import CHALLENGER, CHAMPION, NoSuchModel, default_preset, find, model_name, store

# Two versions in one process would share the modules of the first, so each gets a process. The model itself is asked,
# and not MLflow's schema, which is another for versions of another time.
_SPEAK = """
import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1], model_config={"int8": sys.argv[3] == "int8"})
answers = model.unwrap_python_model().predict(None, pandas.DataFrame(json.load(sys.stdin)))
with open(sys.argv[2], "w") as file:
    json.dump(answers.to_dict("records"), file)
"""


class CannotSpeak(Refused):
    """A version that does not speak; the message says why."""


def speak_with(
    preset: str | None, wanted: str | None, rows: Sequence[dict[str, Any]], int8: bool
) -> list[dict[str, Any]]:
    """The answers of a registered version to rows of `registry.served_model.INPUTS`.

    The version is given by number or `@alias`, else it is the champion, or the challenger where none ever was; its
    preset is that of the newest version if none is given. Raises `NoSuchModel` if there is none, and `CannotSpeak` if
    its files are not those that were registered, or with its own error if it cannot be loaded.
    """
    version = _speaker(preset or default_preset(), wanted)
    name = f"{version.name} version {version.version}"
    with fetched(version) as evidence:
        if evidence.wrong:
            head = f"{name} does not speak; its files are not those that were registered:"
            raise CannotSpeak("\n".join([head, *evidence.wrong.values()]))
        return _speak(name, evidence.folder / SERVED, rows, int8)


def _speaker(preset: str, wanted: str | None) -> ModelVersion:
    if wanted:
        return find(preset, wanted)
    version = find(preset, f"@{CHAMPION}", f"@{CHALLENGER}")
    if CHAMPION in version.aliases:
        return version
    if champions := ledger.champions(ledger.read(store(), model_name(preset))):
        raise NoSuchModel(
            f"{model_name(preset)} has no champion: the alias of version {champions[-1]} is gone, perhaps with the "
            "version; `myxtts rollback` and `myxtts promote` name another, and --model speaks with any"
        )
    return version


def _speak(name: str, served: Path, rows: Sequence[dict[str, Any]], int8: bool) -> list[dict[str, Any]]:
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
            lines = done.stderr.strip().splitlines() or [f"it was ended by signal {-done.returncode}"]
            raise CannotSpeak(f"{name} cannot speak: {lines[-1]}")
        spoken: list[dict[str, Any]] = json.loads(answers.read_text())
    return spoken
