"""What `promote` and `rollback` have in common: whose champion it is, and the entry of the ledger that they print."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from commands.output import show

if TYPE_CHECKING:
    from registry.ledger import Entry


def add_preset(verb: argparse.ArgumentParser) -> None:
    """Give a verb that is about one registered model the flag `--preset`."""
    verb.add_argument("--preset", help="whose registered model (default: that of the newest version)")


def change(parsed: argparse.Namespace, changed: Callable[[], Entry]) -> int:
    """Change the champion, and print the entry of the ledger that says whether it was changed."""
    from registry.champions import NothingToDo

    try:
        entry = changed()
    except NothingToDo as nothing:
        show(parsed, None, [str(nothing)])
        return 0
    show(parsed, entry.as_json(), entry.lines())
    return 1 if entry.decision is None or entry.decision.outcome == "refused" else 0
