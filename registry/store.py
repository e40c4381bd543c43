"""The MLflow registry: registering what a run made, and listing what is registered."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs import ROOT
from registry.identity import LOCK_FILE, file_digest, occurrence, source_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

RUN_TAG = "myxtts.run"
"""Tag of a version: the identity of all that decided it, see `pipelines.voice.run_id`."""

CHALLENGER = "challenger"

_SERVED = "registry.served_model"


def model_name(preset: str) -> str:
    """The name under which a preset is registered."""
    return f"myxtts-{preset}"


@dataclass(frozen=True)
class Outs:
    """Where a preset's results lie for DVC."""

    preset: str

    @property
    def checkpoints(self) -> Path:
        return ROOT / "checkpoints" / self.preset

    @property
    def reports(self) -> Path:
        return ROOT / "reports" / self.preset


def find_version(preset: str, run_id: str) -> ModelVersion | None:
    """The registered version of a run, if there is one."""
    found = _client().search_model_versions(f"name = '{model_name(preset)}' and tags.`{RUN_TAG}` = '{run_id}'")
    return max(found, key=lambda version: int(version.version)) if found else None


def register(preset: str, run_id: str, lineage: Mapping[str, str]) -> ModelVersion:
    """See that what lies in a preset's outs is registered under `run_id` and is the challenger.

    A version that is already there is only made the challenger again. `lineage` is recorded with the occurrence.
    """
    version = find_version(preset, run_id) or _log(Outs(preset), run_id, lineage)
    client, name = _client(), model_name(preset)
    client.set_registered_model_alias(name, CHALLENGER, version.version)
    return client.get_model_version(name, version.version)


def list_versions(preset: str | None = None) -> list[dict[str, Any]]:
    """All versions, newest first: name, version, aliases, identity, metrics and when it was registered."""
    client = _client()
    wanted = f"name = '{model_name(preset)}'" if preset else "name LIKE 'myxtts-%'"
    rows = []
    for version in client.search_model_versions(wanted, order_by=["creation_timestamp DESC"]):
        # A search leaves the aliases out.
        whole = client.get_model_version(version.name, version.version)
        rows.append(
            {
                "name": whole.name,
                "version": int(whole.version),
                "aliases": sorted(whole.aliases),
                "identity": {
                    tag.removeprefix("myxtts."): value
                    for tag, value in sorted(whole.tags.items())
                    if tag.startswith("myxtts.")
                },
                "metrics": dict(sorted(client.get_run(str(whole.run_id)).data.metrics.items())),
                "registered": whole.creation_timestamp,
            }
        )
    return rows


def _client() -> MlflowClient:
    import mlflow

    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    return mlflow.MlflowClient()


def _log(outs: Outs, run_id: str, lineage: Mapping[str, str]) -> ModelVersion:
    import mlflow
    from mlflow.models import ModelSignature

    from evaluation.judges import asr_identity
    from model.checkpoint import read_header
    from registry.served_model import CHECKPOINTS, INPUTS, MODEL_CONFIG, OUTPUTS

    header = read_header(outs.checkpoints / "model.safetensors")
    metrics = json.loads((outs.reports / "metrics.json").read_text())
    where = occurrence() | dict(lineage)
    identity = {RUN_TAG: run_id}
    identity |= {f"myxtts.recipe.{field}": value for field, value in header["recipe"].items()}
    identity |= {f"myxtts.sha256.{path.name}": file_digest(path) for path in sorted(outs.checkpoints.iterdir())}
    identity |= {f"myxtts.{field}": value for field, value in where.items()}
    identity["myxtts.asr"] = asr_identity()

    client = _client()
    name = model_name(outs.preset)
    _ensure_experiment(client, name)
    with mlflow.start_run(tags=identity), tempfile.TemporaryDirectory() as temporary:
        mlflow.log_params(_flat(header["settings"]))
        mlflow.log_metrics({key: value for part in metrics.values() for key, value in part.items()})
        _log_curve(outs.reports / "training.csv")
        mlflow.log_artifacts(str(outs.reports / "listening"), "listening")
        mlflow.log_table(
            _columns(outs.reports / "listening" / "utterances.csv"), artifact_file="listening/utterances.json"
        )
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "registry/served_model.py"),
            artifacts={CHECKPOINTS: str(outs.checkpoints)},
            model_config=MODEL_CONFIG,
            code_paths=_copy_code(Path(temporary)),
            signature=ModelSignature(INPUTS, OUTPUTS),
            input_example=_example(),
            pip_requirements=str(ROOT / LOCK_FILE),
        )
        if client.search_registered_models(f"name = '{name}'") == []:
            client.create_registered_model(name)
        return client.create_model_version(
            name, info.model_uri, run_id=info.run_id, tags=identity, model_id=info.model_id
        )


def _ensure_experiment(client: MlflowClient, name: str) -> None:
    import mlflow

    if client.get_experiment_by_name(name) is None:
        uri = os.environ["MLFLOW_TRACKING_URI"]
        local = (ROOT / ".mlflow" / "artifacts").as_uri() if uri.startswith("sqlite:") else None
        client.create_experiment(name, artifact_location=local)
    mlflow.set_experiment(name)


def _log_curve(path: Path) -> None:
    import mlflow

    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            mlflow.log_metrics({f"training/{key}": float(value) for key, value in row.items() if value}, step=step)


def _copy_code(folder: Path) -> list[str]:
    """The source files that serving needs, under their package names; nothing else of the checkout."""
    files = [file for file in source_files(_SERVED) if file.endswith(".py")]
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, folder / file)
    return [str(folder / package) for package in sorted({file.split("/")[0] for file in files})]


def _columns(path: Path) -> Any:
    import pandas as pd

    return pd.read_csv(path)


def _example() -> Any:
    import pandas as pd

    return pd.DataFrame({"text": ["Please leave your message after the tone."]})


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
