"""Which past run is meant: by a commit, a version, an `@alias` or nothing at all, with a preset named or not."""

from __future__ import annotations

import re

from common.git import find_commit, first_parent, git, is_shallow
from registry.store import default_preset
from reproduction.lock import LockedRun, NoRun
from reproduction.past import NotReproducible, PastRun, run_of_commit, runs_at
from reproduction.registered import run_of_version

_FETCH = ", which is shallow; `git fetch --unshallow` brings the rest"


def find_past(wanted: str | None, preset: str | None) -> PastRun:
    """The run of a commit, of a registered version by number, or of an `@alias`.

    Without `wanted` it is the last run that a commit recorded; without `preset` that which the commit made, or that of
    the newest version. Raises `NoRun` for what does not exist or is more than one, `NoSuchModel`, and
    `NotReproducible` if the commit records no run.
    """
    if wanted is None:
        wanted = _last_recorded(preset)
    if _is_version(wanted):
        return run_of_version(wanted, preset or default_preset())
    commit = _commit(wanted)
    return run_of_commit(commit, preset or _made_at(commit))


def find_pair(one: str, other: str, preset: str | None) -> tuple[PastRun, PastRun]:
    """Two runs of one preset. Raises as `find_past` does, and `NoRun` if the two are not of one preset."""
    runs = find_past(one, preset), find_past(other, preset)
    if runs[0].preset != runs[1].preset:
        raise NoRun(
            f"{one} is a run of {runs[0].preset}, {other} one of {runs[1].preset}; name one preset with --preset"
        )
    return runs


def _is_version(wanted: str) -> bool:
    return bool(re.fullmatch(r"@.*|\d{1,6}", wanted))


def _commit(wanted: str) -> str:
    if commit := find_commit(wanted):
        return commit
    raise NoRun(f"there is no commit {wanted!r} in this clone{_FETCH if is_shallow() else ''}")


def _last_recorded(preset: str | None) -> str:
    """The last commit that recorded a run, of the preset if it is named."""
    for commit in git("log", "--format=%H", "--", "dvc.lock").split():
        made = _recorded_by(commit)
        if preset in made if preset else made:
            return commit
    what = f"a run of preset {preset!r}" if preset else "a run"
    raise NoRun(f"no commit here records {what}; `myxtts run --commit` makes one{_FETCH if is_shallow() else ''}")


def _made_at(commit: str) -> str:
    """The preset whose run a commit made, or the only one that it records."""
    presets, made = list(runs_at(commit)), _recorded_by(commit)
    if len(presets) == 1 or len(made) == 1:
        return (made or presets)[0]
    parent = first_parent(commit)
    hint = f" (which it made cannot be told in this clone{_FETCH})" if parent and not find_commit(parent) else ""
    raise NoRun(f"commit {commit[:12]} records {', '.join(presets) or 'no run'}; name one with --preset{hint}")


def _recorded_by(commit: str) -> list[str]:
    """The presets whose runs a commit's `dvc.lock` has and its parent's has not."""
    parent = first_parent(commit)
    before = _readable_runs(parent) if parent and find_commit(parent) else {}
    return [preset for preset, run in _readable_runs(commit).items() if before.get(preset) != run]


def _readable_runs(commit: str) -> dict[str, LockedRun]:
    try:
        return runs_at(commit)
    except NotReproducible:
        return {}
