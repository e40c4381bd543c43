"""Return to the champion before.

Make the champion before, or another that once was, the champion again, if its files and identity are whole.
"""

from __future__ import annotations

import argparse

from commands.champion import add_preset, change
from commands.output import add_json

EXAMPLES = "myxtts rollback\nmyxtts rollback --to 3"


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("--to", type=int, metavar="VERSION", help="which champion of the past (default: the last)")
    add_preset(verb)
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from registry.champions import rollback
    from registry.store import default_preset

    return change(parsed, lambda: rollback(parsed.preset or default_preset(), parsed.to))
