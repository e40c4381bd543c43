"""DVC's files: which corpus, code and settings made a run, which bytes came out, and where a checkout keeps them.

Stages and folders of the past may have other names than today's. So nothing here knows them: the stage with
`<preset>/metrics.json` among its outs is the preset's run, and the stage whose out it needs made its corpus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from common import LOCK_FILE, ROOT
from common.errors import Unanswerable
from configs.editing import SOURCES_CODE
from configs.outs import Outs
from configs.schema import flat

METRICS, CURVE, IDENTITY = "metrics.json", "training.csv", "identity.json"
"""Files of a preset's reports, by which a run is known."""


class NoRun(Unanswerable, LookupError):
    """There is no such run, or nothing says how it was made."""


@dataclass(frozen=True)
class Places:
    """Where a checkout keeps what belongs to a preset: names of stages, and paths relative to its root."""

    corpus_stage: str
    run_stage: str
    corpus: str
    checkpoints: str
    reports: str
    settings: str
    """The preset's own file."""


@dataclass(frozen=True)
class LockedRun:
    """The run of a preset as a lock file has it; files and folders by DVC's MD5."""

    places: Places
    corpus: str
    checkpoints: str
    metrics: str | None
    curve: str | None
    sources: Mapping[str, str]
    """Each file or folder of code, by path."""
    lock_file: str | None
    settings: Mapping[str, Any]
    """By dotted key."""


@dataclass(frozen=True)
class _Stage:
    """A stage: the MD5 of its outs and needs, by path, and the settings that it reads, by file."""

    outs: Mapping[str, str]
    needs: Mapping[str, str]
    settings: Mapping[str, Any]


def locked_runs(lock: str) -> dict[str, LockedRun]:
    """The runs that the content of a `dvc.lock` records, by preset. Raises `NoRun` if it is not a lock file."""
    stages = _locked_stages(lock)
    outs = sorted(PurePosixPath(path) for stage in stages.values() for path in stage.outs)
    found = {path.parent.name: _places(stages, path.parent.name) for path in outs if path.name == METRICS}
    return {preset: _locked_run(stages, places) for preset, places in found.items() if places}


def places_of(dvc_yaml: str, preset: str) -> Places:
    """Where the checkout of a `dvc.yaml` keeps what belongs to a preset. Raises `NoRun` if it has no such stages."""
    stages = _declared_stages(dvc_yaml, preset)
    if found := _places(stages, preset):
        return found
    raise NoRun(f"dvc.yaml has no stage that makes {preset}/{METRICS} from a corpus")


def lock_of_corpus(places: Places, md5: str) -> str:
    """The content of a `dvc.lock` that knows nothing but a corpus, so that DVC can fetch it."""
    out = {"path": places.corpus, "hash": "md5", "md5": md5}
    return yaml.safe_dump({"schema": "2.0", "stages": {places.corpus_stage: {"cmd": "", "outs": [out]}}})


def corpus_digest(preset: str, lock: Path = ROOT / "dvc.lock") -> str:
    """MD5 by which DVC knows a preset's corpus. Raises `NoRun` if `dvc.lock` has none."""
    path = Outs(preset).corpus.relative_to(ROOT).as_posix()
    stages = _locked_stages(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
    for stage in stages.values():
        if path in stage.outs:
            return stage.outs[path]
    raise NoRun(f"{lock} knows no corpus of preset {preset!r}; `dvc repro corpus@{preset}` makes it")


def source_digest(preset: str, root: Path = ROOT) -> str:
    """MD5 by which DVC knows what a preset's corpus was made of; empty if it was made of no files of its user's."""
    source = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))["presets"][preset]["source"]
    lock, made = root / "dvc.lock", Outs(preset, root).corpus.relative_to(root).as_posix()
    stages = _locked_stages(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
    needs = next((stage.needs for stage in stages.values() if made in stage.outs), {})
    return "" if source == SOURCES_CODE else needs.get(source, "")


def _locked_run(stages: Mapping[str, _Stage], places: Places) -> LockedRun:
    stage = stages[places.run_stage]
    return LockedRun(
        places,
        corpus=stages[places.corpus_stage].outs[places.corpus],
        checkpoints=stage.outs[places.checkpoints],
        metrics=stage.outs.get(f"{places.reports}/{METRICS}"),
        curve=stage.outs.get(f"{places.reports}/{CURVE}"),
        sources={path: md5 for path, md5 in stage.needs.items() if path not in (places.corpus, LOCK_FILE)},
        lock_file=stage.needs.get(LOCK_FILE),
        settings=flat(stage.settings[places.settings]),
    )


def _places(stages: Mapping[str, _Stage], preset: str) -> Places | None:
    for name, stage in stages.items():
        reports = next((path.parent for path in map(PurePosixPath, stage.outs) if _is_metrics(path, preset)), None)
        if reports is None:
            continue
        checkpoints = [path for path in stage.outs if not PurePosixPath(path).is_relative_to(reports)]
        settings = [path for path in stage.settings if PurePosixPath(path).stem == preset]
        corpora = [(other, path) for other, made in stages.items() for path in made.outs if path in stage.needs]
        if checkpoints and settings and corpora:
            corpus_stage, corpus = corpora[0]
            return Places(corpus_stage, name, corpus, checkpoints[0], str(reports), settings[0])
    return None


def _is_metrics(path: PurePosixPath, preset: str) -> bool:
    return path.name == METRICS and path.parent.name == preset


def _locked_stages(lock: str) -> dict[str, _Stage]:
    try:
        content = yaml.safe_load(lock) or {}
        return {
            name: _Stage(_md5s(stage.get("outs", [])), _md5s(stage.get("deps", [])), stage.get("params", {}))
            for name, stage in content.get("stages", {}).items()
        }
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise NoRun(f"dvc.lock cannot be read: {' '.join(str(error).split())}") from None


def _md5s(entries: list[dict[str, str]]) -> dict[str, str]:
    return {entry["path"]: entry["md5"] for entry in entries}


def _declared_stages(dvc_yaml: str, preset: str) -> dict[str, _Stage]:
    """The stages that a `dvc.yaml` has for a preset; their MD5s are not known."""
    try:
        content = yaml.safe_load(dvc_yaml.replace("${key}", preset).replace("${item.preset}", preset)) or {}
        return {
            f"{name}@{preset}" if stage.keys() & {"foreach", "matrix"} else name: _declared(stage.get("do", stage))
            for name, stage in content.get("stages", {}).items()
        }
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise NoRun(f"dvc.yaml cannot be read: {' '.join(str(error).split())}") from None


def _declared(stage: Mapping[str, Any]) -> _Stage:
    return _Stage(
        {path: "" for kind in ("outs", "metrics", "plots") for path in _names(stage.get(kind, []))},
        dict.fromkeys(_names(stage.get("deps", [])), ""),
        dict.fromkeys(_names(stage.get("params", []))),
    )


def _names(entries: list[Any]) -> list[str]:
    """What entries of `dvc.yaml` name: each is a name, or a mapping from it to more."""
    return [name for entry in entries for name in (entry if isinstance(entry, Mapping) else [entry])]
