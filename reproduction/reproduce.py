"""Make a past run again from its commit and say whether it is the same; name what differs between two runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common import LOCK_FILE, ROOT
from common.files import file_digest, replacing
from common.git import find_commit, git
from common.packages import installed_packages
from configs.outs import MODEL_FILE, Outs
from evaluation.measures import read_metrics
from model.checkpoint import read_header
from registry.identity import occurrence
from reproduction.checkout import PastCheckout, checked_out, dvc_cache
from reproduction.comparison import (
    Difference,
    Provenance,
    compare_provenance,
    compare_results,
    compare_tensors,
    conclude,
)
from reproduction.finding import find_pair, find_past
from reproduction.lock import CURVE, NoRun, locked_runs
from reproduction.md5 import cached_md5s, file_md5, folder_md5s, listing_md5
from reproduction.past import (
    NotReproducible,
    PastRun,
    provenance_of_identity,
    provenance_of_lock,
    provenance_of_tree,
)
from reproduction.registered import fetch_registered, recognised, record_verdict
from reproduction.report import difference_lines
from reproduction.results import UTTERANCES, Results, known_of_both, read_utterances

Say = Callable[[str], None]


def reproduce(wanted: str | None, preset: str | None, say: Say) -> dict[str, Any]:
    """Make the run of a commit, version or `@alias` again, elsewhere; returns the verdict, as `--json` prints it.

    `reproduction.finding.find_past` says which run is meant, and what is raised if there is none. `say` is told what is
    being done. The checkout and its registry stay as they are, but for the verdict, which is kept under the registered
    run or, where the run is not registered, in `reports/<preset>/`. Raises `NotReproducible` for what cannot be made
    again.
    """
    past = find_past(wanted, preset)
    _require_whole(past)
    with checked_out(past) as checkout:
        say(f"{past.name} is made again in {checkout.root}")
        clips, data = _bring_corpus(past, checkout, say)
        kept = checkout.root.with_name("past")
        past = _bring_results(past, checkout, kept)
        if past_clips := cached_md5s(checkout.cache, past.provenance["corpus"]["corpus"]):
            past = replace(past, provenance={**past.provenance, "clips": past_clips})
        for line in difference_lines(compare_provenance(past.provenance, _met(past, clips)), "then", "here"):
            say(line)
        if not checkout.make(checkout.places.run_stage):
            raise NotReproducible(f"the code of {past.name} did not come to its end; the reason is above")
        different = compare_provenance(past.provenance, _provenance_made(past, checkout, clips))
        verdict = conclude(
            past.results,
            _results_made(checkout),
            _with_files_named(different, past.commit),
            hardware_known="hardware" in past.provenance,
        )
        made = verdict.as_dict() | {
            "run": past.name,
            "preset": past.preset,
            "commit": past.commit,
            "data": data,
            "tensors": _compare_checkpoints(kept, checkout.checkpoints),
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    return made | {"kept": _keep(past, made)}


def diff(one: str, other: str, preset: str | None) -> dict[str, Any]:
    """Name what differs between two runs, each a commit, a version or an `@alias`.

    `reproduction.finding.find_pair` says which runs are meant, and what is raised if there are none.
    """
    runs = find_pair(one, other, preset)
    listings = [cached_md5s(dvc_cache(), run.provenance["corpus"]["corpus"]) for run in runs]
    clips: list[Provenance] = [{"clips": listing} if all(listings) else {} for listing in listings]
    first, second = (
        {**run.provenance, **provenance_of_tree(run.commit), **more} for run, more in zip(runs, clips, strict=True)
    )
    results = compare_results(*known_of_both(runs[0].results, runs[1].results))
    return {
        "preset": runs[0].preset,
        "runs": [
            {"run": run.name, "commit": run.commit, "uncommitted": run.uncommitted, "recipe": run.recipe}
            for run in runs
        ],
        "differences": [vars(difference) for difference in compare_provenance(first, second)],
        "results": [vars(row) for row in results if not row.same],
    }


def _require_whole(past: PastRun) -> None:
    if past.uncommitted:
        raise NotReproducible(
            f"{past.name} was made from a checkout with uncommitted changes ({past.uncommitted}); "
            "no commit has all that decided it"
        )
    if not find_commit(past.commit):
        raise NoRun(f"{past.name} was made from commit {past.commit}, which is not in this clone; fetch it")


def _bring_corpus(past: PastRun, checkout: PastCheckout, say: Say) -> tuple[dict[str, str], str]:
    """Put the run's corpus into the checkout; returns the MD5 of its files, and in words where it came from."""
    stage = checkout.places.corpus_stage
    way = checkout.fetch(stage, checkout.corpus)
    if way is None:
        way = "made again from its source"
        say(f"data: {way}")
        if not checkout.make(stage):
            raise NotReproducible(f"the data of {past.name} cannot be had; the reason is above")
    clips = folder_md5s(checkout.corpus)
    found, recorded = listing_md5(clips), past.provenance["corpus"]["corpus"]
    data = f"{way}, " + (f"as recorded ({found})" if found == recorded else f"{found}, but recorded was {recorded}")
    say(f"data: {data}")
    return clips, data


def _bring_results(past: PastRun, checkout: PastCheckout, folder: Path) -> PastRun:
    """Put the run's checkpoints and table into a folder, as far as they were kept; the run with what they say."""
    folder.mkdir()
    if past.version:
        fetch_registered(past.version, folder)
    elif checkout.fetch(checkout.places.run_stage, checkout.checkpoints):
        for path in (*checkout.checkpoints.iterdir(), checkout.utterances):
            shutil.move(path, folder)
    results = replace(past.results, utterances=read_utterances(folder / UTTERANCES))
    return recognised(replace(past, results=results), sorted(folder.glob("*.safetensors")))


def _met(past: PastRun, clips: Mapping[str, str]) -> Provenance:
    """What a past run meets here: its corpus, the packages that it pinned as they are installed, this machine."""
    installed, here = installed_packages(), provenance_of_identity(occurrence())
    return {
        "clips": clips,
        "corpus": {"corpus": listing_md5(clips)},
        "packages": {name: installed.get(name) for name in past.provenance["packages"]},
        **{cause: {name: found.get(name) for name in past.provenance.get(cause, ())} for cause, found in here.items()},
    }


def _provenance_made(past: PastRun, checkout: PastCheckout, clips: Mapping[str, str]) -> Provenance:
    """What made the run of this moment."""
    recipe = read_header(checkout.checkpoints / MODEL_FILE)["recipe"]
    return {
        **provenance_of_lock(locked_runs(checkout.lock)[past.preset]),
        **_met(past, clips),
        "code": {"recipe": recipe["code"]},
        "locked": {LOCK_FILE: recipe["lock_file"]},
    }


def _results_made(checkout: PastCheckout) -> Results:
    return Results(
        {
            "checkpoints": listing_md5(folder_md5s(checkout.checkpoints)),
            CURVE: file_md5(checkout.curve),
            **{path.name: file_digest(path) for path in sorted(checkout.checkpoints.iterdir())},
        },
        read_metrics(checkout.metrics.read_text(encoding="utf-8")),
        read_utterances(checkout.utterances),
    )


def _with_files_named(different: Iterable[Difference], commit: str) -> list[Difference]:
    """Name the files that changed since `dvc.lock` was committed in the place of the folders that DVC names."""
    recorded = git("log", "-1", "--format=%H", commit, "--", "dvc.lock").strip()
    named: list[Difference] = []
    for difference in different:
        if difference.cause != "code" or not recorded:
            named.append(difference)
            continue
        rows = git("diff", "--raw", "--no-renames", "--no-abbrev", recorded, commit, "--", difference.name).splitlines()
        files = [row.split(maxsplit=5) for row in rows]
        named += [Difference("code", path, before, after) for _, _, before, after, _, path in files] or [difference]
    return named


def _compare_checkpoints(kept: Path, now: Path) -> dict[str, str]:
    """In words, how far apart the tensors of checkpoints are whose bytes differ."""
    pairs = {path.name: (path, now / path.name) for path in sorted(kept.glob("*.safetensors"))}
    return {
        name: compare_tensors(before, after)
        for name, (before, after) in pairs.items()
        if after.exists() and file_digest(before) != file_digest(after)
    }


def _keep(past: PastRun, made: Mapping[str, Any]) -> str:
    """Keep a verdict; returns where."""
    if past.version and (kept := record_verdict(past.version, made)):
        return kept
    path = Outs(past.preset, ROOT).reports / f"reproduction-{past.commit[:12]}.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(made, indent=2) + "\n")
    return path.relative_to(ROOT).as_posix()
