"""Versions in a store of MLflow's, which have no files."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from mlflow.entities.model_registry import ModelVersion

from common.files import file_digest
from registry.identity import VERDICT_TAG, Identity, occurrence, tag
from registry.store import NoSuchModel, find, store
from reproduction.lock import lock_of_corpus
from reproduction.past import NotReproducible, places_at
from reproduction.registered import recognised, record_commit, record_verdict, run_of_version
from tests.reproduction.conftest import Repository, run_of_head

NAME = "myxtts-tiny"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a store in which the model is registered, without a version."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
        store().create_registered_model(NAME)
        store().create_experiment(NAME, artifact_location=(path.parent / "artifacts").as_uri())
    return path


@pytest.fixture(autouse=True)
def own_store(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(database, tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")


def register(identity: Identity, cer: float = 0.5) -> ModelVersion:
    client = store()
    experiment = client.get_experiment_by_name(NAME)
    assert experiment is not None
    run = client.create_run(experiment.experiment_id)
    for key, value in {"seed": "1", "threads": "1", "train.steps": "3", "data.languages": "['en']"}.items():
        client.log_param(run.info.run_id, key, value)
    client.log_metric(run.info.run_id, "cer", cer)
    client.log_metric(run.info.run_id, "training/loss", 2.0)
    return client.create_model_version(NAME, "none:/", run.info.run_id, identity.as_tags())


def identity_at(repository: Repository, **changes: object) -> Identity:
    """The identity of the run that the checked-out commit records, but for `changes`."""
    past = run_of_head(repository)
    model = repository.folder / "weights" / "tiny" / "model.safetensors"
    known = {
        "commit": past.commit,
        "clean": True,
        "uncommitted": "",
        "cpu": "a processor",
        "recipe": {"id": "the id", "code": "c", "settings": "s", "lock_file": "l", **past.provenance["corpus"]},
        "sha256": {"model.safetensors": file_digest(model)},
    }
    return Identity.model_validate(occurrence().model_dump() | known | changes)


def test_the_run_of_a_version_is_what_its_identity_and_its_commit_say(recorded: Repository) -> None:
    identity = identity_at(recorded)
    register(identity)
    run = run_of_version("1", "tiny")
    assert (run.name, run.preset, run.commit) == (f"{NAME} 1", "tiny", identity.commit)
    assert run.provenance == {
        "corpus": {"corpus": identity.recipe["corpus"]},
        "seed": {"seed": 1},
        "threads": {"threads": 1},
        "config": {"train.steps": 3},
        "code": {"recipe": "c"},
        "locked": {"requirements.lock": "l"},
        "packages": {"pytest": pytest.__version__},
        "library": {"python": identity.python},
        "hardware": {"cpu": "a processor", "gpu": identity.gpu},
    }
    assert run.results.digests == identity.sha256
    assert run.results.metrics == {"cer": 0.5}
    assert run.lock == recorded.git("show", "HEAD:dvc.lock") + "\n"
    assert (run.uncommitted, run.recipe) == ("", "the id")
    assert run.version is not None


def test_the_run_of_a_version_is_found_by_alias(recorded: Repository) -> None:
    register(identity_at(recorded))
    store().set_registered_model_alias(NAME, "challenger", "1")
    assert run_of_version("@challenger", "tiny").name == f"{NAME} 1"
    with pytest.raises(NoSuchModel, match="has no version @champion"):
        run_of_version("@champion", "tiny")


def test_the_run_of_a_version_from_another_clone_is_known_by_its_tags_alone(recorded: Repository) -> None:
    register(identity_at(recorded, commit="c0ffee" * 6, clean=False, uncommitted="model/layers.py"))
    run = run_of_version("1", "tiny")
    assert (run.commit, run.lock, run.uncommitted) == ("c0ffee" * 6, "", "model/layers.py")
    assert run.provenance["config"] == {"train.steps": 3, "data.languages": ["en"]}
    assert run.provenance["packages"] == {}


@pytest.mark.parametrize("whole", [True, False], ids=["a run of another corpus", "another corpus alone"])
def test_the_run_of_a_version_with_another_corpus_has_no_lock(recorded: Repository, whole: bool) -> None:
    register(identity_at(recorded))
    past = run_of_head(recorded)
    other = past.lock.replace(past.provenance["corpus"]["corpus"], "another.dir")
    recorded.commit({"dvc.lock": other if whole else lock_of_corpus(places_at(past.commit, "tiny"), "another.dir")})
    store().set_model_version_tag(NAME, "1", tag("commit"), recorded.git("rev-parse", "HEAD"))
    assert run_of_version("1", "tiny").lock == ""


def test_a_version_of_which_nobody_knows_what_made_it_is_refused(recorded: Repository) -> None:
    register(identity_at(recorded, recipe={"id": "the id"}))
    with pytest.raises(NotReproducible, match=rf"nobody can say what made {NAME} 1; it lacks .*{tag('recipe.code')}"):
        run_of_version("1", "tiny")


def test_a_version_of_which_nobody_knows_whether_it_was_clean_was_not(recorded: Repository) -> None:
    register(identity_at(recorded, clean=None))
    assert run_of_version("1", "tiny").uncommitted == "what is not known"


def test_a_version_whose_run_is_gone_is_known_by_its_tags(recorded: Repository) -> None:
    version = register(identity_at(recorded))
    forget_run(str(version.run_id))
    run = run_of_version("1", "tiny")
    assert run.results.metrics == {}
    assert run.provenance["config"] == {"train.steps": 2}
    assert record_verdict(version, {"verdict": "bit-identical", "at": "2026-11-25T12:50:49Z"}) is None


def forget_run(run_id: str) -> None:
    """What `mlflow gc` does to a run."""
    with sqlite3.connect(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")) as database:
        for table in ("latest_metrics", "metrics", "params", "tags", "runs"):
            database.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (run_id,))


def test_the_run_of_a_commit_is_recognised_by_its_checkpoints_and_metrics(recorded: Repository) -> None:
    past, model = run_of_head(recorded), recorded.folder / "weights" / "tiny" / "model.safetensors"
    register(identity_at(recorded), cer=0.4)
    assert recognised(past, [model]).version is None
    register(identity_at(recorded, sha256={"model.safetensors": "another"}))
    assert recognised(past, [model]).version is None
    register(identity_at(recorded))
    found = recognised(past, [model])
    assert found.version is not None
    assert int(found.version.version) == 3
    assert found.provenance["hardware"]["cpu"] == "a processor"
    assert recognised(past, []).version is None


def test_a_version_learns_of_its_commit(recorded: Repository) -> None:
    version = register(identity_at(recorded, clean=False, uncommitted="configs/smoke.yaml"))
    record_commit(version, "c0ffee")
    identity = Identity.from_tags(find("tiny", "1").tags)
    assert (identity.commit, identity.clean, identity.uncommitted) == ("c0ffee", True, "")
    assert store().get_run(str(version.run_id)).data.tags[tag("commit")] == "c0ffee"


def test_a_version_keeps_verdicts_under_its_run(recorded: Repository) -> None:
    version = register(identity_at(recorded))
    made = {"verdict": "bit-identical", "at": "2026-11-25T12:50:49Z"}
    kept = record_verdict(version, made)
    assert kept == f"run {version.run_id} of {NAME} 1: reproductions/20261125T125049Z.json"
    path = store().download_artifacts(str(version.run_id), "reproductions/20261125T125049Z.json")
    assert json.loads(Path(path).read_text()) == made
    assert find("tiny", "1").tags[VERDICT_TAG] == "bit-identical 2026-11-25T12:50:49Z"
