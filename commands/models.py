"""What `myxtts models` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from registry.ledger import Entry

_SHOWN = ("cer", "cer_vocoded", "dnsmos", "mel_l1", "rtf")


def version_line(version: dict[str, Any]) -> str:
    """A version as `registry.store.list_versions` gives it, in a line."""
    identity, metrics = version["identity"], version["metrics"]
    aliases = f" ({', '.join(version['aliases'])})" if version["aliases"] else ""
    figures = ", ".join(f"{name} {metrics[name]:.3f}" for name in _SHOWN if name in metrics)
    commit = identity.get("commit", "none")[:12] + ("" if identity.get("clean") == "true" else " and changes")
    return f"{version['name']} {version['version']}{aliases}: {figures}; commit {commit}; {_date(version)}"


def whole_version(version: dict[str, Any], history: Sequence[Entry]) -> Iterator[str]:
    """All that is known of a version, and what the ledger says of it."""
    yield version_line(version)
    for title in ("identity", "metrics"):
        yield f"\n{title}"
        for name, value in version[title].items():
            yield f"  {name:28} {value if isinstance(value, str) else format(value, '.5g')}"
    yield "\nledger"
    for entry in history:
        if entry.version == version["version"]:
            yield from entry.lines()


def _date(version: dict[str, Any]) -> str:
    return datetime.fromtimestamp(version["registered"] / 1000, UTC).isoformat(sep=" ", timespec="minutes")
