"""How a verb of the console command is made of a module."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from types import ModuleType


def add_verbs(parser: argparse.ArgumentParser, modules: Sequence[ModuleType]) -> None:
    """A verb for each module, called as its last word is (`commands.data_check` after `data` is `check`).

    Its docstring is the help; `EXAMPLES`, `add_arguments` and `main`, which returns the exit code, are the rest.
    """
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for module in modules:
        summary, _, description = (module.__doc__ or "").partition("\n")
        examples = "\n".join(f"  {line}" for line in module.EXAMPLES.splitlines())
        verb = verbs.add_parser(
            module.__name__.rpartition(".")[2].rpartition("_")[2],
            help=summary.rstrip("."),
            description=description.strip() or summary,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(verb)
        if module.__dict__.get("main"):
            verb.set_defaults(main=module.main)
