"""The whole pipeline on the `smoke` preset, in a clone of this checkout: what is made, what is made again and when."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
import yaml

from common import ROOT
from common.files import file_digest
from registry.code import PACKAGES
from tests.pipelines.clone import CLI, Clone


@pytest.fixture
def clone(trained: Clone) -> Clone:
    return trained


def test_a_run_ends_with_a_registered_voice(clone: Clone, first: dict[str, Any]) -> None:
    assert first["changed"]
    assert (first["name"], first["version"], first["aliases"]) == ("myxtts-smoke", 1, ["challenger"])
    quality = first["metrics"]["quality"]
    assert first["asr"].startswith("Whisper base")
    assert quality["cer_recording"] < 0.3
    assert quality["ended_percent"] == quality["hard_ended_percent"] == 100
    assert len(first["audio"]) == 4
    for path in first["audio"]:
        samples, rate = sf.read(clone.folder / path)
        assert rate == 16000
        assert len(samples) > 4000
    assert "<audio" in (clone.folder / first["page"]).read_text()
    assert set(clone.first_steps.values()) == {"completed"}
    identity = clone.challenger()["identity"]
    assert (identity["clean"], identity["asr"]) == ("true", first["asr"])
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())
    assert identity["recipe.corpus"] == lock["stages"]["corpus@smoke"]["outs"][0]["md5"]
    clone.assert_agreement()


def test_a_version_ships_source_files_and_weights_and_no_pickle(clone: Clone) -> None:
    folders = list((clone.folder / ".mlflow/artifacts/models").glob("*/artifacts"))
    assert folders
    for folder in folders:
        code = {path.relative_to(folder / "code") for path in (folder / "code").rglob("*") if path.is_file()}
        assert {path.suffix for path in code} == {".py"}
        assert {path.parts[0] for path in code} <= set(PACKAGES)
        assert not list(folder.rglob("*.pkl"))
        assert {path.suffix for path in (folder / "artifacts").rglob("*") if path.is_file()} == {".safetensors"}


def test_a_run_of_what_is_there_does_nothing(clone: Clone) -> None:
    before = clone.challenger()
    again = clone.run()
    assert (again["changed"], again["version"]) == (False, before["version"])
    assert "nothing was run again" in clone.myxtts("run", "smoke")
    assert clone.challenger() == before


def test_dvc_knows_what_was_run_and_nothing_else(clone: Clone) -> None:
    assert clone.python("-m", "dvc", "status").strip() == "Data and pipelines are up to date."
    metrics = json.loads(clone.python("-m", "dvc", "metrics", "diff", "--json"))
    assert list(metrics) == ["reports/smoke/metrics.json"]
    assert "voice@smoke" in clone.python("-m", "dvc", "dag")
    plots = clone.python("-m", "dvc", "plots", "show", "--out", "plots", "reports/smoke/training.csv")
    assert (clone.folder / "plots/index.html").exists(), plots


def test_settings_there_and_back_give_the_first_bytes(clone: Clone) -> None:
    """One run trains longer and listens less, the next goes back."""
    before = file_digest(clone.checkpoint)
    clone.run("--set", "train.steps=30", "--set", "evaluation.sentences=3")
    steps = clone.steps()
    assert steps["validate_dataset"] == steps["train_vocoder"] == "cached"
    assert steps["train_model"] == steps["evaluate_model"] == "completed"
    assert file_digest(clone.checkpoint) != before
    clone.assert_agreement()
    back = clone.run("--set", "train.steps=20", "--set", "evaluation.sentences=4")
    assert file_digest(clone.checkpoint) == before
    assert back["version"] == 1
    clone.assert_agreement()


def test_an_experiment_of_dvc_changes_a_setting(clone: Clone) -> None:
    clone.python("-m", "dvc", "exp", "run", "voice@smoke", "-S", "configs/smoke.yaml:train.steps=22")
    curve = (clone.folder / "reports/smoke/training.csv").read_text().splitlines()
    assert curve[-1].startswith("22,")
    clone.git("checkout", "-q", "--", "configs")  # DVC writes YAML in a way of its own
    clone.run()


def test_a_change_of_the_models_source_trains_again(clone: Clone) -> None:
    source = clone.folder / "model/layers.py"
    original = source.read_text()
    before = file_digest(clone.checkpoint)
    source.write_text(original.replace("1000.0 **", "2000.0 **"))
    try:
        clone.run()
        steps, identity = clone.steps(), clone.challenger()["identity"]
        after = file_digest(clone.checkpoint)
    finally:
        source.write_text(original)
        clone.run()
    assert (steps["train_model"], steps["extract_features"]) == ("completed", "cached")
    assert (identity["clean"], identity["uncommitted"]) == ("false", "model/layers.py")
    assert after != before == file_digest(clone.checkpoint)


def test_a_checkpoint_of_which_all_copies_are_gone_is_made_again(clone: Clone) -> None:
    before = file_digest(clone.checkpoint)
    clone.checkpoint.unlink()
    clone.run()
    assert file_digest(clone.checkpoint) == before
    forget_what_was_made(clone)
    clone.run()
    assert file_digest(clone.checkpoint) == before
    clone.assert_agreement()


def forget_what_was_made(clone: Clone) -> None:
    shutil.rmtree(clone.folder / ".dvc/cache")
    shutil.rmtree(clone.folder / ".work")
    clone.checkpoint.unlink()


EVENTS: dict[str, Callable[[Path], Iterator[Path]]] = {
    "features": lambda folder: (folder / ".work").glob(".extract_features-*"),
    "training": lambda folder: (folder / ".work").glob("train_model-*.states/state-*.safetensors"),
    "listening": lambda folder: (folder / ".work").glob("train_vocoder-*/vocoder.json"),
    "registration": lambda folder: (folder / ".work").glob("evaluate_model-*/metrics.json"),
}
"""Files that are there when a run has come so far."""


@pytest.mark.parametrize(
    "event",
    [*(pytest.param(event, marks=pytest.mark.slow) for event in ("features", "training")), "listening", "registration"],
)
def test_a_run_killed_in_between_leaves_nothing_that_is_trusted(clone: Clone, event: str) -> None:
    before = file_digest(clone.checkpoint)
    forget_what_was_made(clone)
    process = clone.start(*CLI, "run", "smoke")
    while not any(EVENTS[event](clone.folder)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with contextlib.suppress(ProcessLookupError):
        while True:  # until no process of the group is left
            os.killpg(process.pid, 0)
            time.sleep(0.05)
    made = clone.run()
    assert (made["changed"], made["version"]) == (True, 1)
    assert file_digest(clone.checkpoint) == before
    clone.assert_agreement()


def test_the_registered_files_alone_speak(clone: Clone, tmp_path: Path) -> None:
    script = """
import sys, mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
served = mlflow.pyfunc.load_model("models:/myxtts-smoke@challenger")
rows = pd.DataFrame({"text": ["Thank you for calling.", "...", "Thank you for calling."]})
served.predict(rows).to_json(sys.argv[2])
import configs, model.synthesis
print(configs.__file__)
"""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MLFLOW_DISABLE_TELEMETRY": "true"}
    database = clone.folder / ".mlflow/mlflow.db"
    command = [sys.executable, "-c", script, f"sqlite:///{database}", "answer.json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
    answer = json.loads((tmp_path / "answer.json").read_text())
    speech, rate = sf.read(io.BytesIO(base64.b64decode(answer["audio"]["0"])))
    assert rate == answer["sample_rate"]["0"] == 16000
    assert len(speech) > rate / 2
    assert answer["error"]["1"].startswith("nothing to say in '...'")
    assert answer["audio"]["0"] == answer["audio"]["2"]
