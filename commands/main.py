"""The console command `myxtts`. Exit codes: 0 done and good, 1 the answer is no, 2 it could not be asked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from commands import diff, env, models, promote, reproduce, rollback, run, synthesize, verify
from common.environment import launch

VERBS = (run, verify, synthesize, models, promote, rollback, reproduce, diff, env)
"""A module for each verb: its docstring is the help; `EXAMPLES`, `add_arguments` and `main` are the rest."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    return launch(lambda: int(parsed.main(parsed)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="myxtts",
        description="From recorded speech to a voice-cloning text-to-speech model that one can trust.",
        epilog="exit codes: 0 done and good, 1 the answer is no, 2 it could not be asked",
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for module in VERBS:
        summary, _, description = (module.__doc__ or "").partition("\n")
        examples = "\n".join(f"  {line}" for line in module.EXAMPLES.splitlines())
        verb = verbs.add_parser(
            module.__name__.rpartition(".")[2],
            help=summary.rstrip("."),
            description=description.strip() or summary,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(verb)
        verb.set_defaults(main=module.main)
    return parser


if __name__ == "__main__":
    sys.exit(main())
