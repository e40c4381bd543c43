"""Make a past run again, and say whether it is the same.

Make the run of a commit, a registered version or an alias again, from its own code and data, in a folder apart.
The verdict is bit-identical or within tolerance (exit code 0), or different (1), with the first cause found.
Without an argument: the last run that was recorded in a commit.
"""

from __future__ import annotations

import argparse
import sys

from commands.output import add_json, show

EXAMPLES = """\
myxtts reproduce
myxtts reproduce 7 --preset smoke
myxtts reproduce @champion --json"""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument(
        "run_of", nargs="?", metavar="REV|VERSION|@ALIAS", help="a commit with a dvc.lock, or a registered version"
    )
    verb.add_argument("--preset", help="whose run (default: that which the commit made, or of the newest version)")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from reproduction.comparison import DIFFERENT
    from reproduction.report import verdict_lines
    from reproduction.reproduce import reproduce

    made = reproduce(parsed.run_of, parsed.preset, lambda said: print(f"myxtts: {said}", file=sys.stderr))
    show(parsed, made, verdict_lines(made))
    return 1 if made["verdict"] == DIFFERENT else 0
