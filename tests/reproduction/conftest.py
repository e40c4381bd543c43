"""Small git repositories that record runs, and the run that was recorded by code of the past."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.cli import main

from reproduction.past import PastRun, run_of_commit

BUNDLE = Path(__file__).with_name("past.bundle")
"""A git bundle with one commit: code whose stages and folders have other names than today's, and its run of smoke."""

PAST = "97cb97e49e1334fd2e7ec50430206ed61e8f4a42"
"""The commit in `BUNDLE`."""


class Repository:
    """A git repository."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> str:
        """What git says."""
        who = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "protocol.file.allow=always"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, by path."""
        for path, content in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(content)

    def commit(self, files: Mapping[str, str]) -> str:
        """Commit files, by path, with all that has changed; returns the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a commit")
        return self.git("rev-parse", "HEAD")

    def fetch_past(self) -> None:
        """Fetch `PAST`."""
        self.git("fetch", "--quiet", str(BUNDLE), "past")

    def clone(self, folder: Path, *options: str) -> Repository:
        """A clone of it."""
        self.git("clone", "--quiet", *options, self.folder.as_uri(), str(folder))
        return Repository(folder)

    def use(self, patch: pytest.MonkeyPatch) -> Repository:
        """Have the project take it for its checkout."""
        for module in ("common.git", "reproduction.checkout", "reproduction.reproduce"):
            patch.setattr(f"{module}.ROOT", self.folder)
        return self


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository without a commit, which the project takes for its checkout."""
    return Repository(tmp_path / "repository").use(monkeypatch)


def make_lock(metrics: Mapping[str, str] | None = None, **runs: str) -> str:
    """A `dvc.lock` with a run for each preset; equal text in `runs` gives equal MD5s.

    `metrics` has the MD5s of metrics by preset.
    """
    stages: dict[str, Any] = {}
    for preset, mark in runs.items():
        corpus = {"path": f"corpora/{preset}", "hash": "md5", "md5": f"{mark}-corpus.dir"}
        stages[f"corpus@{preset}"] = {"cmd": f"python -m pipelines corpus {preset}", "outs": [corpus]}
        needs = {"requirements.lock": f"{mark}-lock-file", "model": f"{mark}-model.dir"}
        made = {
            f"reports/{preset}/listening": f"{mark}-listening.dir",
            f"checkpoints/{preset}": f"{mark}-checkpoints.dir",
            f"reports/{preset}/metrics.json": (metrics or {}).get(preset, f"{mark}-metrics"),
            f"reports/{preset}/training.csv": f"{mark}-curve",
        }
        stages[f"voice@{preset}"] = {
            "cmd": f"python -m pipelines voice {preset}",
            "deps": [corpus, *({"path": path, "md5": md5} for path, md5 in needs.items())],
            "params": {f"configs/{preset}.yaml": {"seed": 1, "threads": 2, "train": {"steps": 20}}},
            "outs": [{"path": path, "md5": md5} for path, md5 in made.items()],
        }
    return yaml.safe_dump({"schema": "2.0", "stages": stages})


TINY = {
    ".dvcignore": "__pycache__\n",
    ".gitignore": "/speech\n/weights\n/results/*/listening\n/reports\n",
    "params.yaml": "presets: []\n",
    "presets/tiny.yaml": "seed: 1\nthreads: 1\ntrain: {steps: 2}\n",
    "requirements.lock": f"pytest=={pytest.__version__}\n",
    "former/__init__.py": "",
    "former/words.py": "WORDS = 'nothing reads this, but a name is a name'\n",
    "former/work.py": """
import json, os, sys
from pathlib import Path

def write(path, content):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)

def checkpoint(number):
    recipe = {"recipe": {"code": "the code", "lock_file": "the lock file"}}
    header = {"__metadata__": {"myxtts": json.dumps(recipe)}}
    header["weight"] = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + bytes([number])

if sys.argv[1] == "speech":
    write("speech/tiny/clip.txt", "a recording")
else:
    heard = Path("speech/tiny/clip.txt").read_text() + Path("presets/tiny.yaml").read_text()
    noise = int(os.environ.get("NOISE", 0))
    write("weights/tiny/model.safetensors", checkpoint((sum(heard.encode()) + noise) % 256))
    write("results/tiny/listening/utterances.csv", f"id,cer\\none,{noise}\\n")
    write("results/tiny/listening/environment.json", json.dumps(dict(os.environ)))
    write("results/tiny/metrics.json", json.dumps({"quality": {"cer": 0.5 + noise / 100}}))
    write("results/tiny/training.csv", f"step,loss\\n1,{noise}\\n")
""",
    "dvc.yaml": """
stages:
  speech:
    matrix: {preset: "${presets}"}
    cmd: python -m former.work speech ${item.preset}
    outs: ["speech/${item.preset}"]
  voices:
    matrix: {preset: "${presets}"}
    cmd: python -m former.work voices ${item.preset}
    params: [{"presets/${item.preset}.yaml": }]
    deps: ["speech/${item.preset}", former, requirements.lock]
    outs: ["weights/${item.preset}", "results/${item.preset}/listening"]
    metrics: ["results/${item.preset}/metrics.json": {cache: false}]
    plots: ["results/${item.preset}/training.csv": {cache: false}]
""",
}
"""A checkout whose two stages of DVC take no time, and whose names are not today's."""


def dvc(*arguments: str, folder: Path, environment: Mapping[str, str]) -> str | None:
    """`common.dvc.run_dvc` in this process, which takes less time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        return None if main(arguments) else ""


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose last commit records a run of `tiny`, which its `params.yaml` does not list."""
    folder = tmp_path_factory.mktemp("original")
    repository = Repository(folder / "repository")
    repository.write(TINY | {"params.yaml": "presets: [tiny]\n"})
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(repository.folder),
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "DVC_NO_ANALYTICS": "1",
    }
    for command in ("init", "repro"):
        assert dvc(command, folder=repository.folder, environment=environment) is not None
    repository.commit(TINY)
    return repository


@pytest.fixture
def recorded(original: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A copy of it with its cache, which the project takes for its checkout; DVC runs in this process."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setattr("reproduction.checkout.run_dvc", dvc)
    shutil.copytree(original.folder, tmp_path / "recorded", symlinks=True)
    return Repository(tmp_path / "recorded").use(monkeypatch)


def run_of_head(repository: Repository) -> PastRun:
    """What is known of the run of `tiny` that the checked-out commit records."""
    return run_of_commit(repository.git("rev-parse", "HEAD"), "tiny")
