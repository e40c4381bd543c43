"""Runs made again, of a repository whose stages take no time; `NOISE` makes their results others."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from commands.main import main
from registry.identity import occurrence
from reproduction.lock import NoRun
from reproduction.md5 import cached_md5s
from reproduction.past import NotReproducible, provenance_of_identity
from reproduction.reproduce import diff, reproduce
from tests.reproduction.conftest import TINY, Repository, dvc, run_of_head


@pytest.fixture(autouse=True)
def no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")


def remake(wanted: str | None = "HEAD", preset: str | None = None) -> dict[str, Any]:
    return reproduce(wanted, preset, lambda _: None)


def record_identity(repository: Repository, **fields: str) -> str:
    """Commit the identity of the run, as if it was made here but for `fields`; returns the commit."""
    here = occurrence().as_json() | {"recipe.corpus": run_of_head(repository).provenance["corpus"]["corpus"]}
    model = repository.folder / "weights" / "tiny" / "model.safetensors"
    here["sha256.model.safetensors"] = hashlib.sha256(model.read_bytes()).hexdigest()
    return repository.commit({"results/tiny/identity.json": json.dumps(here | fields)})


def test_a_run_is_reproduced_to_the_last_bit_beside_an_altered_checkout(recorded: Repository) -> None:
    commit = recorded.git("rev-parse", "HEAD")
    recorded.write({"former/work.py": "raise SystemExit(1)", "presets/tiny.yaml": "seed: 2"})
    made = remake()
    assert (made["verdict"], made["cause"], made["differences"]) == ("bit-identical", None, [])
    assert made["not_compared"] == []
    assert {row["what"] for row in made["results"]} == {"checkpoints", "training.csv", "cer", "utterances.csv"}
    assert (made["run"], made["preset"], made["commit"]) == (f"commit {commit[:12]}", "tiny", commit)
    assert made["data"].startswith("from DVC's cache, as recorded")
    assert made["kept"] == f"reports/tiny/reproduction-{commit[:12]}.json"
    assert json.loads((recorded.folder / made["kept"]).read_text())["verdict"] == "bit-identical"
    assert recorded.git("diff", "--name-only").split() == ["former/work.py", "presets/tiny.yaml"]


def test_a_run_of_which_nothing_was_kept_is_reproduced_from_its_source(recorded: Repository) -> None:
    (recorded.folder / ".dvc" / "cache").rename(recorded.folder.parent / "away")
    made = remake(None)
    assert (made["verdict"], made["not_compared"]) == ("bit-identical", ["utterances"])
    assert made["data"].startswith("made again from its source, as recorded")


def test_a_run_whose_bytes_lie_in_a_remote_is_reproduced_from_there(recorded: Repository, tmp_path: Path) -> None:
    settings = f"[core]\n    remote = store\n['remote \"store\"']\n    url = {tmp_path / 'store'}\n"
    recorded.write({".dvc/config.local": settings, "params.yaml": "presets: [tiny]\n"})
    assert dvc("push", folder=recorded.folder, environment=os.environ) is not None
    (recorded.folder / ".dvc" / "cache").rename(tmp_path / "away")
    made = remake()
    assert (made["verdict"], made["not_compared"]) == ("bit-identical", [])
    assert made["data"].startswith("pulled from DVC's remote, as recorded")


@pytest.mark.parametrize(
    ("fields", "noise", "verdict", "cause"),
    [
        (None, 1, "different", "nondeterminism, or hardware, which was not recorded"),
        ({}, 1, "different", "nondeterminism"),
        ({"gpu": ""}, 1, "different", "nondeterminism"),
        ({"cpu": "another"}, 1, "within tolerance", "hardware: cpu"),
        ({"gpu": "another"}, 1, "within tolerance", "hardware: gpu"),
        ({"python": "3.9.1"}, 1, "within tolerance", "library: python"),
        ({"cpu": "another"}, 20, "different", "hardware: cpu"),
        ({"cpu": "another"}, 0, "bit-identical", None),
        (
            {"cpu": "another", "recipe.corpus": "another"},
            1,
            "different",
            "nondeterminism, or hardware, which was not recorded",
        ),
        (
            {"cpu": "another", "sha256.model.safetensors": "another"},
            1,
            "different",
            "nondeterminism, or hardware, which was not recorded",
        ),
    ],
)
def test_a_reproduction_knows_the_hardware_of_a_run_by_the_identity_in_its_commit(
    recorded: Repository,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, str] | None,
    noise: int,
    verdict: str,
    cause: str | None,
) -> None:
    if fields is not None:
        record_identity(recorded, **fields)
    monkeypatch.setenv("NOISE", str(noise))
    made = remake()
    assert (made["verdict"], made["cause"]) == (verdict, cause)
    assert ("model.safetensors" in made["tensors"]) == bool(noise)


@pytest.mark.parametrize(
    ("path", "old", "new", "cause"),
    [
        ("presets/tiny.yaml", "steps: 2", "steps: 3", "config: train.steps"),
        ("presets/tiny.yaml", "seed: 1", "seed: 2", "seed: seed"),
        ("presets/tiny.yaml", "threads: 1", "threads: 2", "thread count: threads"),
        ("former/work.py", "% 256", "* 3 % 256", "code: former/work.py"),
    ],
)
def test_a_reproduction_names_the_only_cause(recorded: Repository, path: str, old: str, new: str, cause: str) -> None:
    recorded.commit({path: (recorded.folder / path).read_text().replace(old, new)})
    made = remake()
    assert (made["verdict"], made["cause"]) == ("different", cause)
    assert [f"{row['cause']}: {row['name']}" for row in made["differences"]] == [cause]
    assert made["tensors"]["model.safetensors"].startswith("1 of 1 tensors differ")


def test_a_reproduction_names_a_module_that_was_renamed(recorded: Repository) -> None:
    recorded.git("mv", "former/words.py", "former/more_words.py")
    recorded.commit({})
    made = remake()
    assert (made["verdict"], made["cause"]) == ("bit-identical", None)
    assert [row["name"] for row in made["differences"]] == ["former/more_words.py", "former/words.py"]


def test_a_reproduction_names_a_package_that_is_installed_in_another_version(recorded: Repository) -> None:
    recorded.commit({"requirements.lock": "pytest==0.0.1\n"})
    made = remake()
    assert (made["verdict"], made["cause"]) == ("bit-identical", None)
    assert [f"{row['cause']}: {row['name']}" for row in made["differences"]] == [
        "lock file: requirements.lock",
        "library: pytest",
    ]
    assert made["differences"][1]["past"] == "0.0.1"


def test_a_reproduction_names_a_recording_that_was_altered(recorded: Repository) -> None:
    cache = recorded.folder / ".dvc" / "cache"
    corpus = run_of_head(recorded).provenance["corpus"]["corpus"]
    md5 = cached_md5s(cache, corpus)["clip.txt"]
    clip = cache / "files" / "md5" / md5[:2] / md5[2:]
    clip.chmod(0o644)
    clip.write_text("another recording")
    clip.chmod(0o444)
    made = remake()
    assert (made["verdict"], made["cause"]) == ("different", "data: clip.txt")
    assert "but recorded was" in made["data"]


def test_a_reproduction_whose_code_fails_says_so(recorded: Repository) -> None:
    recorded.commit({"former/work.py": "raise SystemExit('no')"})
    with pytest.raises(NotReproducible, match=r"the code of commit .* did not come to its end; the reason is above"):
        remake()


def test_a_diff_names_what_differs_between_two_commits(recorded: Repository) -> None:
    content = (recorded.folder / "dvc.lock").read_text()
    recorded.commit(
        {
            "dvc.lock": content.replace("steps: 2", "steps: 3"),
            "former/work.py": "# other code",
            "requirements.lock": "pytest==0.0.1\n",
        }
    )
    told = diff("HEAD~1", "HEAD", None)
    assert [f"{row['cause']}: {row['name']}" for row in told["differences"]] == [
        "config: train.steps",
        "code: former/work.py",
        "lock file: requirements.lock",
        "library: pytest",
    ]
    assert (told["preset"], told["results"]) == ("tiny", [])
    same = diff("HEAD", "HEAD", None)
    assert (same["differences"], same["results"]) == ([], [])


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ("nowhere", NoRun, "there is no commit 'nowhere'"),
        ("HEAD", NotReproducible, r"has no dvc\.lock"),
    ],
)
def test_what_cannot_be_reproduced_is_refused(
    recorded: Repository, wanted: str, error: type[Exception], words: str
) -> None:
    (recorded.folder / "dvc.lock").unlink()
    recorded.commit({})
    with pytest.raises(error, match=words):
        remake(wanted)
    with pytest.raises(error, match=words):
        diff("HEAD~1", wanted, None)


def test_the_verbs_reproduce_and_diff_end_with_the_exit_code_of_their_answer(
    recorded: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("isolate", "relocate_stores"):  # the environment is the test's own
        monkeypatch.setattr(f"common.environment.{part}", lambda: None)
    commit = recorded.git("rev-parse", "HEAD")
    recorded.commit({"presets/tiny.yaml": TINY["presets/tiny.yaml"].replace("seed: 1", "seed: 2")})
    for wanted, code, said in (
        ([commit], 0, f"commit {commit[:12]}: bit-identical"),
        ([], 0, f"commit {commit[:12]}: bit-identical"),
        (["HEAD"], 1, "different (seed: seed)"),
        (["HEAD", "--preset", "demo"], 1, "records no run of preset 'demo'; it records tiny"),
        (["nowhere"], 2, "there is no commit 'nowhere' in this clone"),
    ):
        assert main(["reproduce", *wanted]) == code
        assert said in "".join(capsys.readouterr())
    assert main(["diff", "HEAD~1", "HEAD"]) == 0
    assert "nothing that is known of both differs" in capsys.readouterr().out


def test_the_environment_of_this_machine_is_known() -> None:
    assert {"hardware", "library"} == provenance_of_identity(occurrence()).keys()
