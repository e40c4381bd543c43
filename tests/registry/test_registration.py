"""What is registered of a run, and what is written beside its results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowException

from registry import registration
from registry.card import MOST_CHARACTERS, limits, shortened
from registry.champions import promote
from registry.evidence import digests, fetched
from registry.identity import Identity
from registry.registration import register
from registry.store import CHALLENGER, find, list_versions, store
from tests.registry.conftest import NAME, PRESET, RECIPE, Registry, make_outs


def test_registration_makes_a_version_once_and_the_challenger_again(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = make_outs(tmp_path / "outs", 0.7, {})
    monkeypatch.setattr(registration, "Outs", lambda _: outs)
    first = register(PRESET, "run 7", {"zenml_run": "a run"})
    registry.register(0.9)
    store().set_registered_model_alias(NAME, CHALLENGER, "1")
    (outs.reports / "identity.json").unlink()
    second = register(PRESET, "run 7", {"zenml_run": "restored"})
    assert first.version == second.version
    assert second.aliases == [CHALLENGER]
    content = json.loads((outs.reports / "identity.json").read_text())
    identity = Identity.from_json(content)
    elsewhere: dict[str, Any] = {"files": {}, "commit": "", "clean": None, "uncommitted": ""}
    assert identity == Identity.from_tags(second.tags).model_copy(update=elsewhere)
    assert identity.missing() == ["myxtts.files", "myxtts.commit", "myxtts.clean"]
    assert (identity.run, identity.recipe, identity.zenml_run) == ("run 7", RECIPE, "a run")
    assert identity.environment()["hardware"].keys() == {"cpu", "gpu"}


def test_registration_goes_on_where_another_process_was_faster(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(list_versions())
    monkeypatch.setattr("registry.store._Client.get_experiment_by_name", lambda *_: None)
    registry.register_outs(make_outs(tmp_path / "outs", 0.7, {}))
    assert len(list_versions()) == before + 1


@pytest.mark.usefixtures("registry")
def test_card_says_all_of_the_identity_and_fits_a_description() -> None:
    version = find(PRESET, "1")
    card = str(version.description)
    for title, value in Identity.from_tags(version.tags).rows():
        assert f"| {title} | {value} |" in card
    assert "uncommitted changes" not in card
    assert "Read by Ada, CC-BY-3.0." in card
    assert len(card) < MOST_CHARACTERS
    assert len(shortened(card * 9)) == MOST_CHARACTERS
    assert shortened(card * 9).endswith("(The rest is in the artifact `model_card.md` of its run.)")


@pytest.mark.parametrize(
    ("figures", "voices", "said"),
    [
        ({}, 2, []),
        ({}, 1, ["one voice"]),
        ({"cer": 0.5, "cer_vocoded": 0.1}, 2, ["hardly be understood: 40% more"]),
        ({"cer": 0.3, "cer_vocoded": 0.1}, 2, []),
        ({"ended_percent": 99.0}, 2, ["do not end by themselves"]),
        ({"hard_ended_percent": 99.0}, 2, ["do not end by themselves"]),
        ({"far_ended_percent": 0.0}, 2, ["do not end by themselves"]),
        ({"ended_percent": 100.0}, 2, []),
        ({"cer": 0.1, "far_cer": 0.2}, 2, ["less well on texts that are unlike"]),
        ({"cer": 0.2, "far_cer": 0.2}, 2, []),
    ],
)
def test_card_names_the_limits_that_the_figures_tell(figures: dict[str, float], voices: int, said: list[str]) -> None:
    *found, last = limits(figures, voices)
    assert "speech recogniser's, not people's" in last
    assert len(found) == len(said)
    assert all(words in limit for words, limit in zip(said, found, strict=True))


def test_evidence_is_hashed_once_a_promotion(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(PRESET, "1")
    better = registry.register(0.9)
    hashed: list[Path] = []

    def counted(folder: Path) -> dict[str, str]:
        hashed.append(folder)
        return digests(folder)

    monkeypatch.setattr("registry.evidence.digests", counted)
    promote(PRESET, str(better))
    assert len(hashed) == len(set(hashed)) == 2  # the candidate's and the champion's


@pytest.mark.usefixtures("registry")
def test_evidence_of_a_version_whose_files_are_gone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise MlflowException("the disk is gone")

    monkeypatch.setattr("mlflow.artifacts.download_artifacts", gone)
    with fetched(find(PRESET, "1")) as evidence:
        assert "models:/myxtts-smoke/1 cannot be fetched: the disk is gone" in evidence.wrong.values()
        assert "served/MLmodel is missing" in evidence.wrong.values()
