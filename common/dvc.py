"""Running DVC, as a child that ends when this process is told to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

import psutil

from common import ROOT

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_dvc(
    *arguments: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None, capture: bool = False
) -> str | None:
    """Run DVC in a checkout; its output if captured, None if it failed. What is not captured goes to standard error.

    A signal that tells this process to stop is passed on to the stage, so that a training can save its state. Once
    the stage has ended, so does this process, by `SystemExit`.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    stopped_by: list[int] = []
    stage: list[psutil.Process] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        stopped_by.append(number)
        with contextlib.suppress(psutil.NoSuchProcess):
            dvc = psutil.Process(process.pid)
            stage[:] = dvc.children(recursive=True) or [dvc]  # DVC itself would die without waiting for its stage
        if number == signal.SIGINT and _is_in_foreground():
            return  # the terminal has told all of them
        for member in stage:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)

    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE if capture else sys.__stderr__, text=True
    ) as process:
        handlers = {number: signal.signal(number, pass_on) for number in _SIGNALS}
        try:
            output, _ = process.communicate()
            psutil.wait_procs(stage)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    if stopped_by:
        raise SystemExit(128 + stopped_by[0])
    return None if process.returncode else output or ""


def unreadable(path: Path) -> Iterator[str]:
    """Why DVC could not take a file or folder for a dependency, a line for each reason.

    Its own words would name one of them at most, and not what to do.
    """
    if not path.exists():
        yield f"{path}: not found"
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            entry = Path(folder, name)
            if not entry.exists():
                yield f"{entry}: a link to nothing; remove it, or bring back what it led to"
            elif not os.access(entry, os.R_OK):
                yield f"{entry}: may not be read by this user"
            elif any("\ud800" <= character <= "\udfff" for character in name):
                yield f"{os.fsencode(entry)!r}: not a name in UTF-8; rename it"


def mend_lock() -> None:
    """Remove DVC's record of who reads and writes what, if a killed DVC left it torn: DVC refuses to start on it."""
    record = ROOT / ".dvc" / "tmp" / "rwlock"
    try:
        json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except ValueError:
        record.unlink()


def _is_in_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to this process and its children."""
    try:
        return os.tcgetpgrp(sys.__stdin__.fileno()) == os.getpgrp() if sys.__stdin__ else False
    except (OSError, ValueError):
        return False
