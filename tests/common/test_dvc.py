"""A child of ours that is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common import ROOT
from common.dvc import mend_lock

STAGE = """
import signal, sys, time
from pathlib import Path
def save(number, frame):
    time.sleep(1)
    Path("saved").write_text(signal.Signals(number).name)
    sys.exit(1)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, save)
Path("started").touch()
time.sleep(60)
"""
RUN = "from pathlib import Path; from common.dvc import run_dvc; run_dvc('repro', folder=Path.cwd())"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_us_alone_reaches_the_stage_and_waits_for_it(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "stage.py").write_text(STAGE)
    (tmp_path / "dvc.yaml").write_text("stages:\n  train:\n    cmd: python stage.py\n")
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(tmp_path / "site"),
        "DVC_NO_ANALYTICS": "1",
    }
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], cwd=tmp_path, env=environment, check=True)
    with subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
    ) as process:
        while not (tmp_path / "started").exists():
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert (tmp_path / "saved").read_text() == number.name


@pytest.mark.parametrize(("content", "stays"), [("", False), ('{"read', False), ("{}", True)])
def test_a_torn_lock_of_dvc_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, stays: bool
) -> None:
    monkeypatch.setattr("common.dvc.ROOT", tmp_path)
    mend_lock()
    lock = tmp_path / ".dvc" / "tmp" / "rwlock"
    lock.parent.mkdir(parents=True)
    lock.write_text(content)
    mend_lock()
    assert lock.exists() == stays
