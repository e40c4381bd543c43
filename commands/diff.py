"""Name what differs between two runs.

Name what differs between two runs: data, settings, code, lock file, machine, and what came out.
"""

from __future__ import annotations

import argparse

from commands.output import add_json, show

EXAMPLES = "myxtts diff HEAD~1 HEAD\nmyxtts diff @champion @challenger --json"


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("one", metavar="REV|VERSION|@ALIAS")
    verb.add_argument("other", metavar="REV|VERSION|@ALIAS")
    verb.add_argument("--preset", help="whose runs (default: that which the commits made, or of the newest version)")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from reproduction.report import diff_lines
    from reproduction.reproduce import diff

    made = diff(parsed.one, parsed.other, parsed.preset)
    show(parsed, made, diff_lines(made))
    return 0
