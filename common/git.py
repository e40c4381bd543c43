"""What git knows of this checkout. A git that fails is told of, in its own words: it never reads as "nothing"."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from common import ROOT
from common.errors import Unanswerable

MADE_BY_RUNS = ("dvc.lock", "params.yaml", "reports/", "checkpoints/", "corpora/")
"""What a run itself writes, and which therefore makes no checkout unclean: files, or folders with all they hold."""

# Set by `myxtts run` before DVC starts, because a running stage has already changed files that git tracks.
COMMIT_VARIABLE, DIRTY_VARIABLE = "MYXTTS_COMMIT", "MYXTTS_DIRTY"

_CODE = (".py", ".yaml", ".j2")
_MOST_NAMED = 20


class GitError(Unanswerable):
    """Git could not say."""


@dataclass(frozen=True)
class Checkout:
    """The commit that is checked out ("" if none), and what decides runs and is not in it, in words; "" if clean."""

    commit: str
    uncommitted: str


def git(*arguments: str) -> str:
    """What git says of this checkout. Raises `GitError` with git's words if it fails."""
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise GitError(f"git cannot be started: {error}") from None
    if done.returncode:
        raise GitError(f"git {_verb(arguments)} failed: {(done.stderr or done.stdout).strip() or done.returncode}")
    return done.stdout


def find_commit(name: str) -> str | None:
    """The full name of a commit; None if this clone has none of that name."""
    git("rev-parse", "--git-dir")  # so that only the name can be at fault
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
    except GitError:
        return None


def first_parent(commit: str) -> str | None:
    """The full name of a commit's first parent, even if a shallow clone does not have it; None for a root."""
    header = git("cat-file", "commit", commit).partition("\n\n")[0].splitlines()
    return next((line.removeprefix("parent ") for line in header if line.startswith("parent ")), None)


def is_shallow() -> bool:
    """Whether this clone has only a part of the history."""
    return git("rev-parse", "--is-shallow-repository").strip() == "true"


def file_at(commit: str, path: str) -> str:
    """The content of a file in a commit; "" if the commit does not have it."""
    if not git("ls-tree", commit, "--", path):
        return ""
    return git("cat-file", "blob", f"{commit}:{path}")


def changed_files(*paths: str) -> list[str]:
    """Tracked files that differ from the last commit, and untracked ones, as far as they lie in `paths`, or all."""
    status = git("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", *paths)
    return [entry[3:] for entry in status.split("\0") if entry]


def checkout_state() -> Checkout:
    """The commit, and what is uncommitted besides the files that runs write.

    Untracked files count if they could be code or settings: recordings beside the code do not. What git cannot say
    counts as uncommitted.
    """
    try:
        commit = find_commit("HEAD") or ""
        tracked = git("diff", "--name-only", "-z", "--no-renames", *(["HEAD"] if commit else ["--cached"])).split("\0")
        others = git("ls-files", "-z", "--others", "--exclude-standard").split("\0")
    except GitError as error:
        return Checkout("", f"unknown: {error}")
    changed = [*tracked, *(path for path in others if "/" in path and path.endswith(_CODE))]
    return Checkout(commit, listed([path for path in changed if path and not path.startswith(MADE_BY_RUNS)]))


def listed(paths: list[str]) -> str:
    """Paths for people to read, comma-separated; of many only the first, and how many more there are."""
    more = len(paths) - _MOST_NAMED
    return ",".join([*sorted(paths)[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _verb(arguments: tuple[str, ...]) -> str:
    """The command among git's arguments, which may begin with `-C folder`."""
    return arguments[2] if arguments[0] == "-C" else arguments[0]
