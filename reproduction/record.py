"""The record of a run in git: `dvc.lock` and the small files that belong to it, and nothing else that has changed."""

from __future__ import annotations

from common import LOCK_FILE
from common.errors import Refused
from common.git import GitError, changed_files, checkout_state, git
from registry.code import PACKAGES
from reproduction.lock import CURVE, IDENTITY, METRICS


class CommitError(Refused):
    """A run that cannot have a commit; the message says why."""


def files_to_commit(preset: str) -> list[str]:
    """The files of a preset's run that differ from the last commit."""
    belonging = (
        "dvc.lock",
        "params.yaml",
        f"configs/{preset}.yaml",
        *(f"reports/{preset}/{name}" for name in (METRICS, CURVE, IDENTITY)),
    )
    return changed_files(*belonging)


def require_committed_code() -> str:
    """The commit that is checked out; raises `CommitError` if what decides a run besides its settings is not in it."""
    state = checkout_state()
    if not state.commit:
        raise CommitError(f"this is not a git checkout with a commit ({state.uncommitted or 'none yet'})")
    code = [path for path in changed_files() if _is_code(path)]
    if code:
        raise CommitError(f"these decide the run and are not committed; commit them first: {', '.join(code)}")
    return state.commit


def commit_run(preset: str, message: str, made_from: str) -> str:
    """Commit what belongs to a run that was made from the commit `made_from`; returns the commit that has it all.

    Whatever else is changed or staged stays so. Raises `CommitError`, with git's words where it refuses.
    """
    if require_committed_code() != made_from:
        raise CommitError(f"the checkout has moved on from {made_from[:12]} while the run was made")
    files = files_to_commit(preset)
    try:
        if files:
            git("add", "--", *files)
            git("commit", "--quiet", "--message", message, "--only", "--", *files)
    except GitError as error:
        raise CommitError(f"the run of {preset!r} has no commit: {error}") from None
    return git("rev-parse", "HEAD").strip()


def _is_code(path: str) -> bool:
    settings = path.startswith("configs/") and path.endswith(".yaml")
    return path.partition("/")[0] in (*PACKAGES, LOCK_FILE, "dvc.yaml") and not settings
