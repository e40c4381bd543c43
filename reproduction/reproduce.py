"""Make a past run again from its commit and say whether it is the same; name what differs between two runs."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common import LOCK_FILE, ROOT
from common.dvc import run_dvc
from common.environment import isolate
from common.files import file_digest, replacing
from common.git import git
from configs.outs import Outs
from evaluation.measures import read_metrics
from reproduction.comparison import Difference, Facts, Results, compare, compare_tensors, differences, judge
from reproduction.past import (
    NotReproducible,
    PastRun,
    cached_listing,
    facts_of_lock,
    facts_of_tree,
    fetch_registered,
    file_md5,
    find_past,
    folder_listing,
    folder_md5,
    hardware_here,
    installed_packages,
    read_utterances,
    record_verdict,
    registered_as,
)

Say = Callable[[str], None]
Dvc = Callable[..., str | None]

_NOT_INHERITED = ("ZENML_", "MLFLOW_", "MYXTTS_", "DVC_ROOT", "DVC_STAGE")
_SHOWN_DIFFERENCES = 20


def reproduce(wanted: str, preset: str, say: Say) -> dict[str, Any]:
    """Make the run of a commit, version or `@alias` again, elsewhere; returns the verdict, as `--json` prints it.

    `say` is told what is being done. The checkout and its registry stay as they are, but for the verdict, which is
    kept under the registered run or, where the run is not registered, in `reports/<preset>/`.
    Raises `LookupError` for what does not exist and `NotReproducible` for what cannot be made again.
    """
    isolate()
    past = find_past(wanted, preset)
    _refuse(past)
    with _worktree(past.commit) as checkout:
        say(f"{past.name} is made again in {checkout}")
        dvc = functools.partial(run_dvc, folder=checkout, environment=_environment(checkout))
        cache, outs, then = _cache(), Outs(preset, checkout), checkout.with_name("past")
        _share_cache(checkout, cache)
        if past.lock:
            (checkout / "dvc.lock").write_text(past.lock)
        clips, data = _bring_corpus(past, outs, dvc, say)
        past = _bring_results(past, outs, dvc, then)
        past_clips = cached_listing(cache, past.facts["corpus"]["corpus"])
        facts = {**past.facts, "clips": past_clips} if past_clips else past.facts
        for line in _difference_lines(differences(facts, _facts_found(past, clips)), "then", "here"):
            say(line)
        if dvc("repro", "--single-item", "--force", "--no-commit", f"voice@{preset}") is None:
            raise NotReproducible(f"the code of {past.name} did not come to its end; the reason is above")
        different = _with_files_named(differences(facts, _facts_made(past, outs, clips)), past.commit)
        verdict = judge(past.results, _results(outs), different, hardware_known="hardware" in past.facts)
        made = verdict.as_dict() | {
            "run": past.name,
            "preset": preset,
            "commit": past.commit,
            "data": data,
            "tensors": _compare_checkpoints(then, outs.checkpoints),
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    return made | {"kept": _keep(past, made)}


def diff(one: str, other: str, preset: str) -> dict[str, Any]:
    """Name what differs between two runs, each a commit, a version or an `@alias`.

    Raises `LookupError` for what does not exist and `NotReproducible` for a commit that records no run.
    """
    isolate()
    runs = [find_past(wanted, preset) for wanted in (one, other)]
    listings = [cached_listing(_cache(), run.facts["corpus"]["corpus"]) for run in runs]
    clips = [{"clips": listing} if all(listings) else {} for listing in listings]
    first, second = ({**run.facts, **facts_of_tree(run.commit), **more} for run, more in zip(runs, clips, strict=True))
    return {
        "runs": [
            {"run": run.name, "commit": run.commit, "uncommitted": run.uncommitted, "recipe": run.recipe}
            for run in runs
        ],
        "differences": [vars(difference) for difference in differences(first, second)],
        "results": [vars(row) for row in compare(*_common(*(run.results for run in runs))) if not row.same],
    }


def verdict_lines(made: Mapping[str, Any]) -> list[str]:
    """What to print of a verdict."""
    because = f" ({made['cause']})" if made["cause"] else ""
    lines = [*_table(made["results"], "then", "now"), ""]
    lines += [f"{name}: {words}" for name, words in made["tensors"].items()]
    lines += [f"not compared, because it was not kept: {name}" for name in made["not_compared"]]
    different = [Difference(**row) for row in made["differences"]]
    lines += [f"data: {made['data']}", *_difference_lines(different, "then", "now")]
    return [*lines, f"kept in {made['kept']}", "", f"{made['run']}: {made['verdict']}{because}"]


def diff_lines(made: Mapping[str, Any]) -> list[str]:
    """What to print of two runs."""
    names = [run["run"] for run in made["runs"]]
    lines = [
        f"{run['run']}: commit {run['commit'][:12]}"
        + (f", recipe {run['recipe'][:12]}" if run["recipe"] else "")
        + (f", uncommitted: {run['uncommitted']}" if run["uncommitted"] else "")
        for run in made["runs"]
    ]
    if not made["differences"] and not made["results"]:
        return [*lines, "nothing that is known of both differs"]
    different = [Difference(**row) for row in made["differences"]]
    return [*lines, *_difference_lines(different, *names), *_table(made["results"], *names)]


def _refuse(past: PastRun) -> None:
    if past.uncommitted:
        raise NotReproducible(
            f"{past.name} was made from a checkout with uncommitted changes ({past.uncommitted}); "
            "no commit has all that decided it"
        )
    if not git("rev-parse", "--verify", "--quiet", f"{past.commit}^{{commit}}"):
        raise LookupError(f"{past.name} was made from commit {past.commit}, which is not in this clone; fetch it")


@contextlib.contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    """The commit, checked out in a folder of its own inside another; both are gone when the block ends."""
    handler = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="myxtts-") as folder:
            checkout = Path(folder, "checkout")
            # No hooks: one of DVC's would check out more than is needed.
            add = ["git", "-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", str(checkout), commit]
            try:
                done = subprocess.run(add, cwd=ROOT, capture_output=True, text=True)
                if done.returncode:
                    raise NotReproducible(f"commit {commit[:12]} cannot be checked out: {done.stderr.strip()}")
                yield checkout
            finally:
                git("worktree", "remove", "--force", str(checkout))
                git("worktree", "prune")
    finally:
        signal.signal(signal.SIGTERM, handler)


def _environment(checkout: Path) -> dict[str, str]:
    """An environment in which the checkout's own code runs, with stores of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return inherited | {"PYTHONPATH": str(checkout), "DVC_SITE_CACHE_DIR": str(checkout.with_name("dvc-site"))}


def _cache() -> Path:
    """DVC's cache of the user's checkout."""
    from dvc.config import Config

    return Path(Config(str(ROOT / ".dvc"))["cache"].get("dir") or ROOT / ".dvc" / "cache")


def _share_cache(checkout: Path, cache: Path) -> None:
    """Give a checkout DVC's cache and the remotes that the user has now."""
    from dvc.config import Config, merge

    now = Config(str(ROOT / ".dvc"))
    with Config(str(checkout / ".dvc")).edit("local") as local:
        for level in ("repo", "local"):
            merge(local, now.load_one(level))
        local["cache"]["dir"] = str(cache)


def _has_remote() -> bool:
    from dvc.config import Config

    return bool(Config(str(ROOT / ".dvc"))["core"].get("remote"))


def _bring_corpus(past: PastRun, outs: Outs, dvc: Dvc, say: Say) -> tuple[dict[str, str], str]:
    """Put the run's corpus into the checkout; returns the MD5 of its files, and in words where it came from."""
    stage = f"corpus@{past.preset}"
    ways = {
        "from DVC's cache": ("checkout", stage),
        "pulled from DVC's remote": ("pull", stage),
        "made again from its source": ("repro", "--single-item", "--force", "--no-commit", stage),
    }
    for way, command in ways.items():
        if command[0] == "pull" and not _has_remote():
            continue
        say(f"data: {way}")
        if dvc(*command) is not None and outs.corpus.is_dir():
            break
    else:
        raise NotReproducible(f"the data of {past.name} cannot be had; the reason is above")
    clips = folder_listing(outs.corpus)
    found, recorded = folder_md5(clips), past.facts["corpus"]["corpus"]
    data = f"{way}, " + (f"as recorded ({found})" if found == recorded else f"{found}, but recorded was {recorded}")
    say(f"data: {data}")
    return clips, data


def _bring_results(past: PastRun, outs: Outs, dvc: Dvc, folder: Path) -> PastRun:
    """Put the run's checkpoints and table into a folder, as far as they were kept; the run with what they say."""
    folder.mkdir()
    stage = f"voice@{past.preset}"
    if past.version:
        fetch_registered(past.version, folder)
    elif dvc("checkout", stage) is not None or (_has_remote() and dvc("pull", stage) is not None):
        for path in (*outs.checkpoints.iterdir(), outs.reports / "listening" / "utterances.csv"):
            shutil.move(path, folder)
    results = replace(past.results, utterances=read_utterances(folder / "utterances.csv"))
    return registered_as(replace(past, results=results), sorted(folder.glob("*.safetensors")))


def _facts_found(past: PastRun, clips: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """What a past run meets here: its corpus, the packages that it pinned as they are installed, this machine."""
    installed = installed_packages()
    return {
        "clips": clips,
        "corpus": {"corpus": folder_md5(clips)},
        "packages": {name: installed.get(name) for name in past.facts["packages"]},
        "python": {"python": installed["python"]},
        "hardware": hardware_here(),
    }


def _facts_made(past: PastRun, outs: Outs, clips: Mapping[str, str]) -> Facts:
    """What made the run of this moment."""
    from model.checkpoint import read_header

    recipe = read_header(outs.checkpoints / "model.safetensors")["recipe"]
    return {
        **facts_of_lock((outs.root / "dvc.lock").read_text(), outs.preset),
        **_facts_found(past, clips),
        "code": {"recipe": recipe["code"]},
        "locked": {LOCK_FILE: recipe["lock_file"]},
    }


def _results(outs: Outs) -> Results:
    return Results(
        {
            "checkpoints": folder_md5(folder_listing(outs.checkpoints)),
            "training.csv": file_md5(outs.reports / "training.csv"),
            **{path.name: file_digest(path) for path in sorted(outs.checkpoints.iterdir())},
        },
        read_metrics((outs.reports / "metrics.json").read_text()),
        read_utterances(outs.reports / "listening" / "utterances.csv"),
    )


def _with_files_named(different: Iterable[Difference], commit: str) -> list[Difference]:
    """Name the files that changed since `dvc.lock` was committed in the place of the folders that DVC names."""
    recorded = git("log", "-1", "--format=%H", commit, "--", "dvc.lock").strip()
    named: list[Difference] = []
    for difference in different:
        lines = git("diff", "--raw", "--no-abbrev", recorded, commit, "--", difference.name).splitlines()
        if difference.cause != "code" or not lines:
            named.append(difference)
            continue
        for line in lines:
            _, _, before, after, _, path = line.split(maxsplit=5)
            named.append(Difference("code", path, before, after))
    return named


def _compare_checkpoints(then: Path, now: Path) -> dict[str, str]:
    """In words, how far apart the tensors of checkpoints are whose bytes differ."""
    pairs = {path.name: (path, now / path.name) for path in sorted(then.glob("*.safetensors"))}
    return {
        name: compare_tensors(before, after)
        for name, (before, after) in pairs.items()
        if after.exists() and file_digest(before) != file_digest(after)
    }


def _keep(past: PastRun, made: Mapping[str, Any]) -> str:
    """Keep a verdict; returns where."""
    if past.version:
        return record_verdict(past.version, made)
    path = Outs(past.preset).reports / f"reproduction-{past.commit[:12]}.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(made, indent=2) + "\n")
    return path.relative_to(ROOT).as_posix()


def _common(one: Results, other: Results) -> tuple[Results, Results]:
    """What is known of both."""
    digests = [
        {name: run.digests[name] for name in run.digests if name in one.digests.keys() & other.digests.keys()}
        for run in (one, other)
    ]
    metrics = [run.metrics if one.metrics and other.metrics else {} for run in (one, other)]
    return Results(digests[0], metrics[0]), Results(digests[1], metrics[1])


def _table(rows: Iterable[Mapping[str, Any]], first: str, second: str) -> list[str]:
    cells = [("", first, second, "")]
    cells += [(row["what"], row["past"], row["now"], "" if row["same"] else "differs") for row in rows]
    return [f"{what:32}{past[:20]:>20}  {now[:20]:>20}  {same}".rstrip() for what, past, now, same in cells]


def _difference_lines(different: Sequence[Difference], first: str, second: str) -> list[str]:
    lines = [
        f"{difference.cause}: {difference.name}: {first} {difference.past}, {second} {difference.now}"
        for difference in different[:_SHOWN_DIFFERENCES]
    ]
    more = len(different) - len(lines)
    return [*lines, *([f"and {more} more; --json names them all"] if more else [])]
