"""A checkout of the project for tests that run it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common import ROOT
from common.files import file_digest
from registry.store import list_versions

CLI = ("-m", "commands.main")

SMALLEST = {
    "train.steps": 2,
    "vocoder.pitch_steps": 1,
    "vocoder.filter_steps": 1,
    "evaluation.sentences": 1,
    "evaluation.far_sentences": 1,
    "evaluation.hard_sentences": 1,
    "evaluation.audio_examples": 1,
}
"""Settings of the shortest run there is."""

STEPS_OF_LAST_RUN = """
SELECT name, status FROM step_run WHERE pipeline_run_id = (SELECT id FROM pipeline_run ORDER BY created DESC LIMIT 1)
ORDER BY created
"""


class Clone:
    """A checkout of its own, with its own stores, run by this Python."""

    first: dict[str, Any]
    """What its first run said that it made, if there was one."""
    first_steps: dict[str, str]
    """What became of the steps of that run."""

    def __init__(self, folder: Path):
        self.folder = folder
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in files.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        (folder / "dvc.lock").unlink(missing_ok=True)  # of the run that comes with the repository
        shutil.rmtree(folder / "reports", ignore_errors=True)
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "a checkout"]):
            self.git(*command)

    @classmethod
    def of(cls, folder: Path) -> Clone:
        """A checkout that is there already."""
        clone = object.__new__(cls)
        clone.folder = folder
        return clone

    def git(self, *arguments: str) -> None:
        who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ZENML_", "MLFLOW_", "MYXTTS_", "DVC_"))}
        environment = inherited | {
            "PYTHONPATH": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_SITE_CACHE_DIR": str(self.folder.parent / "dvc-site"),
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@localhost",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@localhost",
        }
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def python(self, *arguments: str, code: int = 0) -> str:
        """Run to the end; what it printed, its errors if the code is not 0."""
        process = self.start(*arguments)
        out, error = process.communicate()
        assert process.returncode == code, f"{arguments}: {process.returncode}\n{out[-3000:]}\n{error[-6000:]}"
        return out if code == 0 else error

    def myxtts(self, *arguments: str, code: int = 0) -> str:
        """What `myxtts …` prints; its errors if the code is not 0."""
        return self.python(*CLI, *arguments, code=code)

    def run(self, *arguments: str) -> dict[str, Any]:
        """`myxtts run smoke …` and what it made."""
        made: dict[str, Any] = json.loads(self.myxtts("run", "smoke", "--json", *arguments))
        return made

    def challenger(self) -> dict[str, Any]:
        """The version that is the challenger, as `myxtts models --json` prints it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{self.folder / '.mlflow' / 'mlflow.db'}")
            (found,) = (version for version in list_versions("smoke") if "challenger" in version["aliases"])
        return found

    def steps(self) -> dict[str, str]:
        """What ZenML says became of the steps of the last run, in the order in which they were started."""
        database = self.folder / ".zenml-home" / "stores" / "default_zen_store" / "zenml.db"
        with contextlib.closing(sqlite3.connect(database)) as connection:
            return dict(connection.execute(STEPS_OF_LAST_RUN).fetchall())

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoints/smoke/model.safetensors"

    def assert_agreement(self) -> None:
        """The checkpoint, dvc.lock and the challenger speak of the same bytes."""
        assert self.challenger()["identity"]["sha256.model.safetensors"] == file_digest(self.checkpoint)
        assert self.python("-m", "dvc", "status", "voice@smoke").strip().endswith("up to date.")
