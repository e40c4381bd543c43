from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from common import ROOT
from reproduction.lock import NoRun, Places, corpus_digest, lock_of_corpus, locked_runs, places_of
from tests.reproduction.conftest import PAST, Repository, make_lock

TODAY = Places(
    "corpus@smoke", "voice@smoke", "corpora/smoke", "checkpoints/smoke", "reports/smoke", "configs/smoke.yaml"
)
BEFORE = Places(
    "corpus@smoke", "pipeline@smoke", "data/corpus/smoke", "checkpoints/smoke", "reports/smoke", "configs/smoke.yaml"
)


def test_a_lock_records_the_run_of_each_preset() -> None:
    runs = locked_runs(make_lock(smoke="a", demo="b"))
    assert list(runs) == ["demo", "smoke"]
    run = runs["smoke"]
    assert run.places == TODAY
    assert (run.corpus, run.checkpoints, run.metrics, run.curve) == (
        "a-corpus.dir",
        "a-checkpoints.dir",
        "a-metrics",
        "a-curve",
    )
    assert (run.sources, run.lock_file) == ({"model": "a-model.dir"}, "a-lock-file")
    assert run.settings == {"seed": 1, "threads": 2, "train.steps": 20}


def test_a_lock_with_renamed_stages_and_folders_records_the_same_run() -> None:
    names = {
        "voice@smoke": "all@smoke",
        "corpus@smoke": "recordings@smoke",
        "corpora/smoke": "speech/smoke",
        "checkpoints/smoke": "weights/smoke",
        "reports/smoke": "results/smoke",
        "configs/smoke.yaml": "presets/smoke.yaml",
    }
    lock = make_lock(smoke="a")
    expected = locked_runs(lock)["smoke"]
    for name, other in names.items():
        lock = lock.replace(name, other)
    run = locked_runs(lock)["smoke"]
    assert run.places == Places(
        "recordings@smoke", "all@smoke", "speech/smoke", "weights/smoke", "results/smoke", "presets/smoke.yaml"
    )
    assert (run.corpus, run.checkpoints, run.settings) == (expected.corpus, expected.checkpoints, expected.settings)


def test_a_lock_of_the_past_says_where_things_lay(repository: Repository) -> None:
    repository.fetch_past()
    runs = locked_runs(repository.git("show", f"{PAST}:dvc.lock"))
    assert list(runs) == ["smoke"]
    run = runs["smoke"]
    assert run.places == BEFORE
    assert run.corpus == "70cba660645d0d3e781ecad8add09a7c.dir"
    assert run.checkpoints == "6f8da8ad82bd5f26532f8e2da7451ced.dir"
    assert run.lock_file == "b2b59d62ca29c77fd6a3920c58241404"
    assert {"model", "steps", "data/sources.py"} <= run.sources.keys()
    assert not {"data/corpus/smoke", "requirements.lock"} & run.sources.keys()
    assert (run.settings["train.steps"], run.settings["seed"]) == (20, 1)


@pytest.mark.parametrize("content", ["", "schema: '2.0'\n", "schema: '2.0'\nstages: {}\n"])
def test_a_lock_without_stages_records_no_run(content: str) -> None:
    assert locked_runs(content) == {}


def test_a_lock_with_a_corpus_alone_records_no_run() -> None:
    assert locked_runs(lock_of_corpus(TODAY, "a.dir")) == {}


@pytest.mark.parametrize(
    "content", ["<<<<<<< HEAD\nschema: '2.0'\n=======\n", "stages: 1", "stages: {a: {outs: [{path: x}]}}", "[]\n-"]
)
def test_a_lock_that_cannot_be_read_is_no_empty_lock(content: str) -> None:
    with pytest.raises(NoRun, match=r"dvc\.lock cannot be read"):
        locked_runs(content)


def test_places_are_read_from_dvc_yaml(repository: Repository) -> None:
    assert places_of((ROOT / "dvc.yaml").read_text(), "smoke") == TODAY
    repository.fetch_past()
    assert places_of(repository.git("show", f"{PAST}:dvc.yaml"), "smoke") == BEFORE


@pytest.mark.parametrize("content", ["", "stages: {corpus: {cmd: x, outs: [corpora/smoke]}}", "stages: ["])
def test_dvc_yaml_without_the_stages_of_a_run_is_refused(content: str) -> None:
    with pytest.raises(NoRun, match=r"dvc\.yaml"):
        places_of(content, "smoke")


def test_a_corpus_is_found_before_its_first_run(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    with pytest.raises(NoRun, match="knows no corpus of preset 'smoke'"):
        corpus_digest("smoke", lock)
    lock.write_text(lock_of_corpus(TODAY, "a.dir"))
    assert corpus_digest("smoke", lock) == "a.dir"
    with pytest.raises(NoRun, match="knows no corpus of preset 'demo'"):
        corpus_digest("demo", lock)


def test_a_lock_of_a_corpus_has_that_alone() -> None:
    content = yaml.safe_load(lock_of_corpus(BEFORE, "a.dir"))
    assert list(content["stages"]) == ["corpus@smoke"]
    assert content["stages"]["corpus@smoke"]["outs"] == [{"path": "data/corpus/smoke", "hash": "md5", "md5": "a.dir"}]
