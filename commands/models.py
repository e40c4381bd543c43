"""List the registered models and what became of them.

List registered versions, newest first, with their aliases, metrics, commit and date; or show one of them whole, or the
ledger of promotions, or remove old versions.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.output import add_json, show

if TYPE_CHECKING:
    from registry.ledger import Entry

EXAMPLES = """\
myxtts models
myxtts models --preset smoke --json
myxtts models @champion
myxtts models --history
myxtts models --prune --keep 5     # champions past and present and tagged `myxtts.protected` ones stay"""

_SHOWN = ("cer", "cer_vocoded", "dnsmos", "mel_l1", "rtf")


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("version", nargs="?", metavar="VERSION|@ALIAS", help="show this one whole")
    verb.add_argument(
        "--preset", help="only models of this preset (where one model is meant, by default that of the newest version)"
    )
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--history", action="store_true", help="show the ledger")
    what.add_argument("--prune", action="store_true", help="remove old versions")
    verb.add_argument("--keep", type=int, default=5, help="with --prune: how many of the newest stay (default: 5)")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from registry.champions import history, prune
    from registry.store import default_preset, find, list_versions

    if parsed.history:
        entries = history(parsed.preset or default_preset())
        show(parsed, [entry.as_json() for entry in entries], [line for entry in entries for line in entry.lines()])
    elif parsed.prune:
        entry = prune(parsed.preset or default_preset(), parsed.keep)
        show(parsed, entry.as_json(), entry.lines())
    elif parsed.version:
        preset = parsed.preset or default_preset()
        number = int(find(preset, parsed.version).version)
        version = next(version for version in list_versions(preset) if version["version"] == number)
        show(parsed, version, _whole(version, history(preset)))
    else:
        versions = list_versions(parsed.preset)
        none = ["No model is registered yet; `myxtts run` makes one."]
        show(parsed, versions, map(_line, versions) if versions else none)
    return 0


def _line(version: dict[str, Any]) -> str:
    identity, metrics = version["identity"], version["metrics"]
    aliases = f" ({', '.join(version['aliases'])})" if version["aliases"] else ""
    figures = ", ".join(f"{name} {metrics[name]:.3f}" for name in _SHOWN if name in metrics)
    commit = identity.get("commit", "none")[:12] + ("" if identity.get("clean") == "true" else " and changes")
    said = "; ".join(filter(None, [figures, version["fault"], f"commit {commit}", _date(version)]))
    return f"{version['name']} {version['version']}{aliases}: {said}"


def _whole(version: dict[str, Any], history: Sequence[Entry]) -> Iterator[str]:
    """All that is known of a version, and what the ledger says of it."""
    yield _line(version)
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
