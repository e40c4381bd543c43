"""The identity of a run: what it is made of, how it is kept, and that what cannot be known is not clean."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import ROOT
from common.git import COMMIT_VARIABLE, DIRTY_VARIABLE
from registry.identity import NEEDED, PROTECTED_TAG, Identity, occurrence, own_tags, tag

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
PARTS = st.dictionaries(st.sampled_from(["id", "code", "model.safetensors"]), WORDS)
IDENTITIES = st.builds(
    Identity,
    run=WORDS,
    recipe=PARTS,
    sha256=PARTS,
    files=st.dictionaries(WORDS, WORDS),
    clean=st.sampled_from([None, True, False]),
    uncommitted=WORDS | st.just(""),
    gpu=WORDS | st.just(""),
)

# Tags of a version as the first release of this project wrote them.
OF_OLD = {
    "myxtts.run": "c8c04e72",
    "myxtts.recipe.id": "c4f5af01",
    "myxtts.recipe.code": "ae428ff6",
    "myxtts.recipe.settings": "a59eacb3",
    "myxtts.recipe.corpus": "70cba660.dir",
    "myxtts.recipe.extract_features": "f0b385a7",
    "myxtts.recipe.lock_file": "42fb1f63",
    "myxtts.sha256.model.safetensors": "f45aa685",
    "myxtts.sha256.vocoder.safetensors": "8c1b357b",
    "myxtts.files": '{"served/MLmodel": "02eceb7d"}',
    "myxtts.commit": "354b0e82",
    "myxtts.clean": "true",
    "myxtts.uncommitted": "",
    "myxtts.zenml_run": "b32022d9",
    "myxtts.asr": "pocketsphinx 5.1.1",
    "myxtts.cpu": "AMD EPYC",
    "myxtts.gpu": "none",
    "myxtts.python": "3.11.7",
    "myxtts.torch": "2.13.0+cpu",
    "myxtts.numpy": "2.4.6",
    "myxtts.zenml": "0.98.0",
    "myxtts.mlflow": "3.17.2",
    "myxtts.dvc": "3.67.1",
}


@given(IDENTITIES)
def test_identity_is_the_same_after_a_way_through_tags_or_json(identity: Identity) -> None:
    assert Identity.from_tags(identity.as_tags()) == identity
    assert Identity.from_json(identity.as_json()) == identity
    assert own_tags(identity.as_tags()) == dict(sorted(identity.as_json().items()))


def test_identity_of_an_old_version_is_read_whole() -> None:
    identity = Identity.from_tags(OF_OLD | {"mlflow.user": "ada", PROTECTED_TAG: "true"})
    assert identity.as_tags() == OF_OLD | {tag("source"): "", tag("dropped"): ""}
    assert identity.missing() == []
    assert identity.recipe["corpus"] == "70cba660.dir"
    assert identity.clean is True
    assert identity.files == {"served/MLmodel": "02eceb7d"}
    assert identity.environment() == {
        "hardware": {"cpu": "AMD EPYC", "gpu": "none"},
        "library": {"python": "3.11.7"},
    }


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("left", [{}, {"": ""}], ids=["no tag", "empty tag"])
def test_identity_without_a_field_says_so(name: str, left: dict[str, str]) -> None:
    rest = {key: value for key, value in OF_OLD.items() if key != tag(name)}
    assert Identity.from_tags(rest | {tag(name): value for value in left.values()}).missing() == [tag(name)]


@pytest.mark.parametrize("name", ["files", "clean"])
def test_identity_with_an_unreadable_tag_lacks_it(name: str) -> None:
    assert Identity.from_tags(OF_OLD | {tag(name): "[so so"}).missing() == [tag(name)]


def test_identity_for_people_has_a_row_for_every_field_but_the_files() -> None:
    rows = dict(Identity.from_tags(OF_OLD).rows())
    assert len(rows) == len([value for value in OF_OLD.values() if value]) - 1
    assert rows["SHA-256 model.safetensors"] == "f45aa685"
    assert (rows["clean"], rows["processor"]) == ("true", "AMD EPYC")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout of its own with one commit, which `common.git` asks about."""
    folder = tmp_path / "clone"
    for command in (
        ["init", "--quiet", str(folder)],
        ["-C", str(folder), "config", "user.email", "ada@example.org"],
        ["-C", str(folder), "config", "user.name", "Ada"],
    ):
        subprocess.run(["git", *command], check=True)
    (folder / "model").mkdir()
    (folder / "model" / "layers.py").write_text("WIDTH = 1\n")
    for command in (["add", "."], ["commit", "--quiet", "--message", "First"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    monkeypatch.setattr("common.git.ROOT", folder)
    for variable in (COMMIT_VARIABLE, DIRTY_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    return folder


def known(identity: Identity) -> tuple[Any, ...]:
    return len(identity.commit), identity.clean, identity.uncommitted


def test_occurrence_in_a_clean_checkout_is_clean_until_code_changes(clone: Path) -> None:
    assert known(occurrence()) == (40, True, "")
    (clone / "model" / "layers.py").write_text("WIDTH = 2\n")
    assert known(occurrence()) == (40, False, "model/layers.py")


def test_occurrence_with_a_damaged_index_is_not_clean(clone: Path) -> None:
    index = clone / ".git" / "index"
    index.write_bytes(index.read_bytes()[:20])
    found = occurrence()
    assert found.clean is False
    assert found.uncommitted.startswith("unknown: git diff failed: fatal: .git/index: ")


def test_occurrence_in_another_owners_checkout_is_not_clean(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "true")  # what git's own tests call for, root or not
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "true")
    found = occurrence()
    assert (found.commit, found.clean) == ("none", False)
    assert found.uncommitted.startswith("unknown: git rev-parse failed: fatal: detected dubious ownership")
    assert str(clone) in found.uncommitted


def test_occurrence_without_a_repository_or_git_is_not_clean(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(clone / ".git")
    assert known(occurrence())[:2] == (4, False)
    monkeypatch.setenv("PATH", str(clone))
    found = occurrence()
    assert (found.commit, found.clean) == ("none", False)
    assert found.uncommitted.startswith("unknown: git cannot be started")


def test_occurrence_is_that_of_the_moment_before_a_stage_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMIT_VARIABLE, "c0ffee")
    monkeypatch.setenv(DIRTY_VARIABLE, "")
    assert known(occurrence()) == (6, True, "")
    monkeypatch.setenv(COMMIT_VARIABLE, "")
    assert known(occurrence()) == (4, False, "")


def test_names_of_tags_are_made_in_one_place() -> None:
    files = [
        path for package in ("registry", "reproduction", "steps", "commands") for path in ROOT.glob(f"{package}/*.py")
    ]
    assert [path.name for path in files if '"myxtts.' in path.read_text(encoding="utf-8")] == ["identity.py"]
