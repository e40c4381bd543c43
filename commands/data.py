"""Look at recordings before anything is trained on them."""

from __future__ import annotations

import argparse
from types import ModuleType

from commands import data_check, data_fix, data_import, data_report
from commands.verbs import add_verbs

EXAMPLES = "myxtts data import ~/voice"

VERBS: tuple[ModuleType, ...] = (data_import, data_check, data_fix, data_report)


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare its verbs."""
    add_verbs(verb, VERBS)
