"""Past runs that are registered: what their versions say of them, and what is written into these."""

from __future__ import annotations

import ast
import contextlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowException
from mlflow.entities.model_registry import ModelVersion

from common import LOCK_FILE
from common.files import file_digest
from common.git import file_at, find_commit
from common.packages import locked_packages
from configs.schema import flat
from registry.evidence import fetched
from registry.identity import VERDICT_TAG, Identity, tag
from registry.store import find, metrics_of, model_name, named, search, store, store_exists
from reproduction.comparison import ENVIRONMENT, metrics_agree
from reproduction.lock import NoRun, locked_runs
from reproduction.past import NotReproducible, PastRun, places_at, provenance_of_identity
from reproduction.results import UTTERANCES, Results

_NEEDED = (tag("commit"), tag("recipe."))


def run_of_version(wanted: str, preset: str) -> PastRun:
    """The run of a registered version, by number or `@alias`.

    Raises `NoSuchModel`, and `NotReproducible` if its identity does not say what made it.
    """
    version = find(preset, wanted)
    name, identity = f"{version.name} {version.version}", Identity.from_tags(version.tags)
    if missing := [lacking for lacking in identity.missing() if lacking.startswith(_NEEDED)]:
        raise NotReproducible(f"nobody can say what made {name}; it lacks {', '.join(missing)}")
    commit = identity.commit if find_commit(identity.commit) else ""
    settings, corpus = _settings_of(version, commit, preset), identity.recipe["corpus"]
    return PastRun(
        name,
        preset,
        identity.commit,
        {
            "corpus": {"corpus": corpus},
            "seed": {"seed": settings.pop("seed", None)},
            "threads": {"threads": settings.pop("threads", None)},
            "config": settings,
            "code": {"recipe": identity.recipe["code"]},
            "locked": {LOCK_FILE: identity.recipe["lock_file"]},
            "packages": locked_packages(file_at(commit, LOCK_FILE) if commit else ""),
            **provenance_of_identity(identity),
        },
        Results(identity.sha256, _metrics_of(version)),
        lock=_lock_with(corpus, commit, preset),
        checkpoints=identity.sha256,
        uncommitted="" if identity.clean else identity.uncommitted or "what is not known",
        recipe=identity.recipe["id"],
        version=version,
    )


def recognised(past: PastRun, checkpoints: Sequence[Path]) -> PastRun:
    """A commit's run with what its checkpoints tell: the version that has them and the metrics, if there is one.

    An identity that names other checkpoints was not this run's, so that its machine is not known.
    """
    found = {path.name: file_digest(path) for path in checkpoints}
    if past.version or not found:
        return past
    if past.checkpoints and past.checkpoints != found:
        known = {aspect: values for aspect, values in past.provenance.items() if aspect not in ENVIRONMENT}
        past = replace(past, provenance=known, checkpoints={})
    if not store_exists():
        return past
    tags = " and ".join(f"tags.`{tag(f'sha256.{name}')}` = '{digest}'" for name, digest in found.items())
    for version in search(store(), f"{named(model_name(past.preset))} and {tags}"):
        if metrics_agree(past.results.metrics, _metrics_of(version)):
            environment = provenance_of_identity(Identity.from_tags(version.tags))
            return replace(past, version=version, provenance={**past.provenance, **environment})
    return past


def record_commit(version: ModelVersion, commit: str) -> None:
    """Write into a version and its run that `commit` has all that decided it."""
    _tag(version, {tag("commit"): commit, tag("clean"): "true", tag("uncommitted"): ""})


def record_verdict(version: ModelVersion, made: Mapping[str, Any]) -> str | None:
    """Keep a verdict under the run of a version; returns where, or None if the run is gone."""
    path = f"reproductions/{re.sub('[^0-9TZ]', '', made['at'])}.json"
    if metrics_of(store(), version) is None:
        return None
    store().log_dict(str(version.run_id), dict(made), path)
    _tag(version, {VERDICT_TAG: f"{made['verdict']} {made['at']}"})
    return f"run {version.run_id} of {version.name} {version.version}: {path}"


def fetch_registered(version: ModelVersion, folder: Path) -> None:
    """Put a version's checkpoints and table of utterances into a folder, as far as the stores still have them."""
    with fetched(version) as evidence:
        for name in evidence.identity.sha256:
            if evidence.checkpoint(name).is_file():
                shutil.copyfile(evidence.checkpoint(name), folder / name)
    with contextlib.suppress(MlflowException, OSError):
        table = store().download_artifacts(str(version.run_id), f"listening/{UTTERANCES}", str(folder))
        Path(table).rename(folder / UTTERANCES)


def _lock_with(corpus: str, commit: str, preset: str) -> str:
    """The content of the commit's `dvc.lock` if it has the corpus; else nothing."""
    lock = file_at(commit, "dvc.lock") if commit else ""
    try:
        run = locked_runs(lock).get(preset)
    except NoRun:
        return ""
    return lock if run and run.corpus == corpus else ""


def _settings_of(version: ModelVersion, commit: str, preset: str) -> dict[str, Any]:
    """The preset of the version's commit with the values that its training says it had."""
    try:
        params = {key: _literal(text) for key, text in store().get_run(str(version.run_id)).data.params.items()}
    except MlflowException:  # its run is gone
        params = {}
    if not commit:
        return params
    committed = flat(yaml.safe_load(file_at(commit, places_at(commit, preset).settings)) or {}) or params
    return {key: params.get(key, value) for key, value in committed.items()}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _metrics_of(version: ModelVersion) -> dict[str, float]:
    metrics = metrics_of(store(), version) or {}
    return {name: figure for name, figure in metrics.items() if "/" not in name}


def _tag(version: ModelVersion, tags: Mapping[str, str]) -> None:
    client = store()
    for name, value in tags.items():
        client.set_model_version_tag(version.name, version.version, name, value)
        client.set_tag(str(version.run_id), name, value)
