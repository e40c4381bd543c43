"""A past commit, checked out apart from the user's checkout, where its own code runs with stores of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dvc.config import Config, merge

from common import ROOT
from common.dvc import run_dvc
from common.git import git
from configs.editing import list_preset
from configs.outs import PATHS_FROM, source_path
from reproduction.lock import CURVE, METRICS, Places, lock_of_corpus, locked_runs
from reproduction.past import PastRun, places_at
from reproduction.results import UTTERANCES

_NOT_INHERITED = (
    *("ZENML_", "MLFLOW_", "MYXTTS_", "DVC_ROOT", "DVC_STAGE"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"),
)


@dataclass(frozen=True)
class PastCheckout:
    """The checkout of a past run's commit, with the user's cache and remotes; `places` are the commit's own."""

    root: Path
    places: Places
    cache: Path

    @property
    def corpus(self) -> Path:
        """The folder of the corpus."""
        return self.root / self.places.corpus

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.root / self.places.checkpoints

    @property
    def metrics(self) -> Path:
        """The file with the metrics."""
        return self.root / self.places.reports / METRICS

    @property
    def curve(self) -> Path:
        """The file with the curve of the training."""
        return self.root / self.places.reports / CURVE

    @property
    def utterances(self) -> Path:
        """The table of utterances, wherever it lies among the reports."""
        reports = self.root / self.places.reports
        return next(reports.rglob(UTTERANCES), reports / UTTERANCES)

    @property
    def lock(self) -> str:
        """The content of `dvc.lock`."""
        return (self.root / "dvc.lock").read_text(encoding="utf-8")

    def dvc(self, *arguments: str) -> bool:
        """Run DVC with the commit's code; whether it did what it was told."""
        return run_dvc(*arguments, folder=self.root, environment=self._environment()) is not None

    def fetch(self, stage: str, folder: Path) -> str | None:
        """Bring the outs of a stage, `folder` among them; returns in words where from, None if they were not kept."""
        if self.dvc("checkout", stage) and folder.is_dir():
            return "from DVC's cache"
        if _has_remote() and self.dvc("pull", stage) and folder.is_dir():
            return "pulled from DVC's remote"
        return None

    def make(self, stage: str) -> bool:
        """Run a stage; whether it came to its end."""
        return self.dvc("repro", "--single-item", "--force", "--no-commit", stage)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        own = {"PYTHONPATH": str(self.root), "DVC_SITE_CACHE_DIR": str(self.root.with_name("dvc-site"))}
        return inherited | own | {PATHS_FROM: str(ROOT)}


@contextlib.contextmanager
def checked_out(past: PastRun) -> Iterator[PastCheckout]:
    """The commit of a run in a folder of its own inside another; both are gone when the block ends.

    Raises `GitError` where git cannot check it out.
    """
    places = places_at(past.commit, past.preset)
    with _clone(past.commit) as root:
        cache = dvc_cache()
        _share_cache(root, cache)
        path = past.provenance.get("config", {}).get("data.path")
        list_preset(past.preset, source_path(path) if path else None, root)
        locked = locked_runs(past.lock).get(past.preset)
        same = locked is not None and locked.places == places
        lock = past.lock if same else lock_of_corpus(places, past.provenance["corpus"]["corpus"])
        (root / "dvc.lock").write_text(lock, encoding="utf-8")
        yield PastCheckout(root, places, cache)


def dvc_cache() -> Path:
    """DVC's cache of the user's checkout."""
    return Path(Config(str(ROOT / ".dvc"))["cache"].get("dir") or ROOT / ".dvc" / "cache")


@contextlib.contextmanager
def _clone(commit: str) -> Iterator[Path]:
    """A clone that shares the objects of the user's checkout: that works of worktrees and submodules too."""
    handler = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="myxtts-") as folder:
            root = Path(folder, "checkout")
            # No hooks: one of DVC's would check out more than is needed. And every file to the byte.
            settings = ("--config", f"core.hooksPath={os.devnull}", "--config", "core.autocrlf=false")
            git("clone", "--quiet", "--shared", "--no-checkout", *settings, str(ROOT), str(root))
            git("-C", str(root), "checkout", "--quiet", "--detach", commit)
            yield root
    finally:
        signal.signal(signal.SIGTERM, handler)


def _share_cache(root: Path, cache: Path) -> None:
    """Give a checkout DVC's cache and the remotes that the user has now, and let it copy where it cannot link."""
    now = Config(str(ROOT / ".dvc"))
    with Config(str(root / ".dvc")).edit("local") as local:
        for level in ("repo", "local"):
            merge(local, now.load_one(level))
        local["cache"]["dir"] = str(cache)
        local["cache"]["type"] = ",".join([*now["cache"].get("type", ["reflink"]), "copy"])


def _has_remote() -> bool:
    return bool(Config(str(ROOT / ".dvc"))["core"].get("remote"))
