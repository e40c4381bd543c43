"""Where the stores of this checkout lie, for our commands and for those of ZenML, MLflow and DVC alike.

Nothing is sent out of the machine. `launch` is how every process of ours begins and ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from common import ROOT
from common.errors import Refused, Unanswerable
from common.relocation import relocate_stores

CHECKOUT = "MYXTTS_CHECKOUT"
"""Environment variable: the checkout whose stores the other variables name."""

_QUIET = {
    "ZENML_ANALYTICS_OPT_IN": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",  # no package below us asks for models
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime's
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def stores(root: Path) -> dict[str, str]:
    """Where ZenML and MLflow keep what they know of a checkout, unless the environment says otherwise."""
    return {
        "ZENML_CONFIG_PATH": str(root / ".zenml-home"),
        "ZENML_LOCAL_STORES_PATH": str(root / ".zenml-home" / "stores"),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # a server that is not there is said within seconds
        "ZENML_LOGGING_VERBOSITY": "CRITICAL",
        "ZENML_ENABLE_REPO_INIT_WARNINGS": "false",
        "ZENML_ENABLE_RICH_TRACEBACK": "false",
        "MLFLOW_TRACKING_URI": f"sqlite:///{root / '.mlflow' / 'mlflow.db'}",
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{root / '.mlflow' / 'mlflow.db'}",  # what `mlflow ui` shows
    }


def variables(inherited: Mapping[str, str]) -> dict[str, str]:
    """What to set in an environment, so that every tool finds this checkout's stores.

    What somebody chose, such as a team's `MLFLOW_TRACKING_URI`, stays; what another checkout set does not.
    """
    other = inherited.get(CHECKOUT)
    theirs = stores(Path(other)) if other else {}
    ours = {name: value for name, value in stores(ROOT).items() if inherited.get(name) in (None, theirs.get(name))}
    return {**_QUIET, **ours, **_caches(inherited), CHECKOUT: str(ROOT)}


def _caches(inherited: Mapping[str, str]) -> dict[str, str]:
    """Where numba and matplotlib keep what they compiled, for those who have no home to keep it in."""
    if os.access(Path.home(), os.W_OK):
        return {}
    folder = str(ROOT / ".work" / "cache")
    return {name: folder for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR") if name not in inherited}


def isolate() -> None:
    """Let this process and its children find the stores. To be called before zenml or mlflow is imported.

    Raises `Unanswerable` where they cannot be found, because of the checkout's name.
    """
    if "?" in str(ROOT):
        raise Unanswerable(f"{ROOT}: ZenML and MLflow take what follows a ? for no path; rename the folder")
    os.environ |= variables(os.environ)
    (ROOT / ".mlflow").mkdir(exist_ok=True)
    # Stages are started as `python -m …`: let that be the Python that runs now.
    folder = str(Path(sys.executable).parent)
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = folder + os.pathsep + os.environ.get("PATH", "")


def launch(job: Callable[[], int]) -> int:
    """Do a job in this checkout's environment; returns the exit code: 0 good, 1 no, 2 it could not be asked."""
    try:
        isolate()
        relocate_stores()
        return job()
    except (Refused, Unanswerable) as error:
        print(f"myxtts: {error}", file=sys.stderr)
        return 1 if isinstance(error, Refused) else 2
