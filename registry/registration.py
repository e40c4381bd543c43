"""Registering what a run made: its files, figures, pictures and sounds, the code that serves it, and its card."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient, MlflowException
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import ModelSignature

from common import LOCK_FILE, ROOT
from common.files import file_digest, replacing
from common.packages import locked_packages
from common.relocation import ARTIFACTS, database_of
from configs.outs import MODEL_FILE, Outs
from configs.schema import flat
from evaluation.listening import read_table
from evaluation.measures import HEARD_BY, read_metrics
from model.checkpoint import read_header, read_shapes
from registry.card import render_card, shortened
from registry.code import source_files
from registry.evidence import TABLE, digests, fetch
from registry.identity import Identity, occurrence
from registry.served_model import CHECKPOINTS, INPUTS, MODEL_CONFIG, OUTPUTS
from registry.store import (
    CHALLENGER,
    StoreError,
    answering,
    find_run,
    is_there_already,
    model_name,
    store,
)

_SERVED_MODULE = "registry.served_model"

_EXAMPLE = "Please leave your message after the tone."


def register(preset: str, run_id: str, lineage: Mapping[str, Any]) -> ModelVersion:
    """See that what lies in a preset's outs is registered under `run_id` and is the challenger.

    A version that is already there is only made the challenger again. `lineage` is recorded with the occurrence. The
    identity is written beside the metrics, so that a commit of the run has it.
    """
    outs = Outs(preset)
    version = find_run(preset, run_id) or log_version(outs, run_id, lineage)
    client, name = store(), model_name(preset)
    client.set_registered_model_alias(name, CHALLENGER, version.version)
    write_identity(outs, Identity.from_tags(version.tags))
    return client.get_model_version(name, version.version)


def _pins() -> dict[str, str]:
    return locked_packages((ROOT / LOCK_FILE).read_text(encoding="utf-8"))


def write_identity(outs: Outs, identity: Identity) -> None:
    """Write the identity of a run into `identity.json` of its reports, but for what is registered of it and its commit.

    The commit will have the file, and is not known yet.
    """
    elsewhere: dict[str, Any] = {"files": {}, "commit": "", "clean": None, "uncommitted": ""}
    content = identity.model_copy(update=elsewhere).as_json()
    with replacing(outs.reports / "identity.json") as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def log_version(outs: Outs, run_id: str, lineage: Mapping[str, Any]) -> ModelVersion:
    """Register what lies in `outs`, with all that is known of it. Raises `StoreError`."""
    headers = {path.name: read_header(path) for path in sorted(outs.checkpoints.iterdir())}
    header = headers[MODEL_FILE]
    sha256 = {name: file_digest(outs.checkpoints / name) for name in headers}
    figures = read_metrics((outs.reports / "metrics.json").read_text())
    asr = (outs.reports / "listening" / HEARD_BY).read_text(encoding="utf-8").strip()
    made = {"run": run_id, "recipe": header["recipe"], "sha256": sha256, "asr": asr, **lineage}
    identity = Identity.model_validate(occurrence().model_dump() | made)

    client = store()
    name = model_name(outs.preset)
    _ensure_experiment(client, name)
    with answering(), mlflow.start_run(tags=identity.as_tags()), tempfile.TemporaryDirectory() as temporary:
        mlflow.log_params(flat(header["settings"]))
        mlflow.log_metrics(figures)
        _log_curve(outs.reports / "training.csv")
        mlflow.log_artifacts(str(outs.reports / "listening"), "listening")
        mlflow.log_table(read_table(outs.reports / "listening" / "utterances.csv"), artifact_file=TABLE)
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "registry/served_model.py"),
            # A URI, because MLflow reads a path as if it were quoted like one.
            artifacts={CHECKPOINTS: outs.checkpoints.resolve().as_uri()},
            model_config=MODEL_CONFIG | {"sha256": sha256},
            code_paths=_copy_code(Path(temporary)),
            signature=ModelSignature(INPUTS, OUTPUTS),
            input_example=pd.DataFrame({"text": [_EXAMPLE]}),
            pip_requirements=[f"{name}=={version}" for name, version in _pins().items()],
        )
        _ensure_model(client, name)
        logged = Path(temporary, "logged")
        if problems := fetch(info.model_uri, str(info.run_id), logged):
            raise StoreError("\n".join(problems.values()))
        shapes = read_shapes(outs.checkpoints / MODEL_FILE)
        parameters = sum(math.prod(shape) for shape in shapes.values())
        card = render_card(name, header["settings"], figures, identity, parameters, outs.corpus)
        mlflow.log_text(card, "model_card.md")
        return client.create_model_version(
            name,
            info.model_uri,
            run_id=info.run_id,
            tags=identity.model_copy(update={"files": digests(logged)}).as_tags(),
            description=shortened(card),
            model_id=info.model_id,
        )


def _ensure_experiment(client: MlflowClient, name: str) -> None:
    """Have an experiment with the name of the model, whose files lie beside the database if that is a file."""
    if client.get_experiment_by_name(name) is None:
        database = database_of(os.environ["MLFLOW_TRACKING_URI"])
        try:
            client.create_experiment(
                name, artifact_location=(database.parent / ARTIFACTS).as_uri() if database else None
            )
        except MlflowException as error:  # another process was faster
            if not is_there_already(error):
                raise
    with answering():
        mlflow.set_experiment(name)


def _ensure_model(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if not is_there_already(error):
            raise


def _log_curve(path: Path) -> None:
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            mlflow.log_metrics({f"training/{key}": float(value) for key, value in row.items() if value}, step=step)


def _copy_code(folder: Path) -> list[str]:
    """The source files that serving needs, under their package names; nothing else of the checkout."""
    files = [file for file in source_files(_SERVED_MODULE) if file.endswith(".py")]
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, folder / file)
    return [str(folder / package) for package in sorted({file.split("/")[0] for file in files})]
