"""Build the corpus, validate, verify, train, evaluate and register.

Make everything that a preset describes, as far as it is not there yet, and register the model.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from commands.output import add_json, show
from common import ROOT
from common.dvc import mend_lock, run_dvc, unreadable
from common.errors import Refused
from common.git import COMMIT_VARIABLE, DIRTY_VARIABLE, checkout_state
from configs.editing import apply_settings, list_preset
from configs.outs import Outs, source_path
from configs.schema import Config, load_config
from consistency.rules import check_config
from evaluation.measures import CEILINGS, MEASURES, MISSING, WITH_CEILINGS, unheard
from pipelines.plan import plan, run_id
from reproduction.record import commit_run, files_to_commit, require_committed_code

EXAMPLES = """\
myxtts run
myxtts run smoke --set train.steps=50
myxtts run demo --json"""


class RunError(Refused):
    """The run came to an end before its goal; the message says why."""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("preset", nargs="?", default="demo", help="name of a file in configs/ (default: demo)")
    verb.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the preset's file first"
    )
    verb.add_argument("--commit", action="store_true", help="commit dvc.lock, settings, metrics and curve of the run")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    made = run(parsed.preset, parsed.set, parsed.commit)
    show(parsed, made, _summary(made))
    return 0


def run(preset: str, settings: Sequence[str], commit: bool) -> dict[str, Any]:
    """Make everything that the preset describes; returns what was made, as `--json` prints it.

    With `commit`, what belongs to the run is committed, and the registered version says so.
    Raises `ConfigError` for settings that are refused, `CommitError` for a run that cannot be committed and `RunError`
    for one that did not reach the registry.
    """
    from evaluation.recognisers import folder_of

    with _alone():
        made_from = require_committed_code() if commit else ""
        config = apply_settings(preset, settings)
        if wrong := [finding for finding in check_config(config, preset) if not finding.agrees]:
            raise RunError("\n".join(map(str, wrong)))
        folder_of(config.evaluation.recogniser)
        state = checkout_state()
        if not state.commit:
            print(f"myxtts: the run will count as uncommitted: {state.uncommitted or 'no commit yet'}", file=sys.stderr)
        os.environ |= {COMMIT_VARIABLE: state.commit, DIRTY_VARIABLE: state.uncommitted}
        list_preset(preset, _source(config), ROOT)
        mend_lock()
        target = f"voice@{preset}"
        status = run_dvc("status", "--with-deps", "--json", target, capture=True)
        stale = status is None or bool(json.loads(status))
        if stale and run_dvc("repro", target) is None:
            raise RunError(f"The run of {preset!r} stopped; nothing was registered. The reason is above.")
        return _register(preset, stale, made_from)


def _source(config: Config) -> Path | None:
    """What the recordings are made of, as DVC is to know it. Raises `RunError` if DVC could not."""
    if config.data.path is None:
        return None
    path = source_path(config.data.path)
    if problems := [f"data.path = {config.data.path}: {problem}" for problem in unreadable(path)]:
        raise RunError("\n".join(problems))
    return Path(os.path.expanduser(config.data.path))


def _register(preset: str, changed: bool, made_from: str) -> dict[str, Any]:
    """See that the run is registered, and committed if it was made from a commit for that; what was made."""
    from registry.identity import Identity
    from registry.registration import register
    from registry.store import model_name
    from reproduction.lock import source_digest
    from reproduction.registered import record_commit

    outs = Outs(preset)
    # DVC may have restored the results of an earlier run without running anything.
    lineage = {"zenml_run": "restored by DVC", "source": source_digest(preset)}
    version = register(preset, run_id(plan(preset, load_config(preset))), lineage)
    identity = Identity.from_tags(version.tags)
    message = f"Run {preset}: version {version.version}, recipe {identity.recipe['id'][:12]}"
    if made_from:
        record_commit(version, commit_run(preset, message, made_from))
    examples = sorted((outs.reports / "listening" / "audio").glob("*-speech.wav"))
    return {
        "preset": preset,
        "changed": changed,
        "name": model_name(preset),
        "version": int(version.version),
        "aliases": sorted(version.aliases),
        "metrics": json.loads((outs.reports / "metrics.json").read_text()),
        "asr": identity.asr,
        "checkpoints": outs.checkpoints.relative_to(ROOT).as_posix(),
        "audio": [path.relative_to(ROOT).as_posix() for path in examples],
        "to_commit": files_to_commit(preset) if checkout_state().commit else [],
        "message": message,
        "page": (outs.reports / "listening" / "index.html").relative_to(ROOT).as_posix(),
    }


def _summary(made: dict[str, Any]) -> list[str]:
    """What to print at the end of a run."""
    quality, speed = made["metrics"]["quality"], made["metrics"]["speed"]
    first = "" if made["changed"] else "Nothing has changed since the last run; nothing was run again.\n"
    lines = [f"{first}{made['name']} version {made['version']} ({', '.join(made['aliases'])})", ""]
    head = f"on {quality['utterances']:.0f} held-out sentences"
    lines.append(f"{head:34}{'speech':>9}{'vocoded':>9}{'recorded':>9}")
    for name in WITH_CEILINGS:
        figures = [quality.get(f"{name}{kind}") for kind in ("", *CEILINGS)]
        shown = "".join(f"{MISSING:>9}" if figure is None else f"{figure:9.3f}" for figure in figures)
        lines.append(f"  {MEASURES[name].title:32}{shown}")
    lines.append(f"  {MEASURES['ended_percent'].title:32}{quality['ended_percent']:8.0f}%")
    lines.append(f"  {MEASURES['rtf'].title:32}{speed['rtf']:9.3f}")
    lines.append(f"  error rates by {made['asr']}" + (f"; {why}" if (why := unheard(quality)) else ""))
    lines += ["", "Listen:", *(f"  {path}" for path in made["audio"]), f"See: {made['page']}"]
    if made["to_commit"]:
        files = " ".join(map(shlex.quote, made["to_commit"]))
        command = f"git commit --only {files} --message {shlex.quote(made['message'])}"
        lines += ["", "To keep the run with its commit (or let `myxtts run --commit` do it):"]
        lines += [f"  git add {files}", f"  {command}"]
    return lines


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep a second run out of this checkout; what keeps it out ends with this process, however that ends."""
    path = ROOT / ".work" / "run.lock"
    path.parent.mkdir(exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RunError(f"Process {file.read()} is making a run in this checkout; let it end first.") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
