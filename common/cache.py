"""Where this user keeps what can be made again."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """The folder `$XDG_CACHE_HOME/myxtts/<name>`, made if need be; None if it cannot be written."""
    with contextlib.suppress(OSError, RuntimeError):  # a home that cannot be written, or that nobody knows
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base, "myxtts", name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder if os.access(folder, os.W_OK) else None
    return None
