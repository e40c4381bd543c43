"""A registered version as the stores have it now: a copy of its files, held to what its tags say of them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowException
from mlflow.entities.model_registry import ModelVersion

from common.files import folder_digests
from registry.identity import Identity, tag
from registry.store import metrics_of, store

SERVED = "served"
"""Folder of `Evidence` with the files that MLflow serves."""

TABLE = "listening/utterances.json"
"""What `evaluation.listening.listen` found, for each utterance."""

FILES_TAG = tag("files")


@dataclass(frozen=True)
class Evidence:
    """What is registered of a version. `folder` holds `SERVED` and `TABLE`, as far as they could be fetched.

    `wrong` has the files that are not what the identity says, by path, each with what is wrong.
    """

    version: int
    identity: Identity
    metrics: Mapping[str, float]
    folder: Path
    wrong: Mapping[str, str]

    def checkpoint(self, name: str) -> Path:
        """Where the checkpoint called `name` lies; it may be missing."""
        return next((self.folder / SERVED / "artifacts").glob(f"*/{name}"), self.folder / SERVED / "artifacts" / name)


@contextlib.contextmanager
def fetched(version: ModelVersion) -> Iterator[Evidence]:
    """A copy of all that is registered of a version, for the length of the block; its files are hashed once."""
    identity = Identity.from_tags(version.tags)
    metrics = metrics_of(store(), version) or {}  # of a run that is gone, the table is missing as well
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problems = fetch(f"models:/{version.name}/{version.version}", str(version.run_id), folder)
        wrong = {**problems, **_wrong_files(identity, digests(folder))}
        yield Evidence(int(version.version), identity, metrics, folder, wrong)


def fetch(model_uri: str, run_id: str, folder: Path) -> dict[str, str]:
    """Fill a folder with `SERVED` and `TABLE`; returns what could not be fetched, with the reason."""
    problems = {}
    for uri, target in ((model_uri, folder / SERVED), (f"runs:/{run_id}/{TABLE}", (folder / TABLE).parent)):
        target.mkdir(parents=True)
        try:
            mlflow.artifacts.download_artifacts(uri, dst_path=str(target))
        except (MlflowException, OSError) as error:
            problems[uri] = f"{uri} cannot be fetched: {error}"
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    return problems


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that `fetch` has put into a folder, by path."""
    found = folder_digests(folder)
    found.pop(f"{SERVED}/registered_model_meta", None)  # which MLflow adds when it fetches a version
    return found


def _wrong_files(identity: Identity, found: Mapping[str, str]) -> dict[str, str]:
    if not identity.files:
        return {FILES_TAG: f"{FILES_TAG}, the tag that lists the files, is missing or unreadable"}
    # The checkpoints have tags of their own, for people to read; they must not say anything else.
    expected = {path: identity.sha256.get(Path(path).name, sha256) for path, sha256 in identity.files.items()}
    wrong = {path: f"{path} is missing" for path in expected.keys() - found.keys()}
    wrong |= {path: f"{path} was not registered" for path in found.keys() - expected.keys()}
    wrong |= {
        path: f"{path} has SHA-256 {found[path][:12]}…, expected {expected[path][:12]}…"
        for path in found.keys() & expected.keys()
        if found[path] != expected[path]
    }
    return dict(sorted(wrong.items()))
