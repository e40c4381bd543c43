"""What is known of the run of a commit: by its `dvc.lock`, and by the small files that were committed with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from common import LOCK_FILE
from common.errors import Refused
from common.git import file_at, find_commit, git
from common.packages import locked_packages
from evaluation.measures import read_metrics
from registry.identity import Identity
from reproduction.comparison import Provenance
from reproduction.lock import CURVE, IDENTITY, METRICS, LockedRun, NoRun, Places, locked_runs, places_of
from reproduction.md5 import content_md5
from reproduction.results import Results

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

_NOT_RUN = ("tests", "benchmarks")


class NotReproducible(Refused):
    """A past run of which nobody can say what made it; the message says why."""


@dataclass(frozen=True)
class PastRun:
    """A run that was recorded, and how it is known."""

    name: str
    preset: str
    commit: str
    provenance: Provenance
    results: Results
    lock: str = field(default="", repr=False)
    """The content of a `dvc.lock` that has the run's corpus, if there is one."""
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each checkpoint, as far as the run's identity has them."""
    uncommitted: str = ""
    recipe: str = ""
    version: ModelVersion | None = None


def runs_at(commit: str) -> dict[str, LockedRun]:
    """The runs that a commit's `dvc.lock` records, by preset. Raises `NotReproducible` if it has none."""
    lock = file_at(commit, "dvc.lock")
    if not lock:
        raise NotReproducible(f"commit {commit[:12]} has no dvc.lock: it records no run")
    try:
        return locked_runs(lock)
    except NoRun as error:
        raise NotReproducible(f"commit {commit[:12]}: {error}") from None


def run_of_commit(commit: str, preset: str) -> PastRun:
    """The run of a preset that a commit records. Raises `NotReproducible`, naming the presets that it does record."""
    runs = runs_at(commit)
    if preset not in runs:
        known = ", ".join(runs) or "none"
        raise NotReproducible(
            f"the dvc.lock of commit {commit[:12]} records no run of preset {preset!r}; it records {known}"
        )
    run = runs[preset]
    metrics = file_at(commit, f"{run.places.reports}/{METRICS}")
    if content_md5(metrics) != run.metrics:
        metrics = "{}"  # of another run, or never committed
    digests = {"checkpoints": run.checkpoints, **({CURVE: run.curve} if run.curve else {})}
    identity = identity_at(commit, preset, run)
    return PastRun(
        f"commit {commit[:12]}",
        preset,
        commit,
        {
            **provenance_of_lock(run),
            **provenance_of_identity(identity),
            "packages": locked_packages(file_at(commit, LOCK_FILE)),
        },
        Results(digests, read_metrics(metrics)),
        lock=file_at(commit, "dvc.lock"),
        checkpoints=identity.sha256,
    )


def places_at(commit: str, preset: str) -> Places:
    """Where a commit's checkout keeps what belongs to a preset. Raises `NotReproducible` if it does not say."""
    try:
        return places_of(file_at(commit, "dvc.yaml"), preset)
    except NoRun as error:
        raise NotReproducible(f"commit {commit[:12]}: {error}") from None


def identity_at(commit: str, preset: str, run: LockedRun) -> Identity:
    """The identity of a commit's run, if it was committed and is this run's; else one that knows nothing.

    It is this run's if it names the run's corpus and the commit that wrote it recorded a run with the same outs.
    """
    path = f"{run.places.reports}/{IDENTITY}"
    content = file_at(commit, path)
    if not content:
        return Identity()
    written = git("log", "-1", "--format=%H", commit, "--", path).strip()
    try:
        then = locked_runs(file_at(written, "dvc.lock")).get(preset)
        identity = Identity.from_json(json.loads(content))
    except (NoRun, ValueError, AttributeError):
        return Identity()
    same = then is not None and (then.checkpoints, then.metrics) == (run.checkpoints, run.metrics)
    return identity if same and identity.recipe.get("corpus") == run.corpus else Identity()


def provenance_of_lock(run: LockedRun) -> dict[str, Mapping[str, Any]]:
    """What a `dvc.lock` says of what made a run."""
    settings = dict(run.settings)
    return {
        "corpus": {"corpus": run.corpus},
        "seed": {"seed": settings.pop("seed", None)},
        "threads": {"threads": settings.pop("threads", None)},
        "config": settings,
        "lock_file": {LOCK_FILE: run.lock_file},
        "sources": run.sources,
    }


def provenance_of_identity(identity: Identity) -> dict[str, Mapping[str, Any]]:
    """What an identity says of where a run was made."""
    return {str(cause): values for cause, values in identity.environment().items()}


def provenance_of_tree(commit: str) -> dict[str, Mapping[str, Any]]:
    """The code, the lock file and the packages of a commit, file by file; nothing if this clone does not have it."""
    if not find_commit(commit):
        return {}
    rows = git("ls-tree", "-r", "-z", "--format=%(objectname)%x09%(path)", commit).split("\0")
    blobs = {PurePosixPath(path): blob for blob, _, path in (row.partition("\t") for row in rows if row)}
    inits = (path for path in blobs if path.name == "__init__.py" and len(path.parts) == 2)
    packages = {path.parts[0] for path in inits} - set(_NOT_RUN)
    return {
        "lock_file": {LOCK_FILE: blobs.get(PurePosixPath(LOCK_FILE))},
        "packages": locked_packages(file_at(commit, LOCK_FILE)),
        "sources": {
            str(path): blob for path, blob in blobs.items() if path.parts[0] in packages and path.suffix != ".yaml"
        },
    }
