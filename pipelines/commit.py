"""The commit of a run: `dvc.lock` and the small files that belong to it, and nothing else that has changed."""

from __future__ import annotations

import subprocess

from configs import ROOT
from registry.identity import LOCK_FILE, PACKAGES, checkout_state, git


class CommitError(Exception):
    """A run that cannot have a commit; the message says why."""


def files_to_commit(preset: str) -> list[str]:
    """The files of a preset's run that differ from the last commit."""
    belonging = (
        "dvc.lock",
        "params.yaml",
        f"configs/{preset}.yaml",
        f"reports/{preset}/metrics.json",
        f"reports/{preset}/training.csv",
    )
    return [path for path in belonging if git("status", "--porcelain", "--untracked-files=all", "--", path)]


def require_committed_code() -> str:
    """The commit that is checked out; raises `CommitError` if what decides a run besides its settings is not in it."""
    commit, changed = checkout_state()
    code = [path for path in changed.split(",") if _is_code(path)]
    if not commit:
        raise CommitError("this is not a git checkout with a commit")
    if code:
        raise CommitError(f"these decide the run and are not committed; commit them first: {', '.join(code)}")
    return commit


def commit_run(preset: str, message: str, made_from: str) -> str:
    """Commit what belongs to a run that was made from the commit `made_from`; returns the commit that has it all.

    Whatever else is changed or staged stays so. Raises `CommitError`, with git's words where it refuses.
    """
    if require_committed_code() != made_from:
        raise CommitError(f"the checkout has moved on from {made_from[:12]} while the run was made")
    files = files_to_commit(preset)
    if files:
        _git("add", "--", *files)
        _git("commit", "--quiet", "--message", message, "--only", "--", *files)
    return git("rev-parse", "HEAD").strip()


def _is_code(path: str) -> bool:
    settings = path.startswith("configs/") and path.endswith(".yaml")
    return path.partition("/")[0] in (*PACKAGES, LOCK_FILE, "dvc.yaml") and not settings


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise CommitError(f"git {arguments[0]} failed: {(done.stderr or done.stdout).strip()}")
