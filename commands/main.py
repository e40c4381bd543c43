"""The console command `myxtts`. Exit codes: 0 done and good, 1 the answer is no, 2 it could not be asked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from commands import data, diff, env, models, promote, reproduce, rollback, run, synthesize, verify
from commands.verbs import add_verbs
from common.environment import launch

VERBS = (run, data, verify, synthesize, models, promote, rollback, reproduce, diff, env)


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
    add_verbs(parser, VERBS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
