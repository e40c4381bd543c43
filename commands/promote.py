"""Make a version the champion, if every gate opens.

Ask every gate of configs/gates.yaml, show each with what it found, and make the version the champion if all open; the
ledger keeps what was found and who asked.
"""

from __future__ import annotations

import argparse

from commands.champion import add_preset, change
from commands.output import add_json, show
from common.errors import Unanswerable

EXAMPLES = """\
myxtts promote
myxtts promote 7 --dry-run
myxtts promote @challenger --override --reason "the recogniser mishears the new names\""""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("version", nargs="?", default="@challenger", metavar="VERSION|@ALIAS")
    add_preset(verb)
    verb.add_argument("--dry-run", action="store_true", help="ask the gates and change nothing")
    verb.add_argument("--override", action="store_true", help="promote although gates on quality stay shut")
    verb.add_argument("--reason", help="why to override; the ledger keeps it")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    if parsed.override != bool(parsed.reason):
        raise Unanswerable("--override needs --reason TEXT, and the other way round")
    from registry.champions import examine, promote
    from registry.ledger import verdict_lines
    from registry.store import default_preset

    preset = parsed.preset or default_preset()
    if not parsed.dry_run:
        return change(parsed, lambda: promote(preset, parsed.version, parsed.reason))
    version, verdicts = examine(preset, parsed.version)
    content = {"version": version, "verdicts": [verdict.model_dump() for verdict in verdicts]}
    show(parsed, content, [f"version {version}; nothing is changed", *verdict_lines(verdicts)])
    return 0 if all(verdict.passed for verdict in verdicts) else 1
