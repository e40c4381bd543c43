"""What every verb prints: for people line by line, or as JSON for scripts."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from common.progress import Report, shown, silent


def add_json(verb: argparse.ArgumentParser) -> None:
    """Give a verb the flag `--json`."""
    verb.add_argument("--json", action="store_true", help="print the result as JSON")


def progress(parsed: argparse.Namespace) -> AbstractContextManager[Report]:
    """What tells of progress: nothing where the result is JSON."""
    return contextlib.nullcontext(silent) if parsed.json else shown()


def show(parsed: argparse.Namespace, content: Any, lines: Iterable[str]) -> None:
    """Print a result, as JSON or as lines."""
    print(json.dumps(content, indent=2, ensure_ascii=False) if parsed.json else "\n".join(lines))
