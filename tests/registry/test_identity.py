from __future__ import annotations

from pathlib import Path

import pytest

from registry.identity import code_digest, corpus_digest, digest, make_recipe, source_files


def test_a_module_runs_all_that_it_imports() -> None:
    training = source_files("steps.train_model")
    assert {"model/training.py", "model/layers.py", "data/align.py", "configs/schema.py"} <= set(training)
    assert not any(file.startswith(("evaluation/", "pipelines/")) for file in training)
    assert not any("validate" in file or file == "data/validation.py" for file in training)


def test_files_that_code_reads_by_name_count_as_code() -> None:
    evaluation = source_files("steps.evaluate_model")
    assert {"evaluation/page.html.j2", "evaluation/far_sentences.txt"} <= set(evaluation)
    assert "evaluation/page.html.j2" not in source_files("steps.train_model")


def test_what_is_not_of_this_project_has_no_code() -> None:
    with pytest.raises(ValueError, match="numpy is not a module of this project"):
        source_files("numpy")


def test_a_recipe_is_the_same_for_the_same_and_differs_for_anything_else() -> None:
    recipe = make_recipe("data.mel", {"a": 1, "b": 2}, {"corpus": "c"})
    assert recipe == make_recipe("data.mel", {"b": 2, "a": 1}, {"corpus": "c"})
    assert recipe["code"] == code_digest("data.mel")
    others = [
        make_recipe("data.mel", {"a": 1, "b": 3}, {"corpus": "c"}),
        make_recipe("data.mel", {"a": 1, "b": 2}, {"corpus": "d"}),
        make_recipe("data.text", {"a": 1, "b": 2}, {"corpus": "c"}),
    ]
    assert len({recipe["id"], *(other["id"] for other in others)}) == 4
    assert digest([1, 2]) != digest([2, 1])


def test_a_lock_without_the_corpus_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    with pytest.raises(LookupError, match="knows no corpus of preset 'demo'"):
        corpus_digest("demo", lock)
    lock.write_text("schema: '2.0'\nstages:\n  corpus@demo:\n    outs:\n    - md5: abc.dir\n")
    assert corpus_digest("demo", lock) == "abc.dir"
