"""Which stores a process finds, and how it ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from common import ROOT
from common.environment import CHECKOUT, launch, stores, variables
from common.errors import Refused, Unanswerable


def test_stores_lie_in_the_checkout_and_nothing_is_sent_out() -> None:
    found = variables({})
    assert found["MLFLOW_TRACKING_URI"] == f"sqlite:///{ROOT}/.mlflow/mlflow.db"
    assert found["ZENML_CONFIG_PATH"] == f"{ROOT}/.zenml-home"
    assert found["ZENML_ANALYTICS_OPT_IN"] == "false"
    assert {found[name] for name in ("MLFLOW_DISABLE_TELEMETRY",)} == {"true"}
    assert {found[name] for name in ("DO_NOT_TRACK", "DVC_NO_ANALYTICS")} == {"1"}


def test_a_store_that_somebody_chose_stays() -> None:
    chosen = {"MLFLOW_TRACKING_URI": "https://team.example"}
    assert "MLFLOW_TRACKING_URI" not in variables(chosen)
    assert "ZENML_CONFIG_PATH" in variables(chosen)


def test_a_store_of_another_checkout_is_not_ours() -> None:
    other = Path("/somewhere/else")
    inherited = stores(other) | {CHECKOUT: str(other)}
    assert variables(inherited)["MLFLOW_TRACKING_URI"] == f"sqlite:///{ROOT}/.mlflow/mlflow.db"
    chosen = inherited | {"MLFLOW_TRACKING_URI": "https://team.example"}
    assert "MLFLOW_TRACKING_URI" not in variables(chosen)
    assert variables(chosen)["ZENML_CONFIG_PATH"] == f"{ROOT}/.zenml-home"


def test_whoever_has_no_home_gets_caches_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "NUMBA_CACHE_DIR" not in variables({})
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert variables({})["NUMBA_CACHE_DIR"] == f"{ROOT}/.work/cache"
    assert "NUMBA_CACHE_DIR" not in variables({"NUMBA_CACHE_DIR": "/tmp/numba"})


def refuse() -> int:
    raise Refused("the gate is shut")


def misunderstand() -> int:
    raise Unanswerable("there is no preset 'dmeo'")


@pytest.mark.parametrize(
    ("job", "code", "said"),
    [
        (lambda: 0, 0, ""),
        (lambda: 1, 1, ""),
        (refuse, 1, "myxtts: the gate is shut\n"),
        (misunderstand, 2, "myxtts: there is no preset 'dmeo'\n"),
    ],
)
def test_exit_codes_mean_something(
    job: Callable[[], int], code: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in variables({}):
        monkeypatch.setenv(name, os.environ.get(name, "kept by the test"))
    assert launch(job) == code
    assert capsys.readouterr().err == said


def test_a_checkout_whose_name_no_store_can_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("common.environment.ROOT", tmp_path / "a?b")
    assert launch(lambda: 0) == 2
    assert "rename the folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
