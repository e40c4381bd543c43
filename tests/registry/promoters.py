"""Promotions in processes of their own, which are quick to start: one that has imported everything is forked."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from mlflow import MlflowClient

from registry.champions import promote
from tests.registry.conftest import PRESET

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])

WRITES = ("create_model_version", "set_model_version_tag", "set_registered_model_alias", "update_model_version")


def start_promotion(version: int, killed_after: int | None = None) -> BaseProcess:
    """Promote a version as the command does; the process kills itself before it writes once more than so often."""
    process = _FORKS.Process(target=_promote, args=(dict(os.environ), version, killed_after))
    process.start()
    return process


def ended(process: BaseProcess) -> int | None:
    """The exit code of a process, once it has one."""
    process.join()
    return process.exitcode


def _promote(environment: dict[str, str], version: int, killed_after: int | None) -> None:
    os.environ |= environment
    left = [killed_after]

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def method(*arguments: Any, **named: Any) -> Any:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] = None if left[0] is None else left[0] - 1
            return write(*arguments, **named)

        return method

    for name in WRITES:
        setattr(MlflowClient, name, counted(getattr(MlflowClient, name)))
    promote(PRESET, str(version))
