"""What is known of past runs: of a commit by its `dvc.lock`, of a registered version by its tags."""

from __future__ import annotations

import ast
import contextlib
import csv
import hashlib
import importlib.metadata
import json
import platform
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from common import LOCK_FILE, ROOT
from common.files import file_digest
from common.git import git
from configs.schema import flat
from evaluation.measures import read_metrics
from registry.code import PACKAGES
from registry.evidence import fetched
from registry.identity import VERDICT_TAG, Identity, occurrence, tag
from registry.store import find, metrics_of, model_name, named, search, store, store_exists
from reproduction.comparison import Facts, Results, agree

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


class NotReproducible(Exception):
    """A past run of which nobody can say what made it; the message says why."""


@dataclass(frozen=True)
class PastRun:
    """A run that was recorded, and how it is known."""

    name: str
    preset: str
    commit: str
    facts: Facts
    results: Results
    lock: str = field(repr=False)  # content of a `dvc.lock` that has its corpus, or nothing
    uncommitted: str = ""
    recipe: str = ""
    version: ModelVersion | None = None


def find_past(wanted: str, preset: str) -> PastRun:
    """The run of a commit, of a registered version by number, or of an `@alias`.

    Raises `LookupError` if there is no such commit, version or alias, and `NotReproducible` if the commit records no
    run.
    """
    if wanted.startswith("@") or re.fullmatch(r"\d{1,6}", wanted):
        return _of_version(wanted, preset)
    return _of_commit(wanted, preset)


def registered_as(past: PastRun, checkpoints: Sequence[Path]) -> PastRun:
    """A commit's run together with the version that has its checkpoints and metrics, if one is registered."""
    if past.version or not checkpoints or not store_exists():
        return past
    tags = " and ".join(f"tags.`{tag(f'sha256.{path.name}')}` = '{file_digest(path)}'" for path in checkpoints)
    for version in search(store(), f"{named(model_name(past.preset))} and {tags}"):
        if agree(past.results.metrics, _registered_metrics(version)):
            return replace(past, version=version, facts={**past.facts, **_where(Identity.from_tags(version.tags))})
    return past


def record_commit(version: ModelVersion, commit: str) -> None:
    """Write into a version and its run that `commit` has all that decided it."""
    _tag(version, {tag("commit"): commit, tag("clean"): "true", tag("uncommitted"): ""})


def record_verdict(version: ModelVersion, verdict: Mapping[str, Any]) -> str:
    """Keep a verdict under the run of a version; returns where."""
    path = f"reproductions/{re.sub('[^0-9TZ]', '', verdict['at'])}.json"
    store().log_dict(str(version.run_id), dict(verdict), path)
    _tag(version, {VERDICT_TAG: f"{verdict['verdict']} {verdict['at']}"})
    return f"run {version.run_id} of {version.name} {version.version}: {path}"


def fetch_registered(version: ModelVersion, folder: Path) -> None:
    """Put a version's checkpoints and `utterances.csv` into a folder, as far as the stores still have them."""
    from mlflow import MlflowException

    with fetched(version) as evidence:
        for name in evidence.identity.sha256:
            if evidence.checkpoint(name).is_file():
                shutil.copyfile(evidence.checkpoint(name), folder / name)
    with contextlib.suppress(MlflowException, OSError):
        table = store().download_artifacts(str(version.run_id), "listening/utterances.csv", str(folder))
        Path(table).rename(folder / "utterances.csv")


def facts_of_lock(content: str, preset: str) -> dict[str, Mapping[str, Any]]:
    """What a `dvc.lock` says of what made a preset's run. Raises `LookupError` naming the presets that it knows."""
    stages = (yaml.safe_load(content) or {}).get("stages", {})
    stage, corpus = stages.get(f"voice@{preset}"), stages.get(f"corpus@{preset}")
    if not stage or not corpus:
        known = sorted(name.partition("@")[2] for name in stages if name.startswith("voice@"))
        raise LookupError(f"no run of preset {preset!r}; it records {', '.join(known) or 'none'}")
    config = flat(stage["params"][f"configs/{preset}.yaml"])
    deps = {dep["path"]: dep["md5"] for dep in stage["deps"] if dep["path"] != f"corpora/{preset}"}
    return {
        "corpus": {"corpus": corpus["outs"][0]["md5"]},
        "seed": {"seed": config.pop("seed", None)},
        "threads": {"threads": config.pop("threads", None)},
        "config": config,
        "lock_file": {LOCK_FILE: deps.pop(LOCK_FILE, None)},
        "sources": deps,
    }


def facts_of_tree(commit: str) -> dict[str, Mapping[str, Any]]:
    """The code, the lock file and the packages of a commit, file by file; nothing if git does not have it."""
    lines = git("ls-tree", "-r", "--format=%(objectname)%x09%(path)", commit, "--", *PACKAGES, LOCK_FILE).splitlines()
    objects = {path: blob for blob, path in (line.split("\t", 1) for line in lines)}
    if not objects:
        return {}
    return {
        "lock_file": {LOCK_FILE: objects.pop(LOCK_FILE, None)},
        "packages": locked_packages(git("show", f"{commit}:{LOCK_FILE}")),
        "sources": {path: blob for path, blob in objects.items() if not path.endswith(".yaml")},
    }


def locked_packages(content: str) -> dict[str, str]:
    """The versions that a lock file pins."""
    pins = (line.split("==") for line in content.splitlines() if "==" in line and not line.startswith("#"))
    return {_normal(name): version.split(";")[0].strip() for name, version in pins}


def installed_packages() -> dict[str, str]:
    """The versions that are installed here, and Python's; local labels such as `+cpu` are left out."""
    found = {_normal(package.name): package.version.split("+")[0] for package in importlib.metadata.distributions()}
    return found | {"python": platform.python_version()}


def hardware_here() -> dict[str, str]:
    """This machine, as registered versions record theirs."""
    return occurrence().environment()["hardware"]


def folder_listing(folder: Path) -> dict[str, str]:
    """MD5 of every file below a folder, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_md5(path) for path in files}


def folder_md5(listing: Mapping[str, str]) -> str:
    """The MD5 by which DVC knows a folder, from its listing."""
    rows = [{"md5": md5, "relpath": path} for path, md5 in sorted(listing.items(), key=lambda row: row[0].split("/"))]
    return _md5(json.dumps(rows, sort_keys=True).encode()) + ".dir"


def file_md5(path: Path) -> str:
    """The MD5 by which DVC knows a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def cached_listing(cache: Path, md5: str) -> dict[str, str]:
    """The listing of a folder that DVC's cache has; empty if it does not have it."""
    path = cache / "files/md5" / md5[:2] / md5[2:]
    if not path.is_file():
        return {}
    return {row["relpath"]: row["md5"] for row in json.loads(path.read_text())}


def read_utterances(path: Path) -> list[dict[str, str]]:
    """The rows of a table of utterances; none if there is no such file."""
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _of_commit(wanted: str, preset: str) -> PastRun:
    commit = git("rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}").strip()
    if not commit:
        raise LookupError(f"there is no commit {wanted!r} in this clone")
    lock = git("show", f"{commit}:dvc.lock")
    if not lock:
        raise NotReproducible(f"commit {commit[:12]} has no dvc.lock: it records no run")
    try:
        facts = facts_of_lock(lock, preset)
    except LookupError as error:
        raise NotReproducible(f"the dvc.lock of commit {commit[:12]} records {error.args[0]}") from None
    outs = {out["path"]: out["md5"] for out in yaml.safe_load(lock)["stages"][f"voice@{preset}"]["outs"]}
    metrics = git("show", f"{commit}:reports/{preset}/metrics.json")
    if _md5(metrics.encode()) != outs[f"reports/{preset}/metrics.json"]:
        metrics = ""  # of another run, or never committed
    digests = {"checkpoints": outs[f"checkpoints/{preset}"], "training.csv": outs[f"reports/{preset}/training.csv"]}
    packages = locked_packages(git("show", f"{commit}:{LOCK_FILE}"))
    results = Results(digests, read_metrics(metrics or "{}"))
    return PastRun(f"commit {commit[:12]}", preset, commit, {**facts, "packages": packages}, results, lock)


def _of_version(wanted: str, preset: str) -> PastRun:
    version = find(preset, wanted)
    name = f"{version.name} {version.version}"
    identity = Identity.from_tags(version.tags)
    if missing := [name for name in identity.missing() if name.startswith((tag("commit"), tag("recipe.")))]:
        raise NotReproducible(f"nobody can say what made {name}; it lacks {', '.join(missing)}")
    commit, corpus = identity.commit, identity.recipe["corpus"]
    lock_file = git("show", f"{commit}:{LOCK_FILE}")
    settings = _settings_of(version, commit, preset)
    facts = {
        "corpus": {"corpus": corpus},
        "seed": {"seed": settings.pop("seed", None)},
        "threads": {"threads": settings.pop("threads", None)},
        "config": settings,
        "code": {"recipe": identity.recipe["code"]},
        "locked": {LOCK_FILE: identity.recipe["lock_file"]},
        "packages": locked_packages(lock_file),
        **_where(identity),
    }
    locks = (git("show", f"{commit}:dvc.lock"), (ROOT / "dvc.lock").read_text() if (ROOT / "dvc.lock").exists() else "")
    return PastRun(
        name,
        preset,
        commit,
        facts,
        Results(identity.sha256, _registered_metrics(version)),
        lock=next((lock for lock in locks if corpus in lock), ""),
        uncommitted="" if identity.clean else identity.uncommitted or "what is not known",
        recipe=identity.recipe["id"],
        version=version,
    )


def _settings_of(version: ModelVersion, commit: str, preset: str) -> dict[str, Any]:
    """The preset of the version's commit with the values that its training says it had."""
    params = {key: _literal(text) for key, text in store().get_run(str(version.run_id)).data.params.items()}
    preset_file = git("show", f"{commit}:configs/{preset}.yaml")
    committed = flat(yaml.safe_load(preset_file)) if preset_file else params
    return {key: params.get(key, value) for key, value in committed.items()}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _registered_metrics(version: ModelVersion) -> dict[str, float]:
    metrics = metrics_of(store(), version) or {}
    return {name: figure for name, figure in metrics.items() if "/" not in name}


def _where(identity: Identity) -> dict[str, Mapping[str, str]]:
    """Where a registered run was made."""
    found = identity.environment()
    return {"python": found.get("library", {}), "hardware": found.get("hardware", {})}


def _tag(version: ModelVersion, tags: Mapping[str, str]) -> None:
    client = store()
    for name, value in tags.items():
        client.set_model_version_tag(version.name, version.version, name, value)
        client.set_tag(str(version.run_id), name, value)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
