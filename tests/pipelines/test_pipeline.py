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
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
import yaml

from common import ROOT
from common.files import file_digest
from registry.code import PACKAGES
from tests.pipelines.clone import Clone


@pytest.fixture
def clone(trained: Clone) -> Clone:
    return trained


def test_a_run_ends_with_a_registered_voice(clone: Clone, first: dict[str, Any]) -> None:
    assert first["changed"]
    assert (first["name"], first["version"], first["aliases"]) == ("myxtts-smoke", 1, ["challenger"])
    quality = first["metrics"]["quality"]
    assert first["asr"].startswith("pocketsphinx 5")
    assert quality["cer_recording"] < 0.3
    assert quality["ended_percent"] == quality["hard_ended_percent"] == 100
    assert len(first["audio"]) == 4
    for path in first["audio"]:
        samples, rate = sf.read(clone.folder / path)
        assert rate == 16000
        assert len(samples) > 4000
    page = (clone.folder / first["page"]).read_text()
    assert "<audio" in page
    assert set(clone.steps().values()) == {"completed"}
    version = clone.challenger()
    assert version["identity"]["clean"] == "true"
    assert version["identity"]["asr"] == first["asr"]
    assert version["identity"]["recipe.corpus"] == corpus_md5(clone)
    clone.assert_agreement()


def corpus_md5(clone: Clone) -> str:
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())
    return str(lock["stages"]["corpus@smoke"]["outs"][0]["md5"])


def test_a_version_ships_source_files_and_weights_and_no_pickle(clone: Clone, first: dict[str, Any]) -> None:
    folders = list((clone.folder / ".mlflow/artifacts/models").glob("*/artifacts"))
    assert folders
    for folder in folders:
        code = {path.relative_to(folder / "code") for path in (folder / "code").rglob("*") if path.is_file()}
        assert {path.suffix for path in code} == {".py"}
        assert {path.parts[0] for path in code} <= set(PACKAGES)
        assert not list(folder.rglob("*.pkl"))
        assert {path.suffix for path in (folder / "artifacts").rglob("*") if path.is_file()} == {".safetensors"}


def test_nothing_is_done_twice(clone: Clone, first: dict[str, Any]) -> None:
    started = time.monotonic()
    again = clone.run()
    assert time.monotonic() - started < 20  # 10 s on an idle machine
    assert not again["changed"]
    assert again["version"] == 1
    assert "nothing was run again" in clone.python("-m", "commands.main", "run", "smoke")


def test_a_setting_of_the_evaluation_does_not_train_again(clone: Clone, first: dict[str, Any]) -> None:
    before = file_digest(clone.checkpoint)
    clone.run("--set", "evaluation.sentences=3")
    statuses = clone.steps()
    assert statuses["train_model"] == statuses["train_vocoder"] == statuses["extract_features"] == "cached"
    assert statuses["evaluate_model"] == "completed"
    assert file_digest(clone.checkpoint) == before
    clone.assert_agreement()
    clone.run("--set", "evaluation.sentences=4")


def test_steps_there_and_back_give_the_first_bytes(clone: Clone, first: dict[str, Any]) -> None:
    before = file_digest(clone.checkpoint)
    clone.run("--set", "train.steps=30")
    assert clone.steps()["train_model"] == "completed"
    assert file_digest(clone.checkpoint) != before
    clone.assert_agreement()
    back = clone.run("--set", "train.steps=20")
    assert file_digest(clone.checkpoint) == before
    assert back["version"] == 1
    clone.assert_agreement()


@pytest.mark.parametrize("everywhere", [False, True], ids=["out", "all copies"])
def test_a_deleted_checkpoint_is_made_again(clone: Clone, first: dict[str, Any], everywhere: bool) -> None:
    before = file_digest(clone.checkpoint)
    clone.checkpoint.unlink()
    if everywhere:
        shutil.rmtree(clone.folder / ".dvc/cache")
        shutil.rmtree(clone.folder / ".work")
    clone.run()
    assert file_digest(clone.checkpoint) == before
    clone.assert_agreement()


def test_a_change_of_the_models_source_trains_again(clone: Clone, first: dict[str, Any]) -> None:
    source = clone.folder / "model/layers.py"
    original = source.read_text()
    source.write_text(original.replace("1000.0 **", "2000.0 **"))
    try:
        before = file_digest(clone.checkpoint)
        clone.run()
        assert clone.steps()["train_model"] == "completed"
        assert clone.steps()["extract_features"] == "cached"
        assert file_digest(clone.checkpoint) != before
        assert clone.challenger()["identity"]["clean"] == "false"
        assert clone.challenger()["identity"]["uncommitted"] == "model/layers.py"
    finally:
        source.write_text(original)
    clone.run()
    assert file_digest(clone.checkpoint) == before


def test_dvc_shows_what_was_made(clone: Clone, first: dict[str, Any]) -> None:
    metrics = json.loads(clone.python("-m", "dvc", "metrics", "show", "--json"))
    assert "reports/smoke/metrics.json" in json.dumps(metrics)
    assert "voice@smoke" in clone.python("-m", "dvc", "dag")
    plots = clone.python("-m", "dvc", "plots", "show", "--out", "plots", "reports/smoke/training.csv")
    assert (clone.folder / "plots/index.html").exists(), plots


def test_an_experiment_of_dvc_changes_a_setting(clone: Clone, first: dict[str, Any]) -> None:
    clone.python("-m", "dvc", "exp", "run", "voice@smoke", "-S", "configs/smoke.yaml:train.steps=22")
    curve = (clone.folder / "reports/smoke/training.csv").read_text().splitlines()
    assert curve[-1].startswith("22,")
    clone.run("--set", "train.steps=20")


def test_the_registered_files_alone_speak(clone: Clone, first: dict[str, Any], tmp_path: Path) -> None:
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


def test_synthesize_speaks_with_the_registered_model(clone: Clone, first: dict[str, Any], tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("Thank you.\n\nPlease hold. Someone will be with you.\n")
    cli = ("-m", "commands.main", "synthesize", "--preset", "smoke")
    out = clone.python(*cli, "--file", str(lines), "--out", str(tmp_path / "line.wav"), "--json")
    spoken = json.loads(out)
    assert [row["file"] for row in spoken] == [str(tmp_path / "line-001.wav"), str(tmp_path / "line-002.wav")]
    assert all(row["ended"] and not row["error"] for row in spoken)
    once, again, slow, other = (tmp_path / f"{name}.wav" for name in ("once", "again", "slow", "other"))
    folder = ("--model", "checkpoints/smoke", "--text", "Thank you.")
    clone.python(*cli, *folder, "--out", str(once))
    assert once.read_bytes() == (tmp_path / "line-001.wav").read_bytes()
    clone.python(*cli, *folder, "--out", str(again), "--rate", "1")
    assert once.read_bytes() == again.read_bytes()
    clone.python(*cli, *folder, "--out", str(slow), "--rate", "0.5")
    assert sf.info(slow).duration > 1.5 * sf.info(once).duration
    recording = next((clone.folder / "corpora/smoke/audio").glob("*.flac"))
    clone.python(*cli, *folder, "--out", str(other), "--reference", str(recording))
    assert other.read_bytes() != once.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--text", "..."], 1, "nothing to say in '...'"),
        (["--text", "  "], 2, "there is no text"),
        (["--text", "Hello.", "--rate", "9"], 1, "speaking_rate is 9, expected 0.5 to 2"),
        (["--text", "Hello.", "--model", "@champion"], 2, "myxtts-smoke has no version @champion"),
        (["--text", "Hello.", "--model", "./nowhere"], 2, "nowhere"),
        (["--text", "Hello.", "--reference", "README.md"], 1, "reference is not audio that can be decoded"),
        (["--text", "Hello.", "--reference", "no.wav"], 2, "no.wav: no such file"),
    ],
)
def test_what_cannot_be_spoken_is_refused(
    clone: Clone, first: dict[str, Any], tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    cli = ("-m", "commands.main", "synthesize", "--preset", "smoke", "--out", str(tmp_path / "out.wav"))
    folder = () if "--model" in arguments else ("--model", "checkpoints/smoke")
    assert message in clone.python(*cli, *folder, *arguments, code=code)
    assert not (tmp_path / "out.wav").exists()


def wait_for_the_end_of(group: int) -> None:
    """Until no process of the group is left."""
    with contextlib.suppress(ProcessLookupError):
        for _ in range(100):
            os.killpg(group, 0)
            time.sleep(0.1)


@pytest.mark.parametrize("seconds", [6.0, 11.0, 17.0])
def test_a_killed_run_leaves_nothing_that_is_trusted(clone: Clone, first: dict[str, Any], seconds: float) -> None:
    before = file_digest(clone.checkpoint)
    shutil.rmtree(clone.folder / ".dvc/cache")
    shutil.rmtree(clone.folder / ".work")
    clone.checkpoint.unlink()
    process = clone.start("-m", "commands.main", "run", "smoke")
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for_the_end_of(process.pid)
    made = clone.run()
    assert made["changed"] and made["version"] == 1
    assert file_digest(clone.checkpoint) == before
    clone.assert_agreement()
