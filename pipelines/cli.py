"""The console command `myxtts`. Exit codes: 0 done and good, 1 the answer is no, 2 it could not be asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
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


def _verify(parsed: argparse.Namespace) -> int:
    from pipelines.verify import verify_checkout

    verdict = verify_checkout(parsed.fix)
    if parsed.json:
        print(json.dumps(verdict.as_json(), indent=2, ensure_ascii=False))
    else:
        from consistency.verdict import lines

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

    from pipelines.synthesize import synthesize

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
