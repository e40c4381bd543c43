"""The MLflow registry: registering what a run made, listing what is registered, and fetching its files to check."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import LOCK_FILE, ROOT
from common.files import file_digest, folder_digests
from configs.outs import Outs
from configs.schema import flat
from evaluation.measures import read_metrics
from registry.card import render_card, shortened
from registry.code import source_files
from registry.identity import occurrence

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

RUN_TAG = "myxtts.run"
"""Tag of a version: the identity of all that decided it, see `pipelines.voice.run_id`."""

FILES_TAG = "myxtts.files"
"""Tag of a version: JSON with the SHA-256 of every file of `Evidence`, by path."""

PROTECTED_TAG = "myxtts.protected"
"""Tag of a version that is never pruned."""

CHAMPION, CHALLENGER = "champion", "challenger"

SERVED = "served"
"""Folder of `Evidence` with the files that MLflow serves."""

TABLE = "listening/utterances.json"
"""What `evaluation.listening.listen` found, for each utterance."""

_SERVED_MODULE = "registry.served_model"


def model_name(preset: str) -> str:
    """The name under which a preset is registered."""
    return f"myxtts-{preset}"


@dataclass(frozen=True)
class Evidence:
    """A registered version as the stores have it now: what its tags say, and a copy of its files.

    `folder` holds `SERVED` and `TABLE`, as far as they could be fetched; `unreadable` says what could not.
    """

    version: int
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    folder: Path
    unreadable: Mapping[str, str]

    def checkpoint(self, name: str) -> Path:
        """Where the checkpoint called `name` lies; it may be missing."""
        return next((self.folder / SERVED / "artifacts").glob(f"*/{name}"), self.folder / SERVED / "artifacts" / name)


@contextlib.contextmanager
def fetched(version: ModelVersion) -> Iterator[Evidence]:
    """A copy of all that is registered of a version, for the length of the block."""
    import mlflow

    try:
        metrics: Mapping[str, float] = store().get_run(str(version.run_id)).data.metrics
    except mlflow.MlflowException:
        metrics = {}  # and the table of the run will be missing
    with tempfile.TemporaryDirectory() as folder:
        unreadable = _fetch(f"models:/{version.name}/{version.version}", str(version.run_id), Path(folder))
        yield Evidence(int(version.version), version.tags, metrics, Path(folder), unreadable)


def wrong_files(evidence: Evidence) -> dict[str, str]:
    """Files that are not what the version's tags say, by path, with what is wrong."""
    try:
        listed: dict[str, str] = json.loads(evidence.tags[FILES_TAG])
    except (KeyError, ValueError):
        return {FILES_TAG: f"{FILES_TAG}, the tag that lists the files, is missing or unreadable"}
    # The checkpoints have tags of their own, for people to read; they must not say anything else.
    expected = {path: evidence.tags.get(f"myxtts.sha256.{Path(path).name}", listed[path]) for path in listed}
    found = _digests(evidence.folder)
    wrong = {path: f"{path} is missing" for path in expected.keys() - found.keys()}
    wrong |= {path: f"{path} was not registered" for path in found.keys() - expected.keys()}
    wrong |= {
        path: f"{path} has SHA-256 {found[path][:12]}…, expected {expected[path][:12]}…"
        for path in found.keys() & expected.keys()
        if found[path] != expected[path]
    }
    return {**evidence.unreadable, **dict(sorted(wrong.items()))}


def _fetch(model_uri: str, run_id: str, folder: Path) -> dict[str, str]:
    """Fill a folder with `SERVED` and `TABLE`; returns what could not be fetched, with the reason."""
    import mlflow

    problems = {}
    for uri, target in ((model_uri, folder / SERVED), (f"runs:/{run_id}/{TABLE}", (folder / TABLE).parent)):
        target.mkdir(parents=True)
        try:
            mlflow.artifacts.download_artifacts(uri, dst_path=str(target))
        except (mlflow.MlflowException, OSError) as error:
            problems[uri] = f"{uri} cannot be fetched: {error}"
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    return problems


def _digests(folder: Path) -> dict[str, str]:
    digests = folder_digests(folder)
    digests.pop(f"{SERVED}/registered_model_meta", None)  # which MLflow adds when it fetches a version
    return digests


class NoSuchModel(LookupError):
    """Nothing is registered under the wanted name."""


def find(preset: str, *candidates: str) -> ModelVersion:
    """The first of the candidates, version numbers or `@alias`es, that a preset has. Raises `NoSuchModel`."""
    from mlflow.exceptions import MlflowException

    client, name = store(), model_name(preset)
    for candidate in candidates:
        try:
            if candidate.startswith("@"):
                return client.get_model_version_by_alias(name, candidate[1:])
            return client.get_model_version(name, candidate)
        except MlflowException:
            continue
    wanted = " or ".join(candidates)
    raise NoSuchModel(f"{name} has no version {wanted}; `myxtts models --preset {preset}` lists what there is")


def find_version(preset: str, run_id: str) -> ModelVersion | None:
    """The registered version of a run, if there is one."""
    found = store().search_model_versions(f"name = '{model_name(preset)}' and tags.`{RUN_TAG}` = '{run_id}'")
    return max(found, key=lambda version: int(version.version)) if found else None


def register(preset: str, run_id: str, lineage: Mapping[str, str]) -> ModelVersion:
    """See that what lies in a preset's outs is registered under `run_id` and is the challenger.

    A version that is already there is only made the challenger again. `lineage` is recorded with the occurrence.
    """
    version = find_version(preset, run_id) or log_version(Outs(preset), run_id, lineage)
    client, name = store(), model_name(preset)
    client.set_registered_model_alias(name, CHALLENGER, version.version)
    return client.get_model_version(name, version.version)


def list_versions(preset: str | None = None) -> list[dict[str, Any]]:
    """All versions, newest first: name, version, aliases, identity, metrics and when it was registered."""
    client = store()
    wanted = f"name = '{model_name(preset)}'" if preset else "name LIKE 'myxtts-%'"
    rows = []
    for version in search(client, wanted, order_by=["creation_timestamp DESC"]):
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


def search(client: MlflowClient, wanted: str, order_by: list[str] | None = None) -> Iterator[ModelVersion]:
    """All versions that a filter of MLflow's finds, page after page."""
    token: str | None = ""
    while token is not None:
        page = client.search_model_versions(wanted, order_by=order_by, page_token=token or None)
        yield from page
        token = page.token or None


def store_exists() -> bool:
    """Whether there is a registry; asking for one that is not would make it, which takes seconds."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    return not uri.startswith("sqlite:///") or Path(uri.removeprefix("sqlite:///")).is_file()


def store() -> MlflowClient:
    """The tracking store and registry that the environment names."""
    import mlflow

    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    return mlflow.MlflowClient()


def log_version(outs: Outs, run_id: str, lineage: Mapping[str, str]) -> ModelVersion:
    """Register what lies in `outs`, with all that is known of it."""
    import mlflow
    from mlflow.models import ModelSignature

    from evaluation.judges import asr_identity
    from model.checkpoint import read_header, read_shapes
    from registry.served_model import CHECKPOINTS, INPUTS, MODEL_CONFIG, OUTPUTS

    headers = {path.name: read_header(path) for path in sorted(outs.checkpoints.iterdir())}
    header = headers["model.safetensors"]
    digests = {name: file_digest(outs.checkpoints / name) for name in headers}
    figures = read_metrics((outs.reports / "metrics.json").read_text())
    where = occurrence() | dict(lineage)
    identity = {RUN_TAG: run_id}
    identity |= {f"myxtts.recipe.{field}": value for field, value in header["recipe"].items()}
    identity |= {f"myxtts.sha256.{name}": sha256 for name, sha256 in digests.items()}
    identity |= {f"myxtts.{field}": value for field, value in where.items()}
    identity["myxtts.asr"] = asr_identity()

    client = store()
    name = model_name(outs.preset)
    _ensure_experiment(client, name)
    with mlflow.start_run(tags=identity), tempfile.TemporaryDirectory() as temporary:
        mlflow.log_params(flat(header["settings"]))
        mlflow.log_metrics(figures)
        _log_curve(outs.reports / "training.csv")
        mlflow.log_artifacts(str(outs.reports / "listening"), "listening")
        mlflow.log_table(_columns(outs.reports / "listening" / "utterances.csv"), artifact_file=TABLE)
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "registry/served_model.py"),
            artifacts={CHECKPOINTS: str(outs.checkpoints)},
            model_config=MODEL_CONFIG | {"sha256": digests},
            code_paths=_copy_code(Path(temporary)),
            signature=ModelSignature(INPUTS, OUTPUTS),
            input_example=_example(),
            pip_requirements=str(ROOT / LOCK_FILE),
        )
        if client.search_registered_models(f"name = '{name}'") == []:
            client.create_registered_model(name)
        logged = Path(temporary, "logged")
        if problems := _fetch(info.model_uri, str(info.run_id), logged):
            raise OSError("\n".join(problems.values()))
        shapes = read_shapes(outs.checkpoints / "model.safetensors")
        parameters = sum(math.prod(shape) for shape in shapes.values())
        card = render_card(name, header["settings"], figures, identity, parameters, outs.corpus)
        mlflow.log_text(card, "model_card.md")
        return client.create_model_version(
            name,
            info.model_uri,
            run_id=info.run_id,
            tags=identity | {FILES_TAG: json.dumps(_digests(logged))},
            description=shortened(card),
            model_id=info.model_id,
        )


def _ensure_experiment(client: MlflowClient, name: str) -> None:
    import mlflow

    if client.get_experiment_by_name(name) is None:
        uri = os.environ["MLFLOW_TRACKING_URI"]
        database = Path(uri.removeprefix("sqlite:///"))
        local = (database.parent / "artifacts").as_uri() if uri.startswith("sqlite:") else None
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
    files = [file for file in source_files(_SERVED_MODULE) if file.endswith(".py")]
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
