"""The console command `myxtts`. Exit codes: 0 done and good, 1 the answer is no, 2 it could not be asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    code: int = parsed.run(parsed)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="myxtts",
        description="From recorded speech to a voice-cloning text-to-speech model that one can trust.",
        epilog="exit codes: 0 done and good, 1 the answer is no, 2 it could not be asked",
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    run = _verb(
        verbs,
        "run",
        "build the corpus, validate, verify, train, evaluate and register",
        "Make everything that a preset describes, as far as it is not there yet, and register the model.",
        "myxtts run\nmyxtts run smoke --set train.steps=50\nmyxtts run demo --json",
    )
    run.add_argument("preset", nargs="?", default="demo", help="name of a file in configs/ (default: demo)")
    run.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the preset's file first"
    )
    run.set_defaults(run=_run)

    models = _verb(
        verbs,
        "models",
        "list the registered models",
        "List registered versions, newest first, with their aliases, identity and metrics.",
        "myxtts models\nmyxtts models demo --json",
    )
    models.add_argument("preset", nargs="?", help="only models of this preset")
    models.set_defaults(run=_models)
    return parser


def _verb(verbs: Any, name: str, summary: str, description: str, examples: str) -> argparse.ArgumentParser:
    indented = "\n".join(f"  {line}" for line in examples.splitlines())
    verb: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:\n{indented}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument("--json", action="store_true", help="print the result as JSON")
    return verb


def _run(parsed: argparse.Namespace) -> int:
    from configs.schema import ConfigError
    from pipelines.run import RunError, run, summary_lines

    try:
        made = run(parsed.preset, parsed.set)
    except ConfigError as error:
        return _fail(error, 2)
    except RunError as error:
        return _fail(error, 1)
    print(json.dumps(made, indent=2) if parsed.json else "\n".join(summary_lines(made)))
    return 0


def _models(parsed: argparse.Namespace) -> int:
    from pipelines.environment import isolate

    isolate()
    from registry.store import list_versions

    versions = list_versions(parsed.preset)
    if parsed.json:
        print(json.dumps(versions, indent=2))
        return 0
    if not versions:
        print("No model is registered yet; `myxtts run` makes one.")
    for version in versions:
        figures = version["metrics"]
        shown = ", ".join(f"{name} {figures[name]:.3f}" for name in ("cer", "dnsmos", "mel_l1") if name in figures)
        aliases = f" ({', '.join(version['aliases'])})" if version["aliases"] else ""
        print(
            f"{version['name']} {version['version']}{aliases}: {shown}; recipe {version['identity']['recipe.id'][:12]}"
        )
    return 0


def _fail(error: Exception, code: int) -> int:
    print(f"myxtts: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
