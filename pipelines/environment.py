"""Where stores lie, and nothing is sent out of the machine. Call `isolate` before importing zenml or mlflow."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from configs import ROOT


def isolate() -> None:
    """Keep ZenML and MLflow in this checkout, unless the environment says otherwise; no telemetry, no chatter."""
    os.environ |= {
        "ZENML_ANALYTICS_OPT_IN": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "DVC_NO_ANALYTICS": "1",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }
    defaults = {
        "ZENML_CONFIG_PATH": str(ROOT / ".zenml-home"),
        "ZENML_LOCAL_STORES_PATH": str(ROOT / ".zenml-home" / "stores"),
        "ZENML_LOGGING_VERBOSITY": "CRITICAL",
        "ZENML_ENABLE_REPO_INIT_WARNINGS": "false",
        "ZENML_ENABLE_RICH_TRACEBACK": "false",
        "MLFLOW_TRACKING_URI": f"sqlite:///{ROOT / '.mlflow' / 'mlflow.db'}",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    (ROOT / ".mlflow").mkdir(exist_ok=True)
    # Stages are started as `python -m …`: let that be the Python that runs now.
    folder = str(Path(sys.executable).parent)
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = folder + os.pathsep + os.environ.get("PATH", "")
