"""MLflow's registry: where it is, what is registered under which name and alias, and what it says if it cannot say.

Only "it isn't there" reads so. Every other error of the store is a `StoreError`.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import sqlalchemy.exc
from mlflow import MlflowClient, MlflowException
from mlflow.entities.model_registry import ModelVersion

from common.errors import Unanswerable
from common.relocation import database_of, follow_mlflow
from registry.identity import own_tags, tag

CHAMPION, CHALLENGER = "champion", "challenger"

_PREFIX = "myxtts-"
_LONGEST = 400  # of what MLflow says, characters
_MISSING, _THERE_ALREADY = "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"


class NoSuchModel(Unanswerable, LookupError):
    """Nothing is registered under the wanted name."""


class StoreError(Unanswerable):
    """The registry could not be asked, or could not answer."""


class _Client(MlflowClient):
    """MLflow's client, whose methods raise `StoreError` unless they have an answer."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return answering()(found) if inspect.ismethod(found) and not name.startswith("_") else found


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Raise as `StoreError` whatever MLflow raises, but that something is not there, or is there already."""
    try:
        yield
    except MlflowException as error:
        if error.error_code in (_MISSING, _THERE_ALREADY):
            raise
        raise _store_error(str(error)) from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise _store_error(str(error)) from error


def is_missing(error: MlflowException) -> bool:
    """Whether an error of the store says that what was asked for is not there."""
    return bool(error.error_code == _MISSING)


def is_there_already(error: MlflowException) -> bool:
    """Whether an error of the store says that what was to be made is there already."""
    return bool(error.error_code == _THERE_ALREADY)


def store() -> MlflowClient:
    """The tracking store and registry that the environment names. Raises `StoreError` if it cannot be used."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    follow_mlflow(uri)
    mlflow.set_tracking_uri(uri)
    with answering():
        return _Client()


def store_exists() -> bool:
    """Whether there is a registry; asking for one that is not would make it, which takes seconds."""
    database = database_of(os.environ["MLFLOW_TRACKING_URI"])
    return database is None or database.is_file()


def model_name(preset: str) -> str:
    """The name under which a preset is registered."""
    return f"{_PREFIX}{preset}"


def default_preset() -> str:
    """The preset of the newest registered version. Raises `NoSuchModel` if there is none."""
    if store_exists():
        newest = store().search_model_versions(
            f"name LIKE '{_PREFIX}%'", max_results=1, order_by=["creation_timestamp DESC"]
        )
        for version in newest:
            return str(version.name).removeprefix(_PREFIX)
    raise NoSuchModel("No model is registered yet; `myxtts run` makes one.")


def find(preset: str, *candidates: str) -> ModelVersion:
    """The first of the candidates, version numbers or `@alias`es, that a preset has. Raises `NoSuchModel`."""
    client, name = store(), model_name(preset)
    try:
        aliases = client.get_registered_model(_asked(name)).aliases
    except MlflowException:  # it is missing
        raise NoSuchModel(f"there is no model {name}; `myxtts models` lists what there is") from None
    for candidate in candidates:
        number = str(aliases.get(candidate[1:], "")) if candidate.startswith("@") else candidate
        if re.fullmatch(r"\d{1,9}", number) and (version := find_number(client, name, int(number))):
            return version
    wanted = " or ".join(candidates)
    raise NoSuchModel(f"{name} has no version {wanted}; `myxtts models --preset {preset}` lists what there is")


def find_number(client: MlflowClient, name: str, number: int) -> ModelVersion | None:
    """A version of a registered model, if it is there."""
    try:
        return client.get_model_version(name, str(number))
    except MlflowException:  # it is missing
        return None


def find_run(preset: str, run: str) -> ModelVersion | None:
    """The registered version of a run, if there is one; `run` is the field of its identity."""
    found = search(store(), f"{named(model_name(preset))} and tags.`{tag('run')}` = '{run}'")
    return max(found, key=lambda version: int(version.version), default=None)


def list_versions(preset: str | None = None) -> list[dict[str, Any]]:
    """All versions, newest first: name, version, aliases, identity, metrics, when it was registered, and its fault.

    The identity is all that the version is tagged with, see `registry.identity`; the fault is "" or what is gone of it.
    """
    client = store()
    wanted = named(model_name(preset)) if preset is not None else f"name LIKE '{_PREFIX}%'"
    rows = []
    for found in search(client, wanted, order_by=["creation_timestamp DESC"]):
        version = find_number(client, found.name, int(found.version))  # a search leaves the aliases out
        if version is None:
            continue  # it was deleted just now
        metrics = metrics_of(client, version)
        rows.append(
            {
                "name": version.name,
                "version": int(version.version),
                "aliases": sorted(version.aliases),
                "identity": own_tags(version.tags),
                "metrics": dict(sorted((metrics or {}).items())),
                "registered": version.creation_timestamp,
                "fault": "its run is gone" if metrics is None else "",
            }
        )
    return rows


def metrics_of(client: MlflowClient, version: ModelVersion) -> dict[str, float] | None:
    """The metrics of the run that made a version; None if the run is gone."""
    try:
        return dict(client.get_run(str(version.run_id)).data.metrics)
    except MlflowException:  # it is missing
        return None


def search(client: MlflowClient, wanted: str, order_by: list[str] | None = None) -> Iterator[ModelVersion]:
    """All versions that a filter of MLflow's finds, page after page."""
    token: str | None = ""
    while token is not None:
        page = client.search_model_versions(wanted, order_by=order_by, page_token=token or None)
        yield from page
        token = page.token or None


def named(name: str) -> str:
    """The filter of MLflow's for the versions of one registered model. Raises `NoSuchModel` for what is no name."""
    return f"name = '{_asked(name)}'"


def _asked(name: str) -> str:
    """A name that may be asked for: what MLflow takes for one, and its filters can quote."""
    if re.search(r"""['"/:\\]""", name):
        raise NoSuchModel(f"there is no model {name}; `myxtts models` lists what there is")
    return name


def _store_error(message: str) -> StoreError:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    if found := re.search(r"database schema \(found version (\w+), but expected (\w+)\)", message):
        return StoreError(_without_credentials(f"{uri}: {_schema_fault(uri, *found.groups())}"))
    line = " ".join(message.split())
    if len(line) > _LONGEST:  # the cause comes last
        line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
    return StoreError(_without_credentials(f"the registry at {uri} cannot answer: {line}"))


def _schema_fault(uri: str, found: str, expected: str) -> str:
    """What is wrong with a database whose schema is not that of the MLflow that is installed."""
    known = any(Path(mlflow.__file__).parent.glob(f"store/db_migrations/versions/{found}_*.py"))
    fault = f"its schema is {found}, and MLflow {mlflow.__version__} expects {expected}"
    return f"{fault}: " + (f"`mlflow db upgrade '{uri}'` mends it" if known else "a newer MLflow made it; install that")


def _without_credentials(message: str) -> str:
    return re.sub(r"://[^/@\s]*@", "://", message)
