"""The console command `myxtts`. Exit codes: 0 done and good, 1 the answer is no, 2 it could not be asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from registry.ledger import Entry


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
    run.add_argument("--commit", action="store_true", help="commit dvc.lock, settings, metrics and curve of the run")
    run.set_defaults(run=_run)

    reproduce = _verb(
        verbs,
        "reproduce",
        "make a past run again, and say whether it is the same",
        "Make the run of a commit, a registered version or an alias again, from its own code and data, in a folder "
        "apart.\nThe verdict is bit-identical or within tolerance (exit code 0), or different (1), with the first "
        "cause found.",
        "myxtts reproduce HEAD\nmyxtts reproduce 7 --preset smoke\nmyxtts reproduce @champion --json",
    )
    reproduce.add_argument("run_of", metavar="REV|VERSION|@ALIAS", help="a commit with a dvc.lock, or a version")
    reproduce.add_argument("--preset", default="demo", help="whose run (default: demo)")
    reproduce.set_defaults(run=_reproduce)

    diff = _verb(
        verbs,
        "diff",
        "name what differs between two runs",
        "Name what differs between two runs: data, settings, code, lock file, machine, and what came out.",
        "myxtts diff HEAD~1 HEAD\nmyxtts diff @champion @challenger --json",
    )
    diff.add_argument("one", metavar="REV|VERSION|@ALIAS")
    diff.add_argument("other", metavar="REV|VERSION|@ALIAS")
    diff.add_argument("--preset", default="demo", help="whose runs (default: demo)")
    diff.set_defaults(run=_diff)

    verify = _verb(
        verbs,
        "verify",
        "hold everything that states a fact to the facts",
        "Hold presets, models, checkpoints, data, documents, notebooks, dvc.yaml and registered versions to the facts; "
        "exit code 1 if any disagrees. The page of it: reports/consistency.html",
        "myxtts verify\nmyxtts verify --fix      # mend what has one right answer\nmyxtts verify --json",
    )
    verify.add_argument("--fix", action="store_true", help="mend what has one right answer")
    verify.set_defaults(run=_verify)

    synthesize = _verb(
        verbs,
        "synthesize",
        "speak text with a registered model",
        "Speak text into WAV files, with the champion, else the challenger; long text is spoken sentence by sentence.",
        'myxtts synthesize --text "Good morning." --out morning.wav\n'
        "myxtts synthesize --file lines.txt --out line.wav     # line-001.wav, line-002.wav, ...\n"
        "echo Hello. | myxtts synthesize --model @challenger --reference me.wav --out hello.wav",
    )
    what = synthesize.add_mutually_exclusive_group()
    what.add_argument("--text", help="what to say (default: lines of standard input)")
    what.add_argument("--file", type=Path, help="file with a text to say on each line")
    synthesize.add_argument("--out", type=Path, required=True, help="WAV file; numbered if there are several texts")
    synthesize.add_argument(
        "--reference", type=Path, help="recording of the voice to speak with (default: trained voice)"
    )
    synthesize.add_argument("--language", default="en", choices=("en", "es", "fa", "fr", "it", "ru"))
    synthesize.add_argument("--rate", type=float, default=1.0, help="speaking rate, 0.5 to 2 (default: 1)")
    synthesize.add_argument("--seed", type=int, default=0, help="of the noise in the sound (default: 0)")
    synthesize.add_argument("--preset", default="demo", help="whose registered model (default: demo)")
    synthesize.add_argument("--model", help="version, @alias, or folder with checkpoints such as checkpoints/demo")
    synthesize.add_argument("--int8", action="store_true", help="decode with 8-bit weights: faster on a CPU")
    synthesize.set_defaults(run=_synthesize)

    models = _verb(
        verbs,
        "models",
        "list the registered models and what became of them",
        "List registered versions, newest first, with their aliases, metrics, commit and date; or show one of them "
        "whole, or the ledger of promotions, or remove old versions.",
        "myxtts models\nmyxtts models --preset smoke --json\nmyxtts models @champion\nmyxtts models --history\n"
        "myxtts models --prune --keep 5     # champions past and present and tagged `myxtts.protected` ones stay",
    )
    models.add_argument("version", nargs="?", metavar="VERSION|@ALIAS", help="show this one whole")
    models.add_argument("--preset", help="only models of this preset (demo where one model is meant)")
    what_of_models = models.add_mutually_exclusive_group()
    what_of_models.add_argument("--history", action="store_true", help="show the ledger")
    what_of_models.add_argument("--prune", action="store_true", help="remove old versions")
    models.add_argument("--keep", type=int, default=5, help="with --prune: how many of the newest stay (default: 5)")
    models.set_defaults(run=_models)

    promote = _verb(
        verbs,
        "promote",
        "make a version the champion, if every gate opens",
        "Ask every gate of configs/gates.yaml, show each with what it found, and make the version the champion if all "
        "open; the ledger keeps what was found and who asked.",
        "myxtts promote\nmyxtts promote 7 --dry-run\n"
        'myxtts promote @challenger --override --reason "the recogniser mishears the new names"',
    )
    promote.add_argument("version", nargs="?", default="@challenger", metavar="VERSION|@ALIAS")
    promote.add_argument("--preset", default="demo", help="whose registered model (default: demo)")
    promote.add_argument("--dry-run", action="store_true", help="ask the gates and change nothing")
    promote.add_argument("--override", action="store_true", help="promote although gates on quality stay shut")
    promote.add_argument("--reason", help="why to override; the ledger keeps it")
    promote.set_defaults(run=_promote)

    rollback = _verb(
        verbs,
        "rollback",
        "return to the champion before",
        "Make the champion before, or another that once was, the champion again, if its files and identity are whole.",
        "myxtts rollback\nmyxtts rollback --to 3",
    )
    rollback.add_argument("--to", type=int, metavar="VERSION", help="which champion of the past (default: the last)")
    rollback.add_argument("--preset", default="demo", help="whose registered model (default: demo)")
    rollback.set_defaults(run=_rollback)
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
    from commands.run import RunError, run, summary_lines
    from configs.schema import ConfigError
    from reproduction.commit import CommitError

    try:
        made = run(parsed.preset, parsed.set, parsed.commit)
    except ConfigError as error:
        return _fail(error, 2)
    except (RunError, CommitError) as error:
        return _fail(error, 1)
    print(json.dumps(made, indent=2) if parsed.json else "\n".join(summary_lines(made)))
    return 0


def _reproduce(parsed: argparse.Namespace) -> int:
    from reproduction.comparison import DIFFERENT
    from reproduction.past import NotReproducible
    from reproduction.reproduce import reproduce, verdict_lines

    def say(message: str) -> None:
        print(f"myxtts: {message}", file=sys.stderr)

    try:
        made = reproduce(parsed.run_of, parsed.preset, say)
    except LookupError as error:
        return _fail(error, 2)
    except NotReproducible as error:
        return _fail(error, 1)
    print(json.dumps(made, indent=2) if parsed.json else "\n".join(verdict_lines(made)))
    return 1 if made["verdict"] == DIFFERENT else 0


def _diff(parsed: argparse.Namespace) -> int:
    from reproduction.past import NotReproducible
    from reproduction.reproduce import diff, diff_lines

    try:
        made = diff(parsed.one, parsed.other, parsed.preset)
    except LookupError as error:
        return _fail(error, 2)
    except NotReproducible as error:
        return _fail(error, 1)
    print(json.dumps(made, indent=2) if parsed.json else "\n".join(diff_lines(made)))
    return 0


def _verify(parsed: argparse.Namespace) -> int:
    from commands.verify import verify_checkout

    verdict = verify_checkout(parsed.fix)
    if parsed.json:
        print(json.dumps(verdict.as_json(), indent=2, ensure_ascii=False))
    else:
        from consistency.verify import lines

        print("\n".join(lines(verdict)))
    return 1 if verdict.drifts else 0


def _synthesize(parsed: argparse.Namespace) -> int:
    try:
        source = parsed.file.open(encoding="utf-8") if parsed.file else sys.stdin
        lines = [parsed.text] if parsed.text is not None else source.read().splitlines()
    except OSError as error:
        return _fail(error, 2)
    texts = [line for line in lines if line.strip()]
    if not texts:
        return _fail(ValueError("there is no text; give --text, --file or standard input"), 2)
    if parsed.reference and not parsed.reference.is_file():
        return _fail(FileNotFoundError(f"{parsed.reference}: no such file"), 2)

    from commands.synthesize import synthesize

    try:
        spoken = synthesize(
            texts,
            parsed.out,
            parsed.preset,
            parsed.model,
            parsed.language,
            parsed.reference,
            parsed.rate,
            parsed.seed,
            parsed.int8,
        )
    except (LookupError, ValueError, OSError) as error:
        return _fail(error, 2)
    except RuntimeError as error:
        return _fail(error, 1)
    if parsed.json:
        print(json.dumps(spoken, indent=2))
    for row in spoken:
        if row["error"]:
            print(f"myxtts: {row['error']}", file=sys.stderr)
        elif not parsed.json:
            print(row["file"])
    return 1 if any(row["error"] for row in spoken) else 0


def _models(parsed: argparse.Namespace) -> int:
    from common.environment import isolate

    isolate()
    from commands.models import version_line, whole_version
    from registry.champions import history, prune
    from registry.store import NoSuchModel, find, list_versions

    preset = parsed.preset or "demo"
    try:
        if parsed.history:
            entries = history(preset)
            _show(parsed, [entry.as_json() for entry in entries], [line for entry in entries for line in entry.lines()])
        elif parsed.prune:
            entry = prune(preset, parsed.keep)
            _show(parsed, entry.as_json(), entry.lines())
        elif parsed.version:
            number = int(find(preset, parsed.version).version)
            version = next(version for version in list_versions(preset) if version["version"] == number)
            _show(parsed, version, whole_version(version, history(preset)))
        else:
            versions = list_versions(parsed.preset)
            none = ["No model is registered yet; `myxtts run` makes one."]
            _show(parsed, versions, map(version_line, versions) if versions else none)
    except (NoSuchModel, ValueError) as error:
        return _fail(error, 2)
    return 0


def _promote(parsed: argparse.Namespace) -> int:
    if parsed.override != bool(parsed.reason):
        return _fail(ValueError("--override needs --reason TEXT, and the other way round"), 2)
    from common.environment import isolate

    isolate()
    from registry.champions import examine, promote
    from registry.ledger import verdict_lines

    if not parsed.dry_run:
        return _change(parsed, lambda: promote(parsed.preset, parsed.version, parsed.reason))
    try:
        version, verdicts = examine(parsed.preset, parsed.version)
    except (LookupError, ValueError) as error:
        return _fail(error, 2)
    content = {"version": version, "verdicts": [verdict.model_dump() for verdict in verdicts]}
    _show(parsed, content, [f"version {version}; nothing is changed", *verdict_lines(verdicts)])
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def _rollback(parsed: argparse.Namespace) -> int:
    from common.environment import isolate

    isolate()
    from registry.champions import rollback

    return _change(parsed, lambda: rollback(parsed.preset, parsed.to))


def _change(parsed: argparse.Namespace, change: Callable[[], Entry]) -> int:
    """Change the champion, and print the entry of the ledger that says whether it was changed."""
    from mlflow.exceptions import MlflowException

    from registry.champions import NothingToDo

    try:
        entry = change()
    except NothingToDo as nothing:
        _show(parsed, None, [str(nothing)])
        return 0
    except (LookupError, ValueError, MlflowException) as error:
        return _fail(error, 2)
    except TimeoutError as error:
        return _fail(error, 1)
    _show(parsed, entry.as_json(), entry.lines())
    return 1 if entry.decision is None or entry.decision.outcome == "refused" else 0


def _show(parsed: argparse.Namespace, content: Any, lines: Iterable[str]) -> None:
    print(json.dumps(content, indent=2) if parsed.json else "\n".join(lines))


def _fail(error: Exception, code: int) -> int:
    print(f"myxtts: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
