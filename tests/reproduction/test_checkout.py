from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from common.git import GitError
from reproduction.checkout import checked_out
from reproduction.past import PastRun
from reproduction.results import Results
from tests.reproduction.conftest import TINY, Repository, run_of_head


def registered(repository: Repository) -> PastRun:
    """What is known of a registered run whose commit has no lock: its corpus, by MD5."""
    corpus = run_of_head(repository).provenance["corpus"]
    (repository.folder / "dvc.lock").unlink()
    return PastRun("version 1", "tiny", repository.commit({}), {"corpus": corpus}, Results())


def test_a_past_checkout_has_all_that_was_kept_and_lists_the_preset_there_alone(recorded: Repository) -> None:
    with checked_out(run_of_head(recorded)) as checkout:
        assert checkout.fetch(checkout.places.corpus_stage, checkout.corpus) == "from DVC's cache"
        assert (checkout.corpus / "clip.txt").read_text() == "a recording"
        assert checkout.fetch(checkout.places.run_stage, checkout.checkpoints) == "from DVC's cache"
        assert checkout.utterances.read_text() == "id,cer\none,0\n"
        assert "tiny" in (checkout.root / "params.yaml").read_text()
    assert (recorded.folder / "params.yaml").read_text() == "presets: []\n"
    assert recorded.git("status", "--porcelain") == ""


def test_a_past_checkout_fetches_a_corpus_of_which_only_the_md5_is_known(recorded: Repository) -> None:
    with checked_out(registered(recorded)) as checkout:
        assert checkout.fetch(checkout.places.corpus_stage, checkout.corpus) == "from DVC's cache"
        assert (checkout.corpus / "clip.txt").read_text() == "a recording"
        assert checkout.fetch(checkout.places.run_stage, checkout.checkpoints) is None


def test_a_past_checkout_fetches_the_corpus_of_a_stage_that_was_renamed_since_its_run(recorded: Repository) -> None:
    recorded.commit({"dvc.yaml": TINY["dvc.yaml"].replace("  speech:", "  recordings:")})
    with checked_out(run_of_head(recorded)) as checkout:
        assert checkout.places.corpus_stage == "recordings@tiny"
        assert checkout.fetch("recordings@tiny", checkout.corpus) == "from DVC's cache"


def test_a_past_checkout_runs_its_own_code_without_the_stores_of_others(
    recorded: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(recorded.folder / ".dvc" / "cache")
    recorded.write({"former/work.py": "raise SystemExit('this code is not committed')"})
    monkeypatch.setenv("PYTHONPATH", str(recorded.folder))
    stores = {
        "MLFLOW_TRACKING_URI": "sqlite:///elsewhere",
        "ZENML_CONFIG_PATH": "/elsewhere",
        "MYXTTS_COMMIT": "c0ffee",
    }
    for name, value in stores.items():
        monkeypatch.setenv(name, value)
    with checked_out(run_of_head(recorded)) as checkout:
        assert checkout.fetch(checkout.places.corpus_stage, checkout.corpus) is None
        assert checkout.make(checkout.places.corpus_stage)
        assert checkout.make(checkout.places.run_stage)
        environment = json.loads((checkout.utterances.parent / "environment.json").read_text())
        assert environment["PYTHONPATH"] == str(checkout.root)
        assert not stores.keys() & environment.keys()
        assert json.loads(checkout.metrics.read_text()) == {"quality": {"cer": 0.5}}
        assert checkout.curve.is_file()
    assert not (recorded.folder / ".dvc" / "cache" / "files").exists()


def test_a_past_checkout_on_another_disk_copies_what_cannot_be_linked(
    recorded: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.write({".dvc/config.local": "[cache]\n    type = hardlink,symlink\n"})
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        monkeypatch.setattr(tempfile, "tempdir", elsewhere)
        with checked_out(run_of_head(recorded)) as checkout:
            assert checkout.root.is_relative_to(elsewhere)
            assert checkout.fetch(checkout.places.corpus_stage, checkout.corpus) == "from DVC's cache"


def test_a_past_checkout_is_gone_after_a_failure(
    recorded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    with pytest.raises(ZeroDivisionError), checked_out(run_of_head(recorded)):
        _ = 1 / 0
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(recorded.git("worktree", "list").splitlines()) == 1


def test_a_past_checkout_that_is_told_to_stop_is_gone(
    recorded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped, checked_out(run_of_head(recorded)):
        os.kill(os.getpid(), signal.SIGTERM)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(recorded.git("worktree", "list").splitlines()) == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_past_checkout_that_git_refuses_is_told_of_in_its_words(recorded: Repository) -> None:
    tree = recorded.git("rev-parse", "HEAD:former")
    (recorded.folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(GitError, match=rf"git checkout failed: fatal: .*{tree}"), checked_out(run_of_head(recorded)):
        pass


def test_a_past_checkout_has_every_file_to_the_byte(
    recorded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text("[core]\n    autocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    with checked_out(run_of_head(recorded)) as checkout:
        assert (checkout.root / "former/work.py").read_bytes() == TINY["former/work.py"].encode()


def test_a_past_checkout_can_be_made_from_a_worktree_and_a_submodule(
    recorded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = run_of_head(recorded)
    recorded.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"))
    Repository(tmp_path / "outer").git("submodule", "--quiet", "add", recorded.folder.as_uri(), "inner")
    for folder in ("worktree", "outer/inner"):
        Repository(tmp_path / folder).use(monkeypatch)
        with checked_out(past) as checkout:
            assert checkout.make(checkout.places.corpus_stage)
            assert (checkout.corpus / "clip.txt").read_text() == "a recording"
