from __future__ import annotations

import pytest

from reproduction.record import CommitError, commit_run, files_to_commit, require_committed_code
from tests.reproduction.conftest import Repository

CODE = {
    ".gitignore": "*.wav\n",
    "model/layers.py": "WIDTH = 1\n",
    "configs/smoke.yaml": "steps: 1\n",
    "README.md": "words",
}
RUN = {
    "dvc.lock": "stages: {}\n",
    "params.yaml": "presets: [smoke]\n",
    "configs/smoke.yaml": "steps: 2\n",
    "reports/smoke/identity.json": "{}",
    "reports/smoke/metrics.json": "{}",
    "reports/smoke/training.csv": "step,loss\n",
}
OTHERS = {"configs/demo.yaml": "steps: 3\n", "reports/demo/metrics.json": "{}", "README.md": "other words", "a.txt": ""}


@pytest.fixture(autouse=True)
def author(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "test")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "test@localhost")


def test_the_commit_of_a_run_has_what_belongs_to_it_and_nothing_else(repository: Repository) -> None:
    before = repository.commit(CODE)
    repository.write(RUN | OTHERS)
    repository.git("add", "a.txt")
    assert sorted(files_to_commit("smoke")) == sorted(RUN)
    commit = commit_run("smoke", "Run smoke", require_committed_code())
    assert commit == repository.git("rev-parse", "HEAD") != before
    assert repository.git("show", "--name-only", "--format=%s", "HEAD").split("\n") == ["Run smoke", "", *sorted(RUN)]
    changed = repository.git("status", "--porcelain", "--untracked-files=all").splitlines()
    assert sorted(line.split()[-1] for line in changed) == sorted(OTHERS)
    assert "A  a.txt" in changed
    assert files_to_commit("smoke") == []


def test_a_run_that_is_committed_already_has_its_commit(repository: Repository) -> None:
    commit = repository.commit(CODE | RUN)
    assert commit_run("smoke", "Run smoke", commit) == commit


@pytest.mark.parametrize("path", ["model/layers.py", "data/new.py", "requirements.lock", "dvc.yaml"])
def test_a_run_of_uncommitted_code_gets_no_commit(repository: Repository, path: str) -> None:
    commit = repository.commit(CODE)
    repository.write(RUN | {path: "changed"})
    with pytest.raises(CommitError, match=f"not committed; commit them first: {path}$"):
        commit_run("smoke", "Run smoke", commit)
    assert repository.git("rev-parse", "HEAD") == commit


def test_a_run_gets_no_commit_on_top_of_another(repository: Repository) -> None:
    made_from = repository.commit(CODE)
    repository.commit({"README.md": "other words"})
    repository.write(RUN)
    with pytest.raises(CommitError, match=rf"moved on from {made_from[:12]} while the run was made"):
        commit_run("smoke", "Run smoke", made_from)


def test_a_run_gets_no_commit_before_the_first(repository: Repository) -> None:
    repository.write(CODE)
    with pytest.raises(CommitError, match="not a git checkout with a commit"):
        require_committed_code()


def test_a_commit_of_a_run_that_git_refuses_is_told_of_in_its_words(repository: Repository) -> None:
    commit = repository.commit(CODE)
    repository.write(RUN | {".git/hooks/pre-commit": "#!/bin/sh\necho the hook says no >&2\nexit 1\n"})
    (repository.folder / ".git/hooks/pre-commit").chmod(0o755)
    with pytest.raises(CommitError, match="the run of 'smoke' has no commit: git commit failed: the hook says no"):
        commit_run("smoke", "Run smoke", commit)
    assert repository.git("rev-parse", "HEAD") == commit
