from __future__ import annotations

import json
from typing import Any

import pytest

from reproduction.md5 import content_md5
from reproduction.past import NotReproducible, places_at, provenance_of_tree, run_of_commit, runs_at
from tests.reproduction.conftest import PAST, Repository, make_lock

METRICS = json.dumps({"quality": {"cer": 0.5}, "speed": {"rtf": 0.1}})
IDENTITY = {
    "recipe.corpus": "a-corpus.dir",
    "cpu": "a processor",
    "gpu": "none",
    "python": "3.11.0",
    "sha256.model.safetensors": "one",
    "sha256.vocoder.safetensors": "two",
}


def a_run(mark: str = "a", **identity: Any) -> dict[str, str]:
    """The files that a run of smoke leaves to be committed."""
    return {
        "dvc.lock": make_lock({"smoke": content_md5(METRICS)}, smoke=mark),
        "reports/smoke/metrics.json": METRICS,
        "reports/smoke/identity.json": json.dumps(IDENTITY | {"recipe.corpus": f"{mark}-corpus.dir"} | identity),
        "requirements.lock": "numpy==2.4.6 \\\n    --hash=sha256:aaaa\n",
    }


def test_a_run_of_a_commit_is_what_its_files_say(repository: Repository) -> None:
    commit = repository.commit(a_run())
    run = run_of_commit(commit, "smoke")
    assert (run.name, run.preset, run.commit) == (f"commit {commit[:12]}", "smoke", commit)
    assert run.provenance == {
        "corpus": {"corpus": "a-corpus.dir"},
        "seed": {"seed": 1},
        "threads": {"threads": 2},
        "config": {"train.steps": 20},
        "lock_file": {"requirements.lock": "a-lock-file"},
        "sources": {"model": "a-model.dir"},
        "packages": {"numpy": "2.4.6"},
        "library": {"python": "3.11.0"},
        "hardware": {"cpu": "a processor", "gpu": "none"},
    }
    assert run.results.digests == {"checkpoints": "a-checkpoints.dir", "training.csv": "a-curve"}
    assert run.results.metrics == {"cer": 0.5, "rtf": 0.1}
    assert run.checkpoints == {"model.safetensors": "one", "vocoder.safetensors": "two"}
    assert run.version is None


def test_a_run_of_past_code_is_read_without_running_it(repository: Repository) -> None:
    repository.fetch_past()
    run = run_of_commit(PAST, "smoke")
    assert run.provenance["corpus"] == {"corpus": "70cba660645d0d3e781ecad8add09a7c.dir"}
    assert run.provenance["config"]["train.steps"] == 20
    assert run.provenance["packages"]["torch"] == "2.13.0"
    assert "hardware" not in run.provenance
    assert run.results.digests == {
        "checkpoints": "6f8da8ad82bd5f26532f8e2da7451ced.dir",
        "training.csv": "9b9d831b6b834e3222585d1ed7f1d0b9",
    }
    assert run.results.metrics["cer_recording"] == pytest.approx(0.0409, abs=1e-4)
    assert places_at(PAST, "smoke").run_stage == "pipeline@smoke"


def test_a_commit_without_a_lock_records_no_run(repository: Repository) -> None:
    commit = repository.commit({"README.md": "nothing"})
    with pytest.raises(NotReproducible, match=rf"commit {commit[:12]} has no dvc\.lock: it records no run"):
        runs_at(commit)


def test_a_commit_without_a_run_of_the_preset_names_those_that_it_has(repository: Repository) -> None:
    commit = repository.commit({"dvc.lock": make_lock(smoke="a", base="b")})
    with pytest.raises(NotReproducible, match="records no run of preset 'demo'; it records base, smoke"):
        run_of_commit(commit, "demo")


def test_a_commit_whose_lock_was_merged_badly_is_named(repository: Repository) -> None:
    commit = repository.commit({"dvc.lock": "<<<<<<< HEAD\n"})
    with pytest.raises(NotReproducible, match=rf"commit {commit[:12]}: dvc\.lock cannot be read"):
        runs_at(commit)


def test_a_commit_without_the_stages_of_a_run_is_named(repository: Repository) -> None:
    commit = repository.commit({"dvc.yaml": "stages: {}"})
    with pytest.raises(NotReproducible, match=rf"commit {commit[:12]}: dvc\.yaml has no stage"):
        places_at(commit, "smoke")


def test_metrics_of_another_run_are_not_this_run_s(repository: Repository) -> None:
    commit = repository.commit(a_run() | {"reports/smoke/metrics.json": METRICS.replace("0.5", "0.4")})
    assert run_of_commit(commit, "smoke").results.metrics == {}


def test_an_identity_stays_that_of_its_run_in_later_commits(repository: Repository) -> None:
    repository.commit(a_run())
    later = repository.commit({"README.md": "more words"})
    assert run_of_commit(later, "smoke").provenance["hardware"]["cpu"] == "a processor"


@pytest.mark.parametrize(
    "later",
    [
        {"dvc.lock": a_run("b")["dvc.lock"]},
        {"dvc.lock": a_run("b")["dvc.lock"].replace("b-corpus", "a-corpus")},
        {"dvc.lock": a_run()["dvc.lock"].replace("a-checkpoints", "b-checkpoints")},
        {"reports/smoke/identity.json": json.dumps(IDENTITY | {"recipe.corpus": "b-corpus.dir"})},
        {"reports/smoke/identity.json": "{"},
        {"reports/smoke/identity.json": "[]"},
        {"reports/smoke/identity.json": "{}"},
    ],
    ids=["another run", "another run of one corpus", "other checkpoints", "another corpus", "torn", "a list", "empty"],
)
def test_an_identity_of_another_run_says_nothing_of_hardware(repository: Repository, later: dict[str, str]) -> None:
    repository.commit(a_run())
    run = run_of_commit(repository.commit(later), "smoke")
    assert not {"hardware", "library"} & run.provenance.keys()
    assert run.checkpoints == {}


def test_the_code_of_a_commit_is_in_the_packages_that_it_had(repository: Repository) -> None:
    files = ("former/__init__.py", "former/deep/module.py", "former/page.html.j2", "former/settings.yaml")
    others = ("tests/__init__.py", "tests/test_it.py", "docs/page.md", "notebooks/deep/__init__.py", "setup.py")
    commit = repository.commit(dict.fromkeys((*files, *others), "x") | {"requirements.lock": "numpy==2.4.6"})
    provenance = provenance_of_tree(commit)
    assert list(provenance["sources"]) == ["former/__init__.py", "former/deep/module.py", "former/page.html.j2"]
    assert provenance["packages"] == {"numpy": "2.4.6"}
    assert provenance["lock_file"]["requirements.lock"] == repository.git("rev-parse", f"{commit}:requirements.lock")


def test_the_code_of_a_commit_that_is_not_here_is_not_known(repository: Repository) -> None:
    repository.commit({"model/__init__.py": ""})
    assert provenance_of_tree("c0ffee" * 6) == {}
