"""Promotions, refusals, overrides, rollbacks and prunes, one after another, killed in between, and two at once."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace

import pytest
from mlflow import MlflowClient, MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR

from common.errors import Unanswerable
from common.files import file_digest
from configs.schema import GATES
from registry import ledger
from registry.champions import NothingToDo, examine, history, promote, prune, rollback
from registry.identity import PROTECTED_TAG
from registry.ledger import Entry, champions, ever_champion, ledger_name
from registry.store import CHALLENGER, CHAMPION, NoSuchModel, StoreError, list_versions, store
from tests.registry.conftest import NAME, PRESET, Registry
from tests.registry.promoters import ended, start_promotion


def champion() -> int | None:
    found = [version["version"] for version in list_versions(PRESET) if CHAMPION in version["aliases"]]
    return found[0] if found else None


def outcomes() -> list[tuple[str, int, int | None]]:
    """Outcome, version asked for and champion from then on, of every entry."""
    entries = history(PRESET)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    return [(e.decision.outcome, e.version, e.decision.champion) for e in entries if e.decision and e.closed]


def test_the_ledger_tells_promotion_refusal_override_and_rollback(registry: Registry) -> None:
    worse, better = registry.register(1.2), registry.register(0.9)
    promote(PRESET, "1")
    promote(PRESET, str(worse))
    promote(PRESET, str(better))
    promote(PRESET, str(worse), "a listener prefers it")
    rollback(PRESET)
    rollback(PRESET)
    assert outcomes() == [
        ("promoted", 1, 1),
        ("refused", worse, 1),
        ("promoted", better, better),
        ("overridden", worse, worse),
        ("rolled back", better, better),
        ("rolled back", 1, 1),
    ]
    assert champion() == 1
    entries = history(PRESET)
    assert champions(entries) == [1]
    assert ever_champion(entries) == {1, worse, better}
    refused, overridden = entries[1], entries[3]
    assert refused.decision
    assert overridden.decision
    shut = [verdict for verdict in refused.decision.verdicts if not verdict.passed]
    assert [(verdict.gate, verdict.bound) for verdict in shut] == [
        ("against the champion", "at most 0.02 worse, with 95% confidence")
    ]
    assert shut[0].found == pytest.approx(0.2)
    assert refused.decision.gates == file_digest(GATES)
    assert overridden.reason == "a listener prefers it"
    assert len(overridden.decision.verdicts) == len(refused.decision.verdicts) == 9
    assert "@" in refused.who
    assert refused.time.endswith("+00:00")
    assert all(entry.lines() for entry in entries)
    with pytest.raises(NoSuchModel, match="no champion before version 1"):
        rollback(PRESET)
    rollback(PRESET, worse)
    rollback(PRESET)
    assert champion() == 1


@pytest.mark.usefixtures("registry")
def test_ledger_shows_in_the_registry_itself() -> None:
    promote(PRESET, "1")
    entry = store().get_model_version(ledger_name(NAME), "1")
    assert entry.tags["action"] == "promote"
    assert entry.tags["outcome"] == "promoted"
    assert "pass  mel_l1: 1.01 (bound: at most 2; its table of utterances)" in str(entry.description)
    assert ledger_name(NAME) not in {version["name"] for version in list_versions()}


def test_promotions_and_rollbacks_that_cannot_be_are_named(registry: Registry) -> None:
    with pytest.raises(NoSuchModel, match="has no version @challenger"):
        promote(PRESET, "@challenger")
    with pytest.raises(NoSuchModel, match="has no champion"):
        rollback(PRESET)
    promote(PRESET, "1")
    with pytest.raises(NothingToDo, match="version 1 of myxtts-smoke is the champion"):
        promote(PRESET, "1")
    other = registry.register(1.2)
    with pytest.raises(NoSuchModel, match="was never champion"):
        rollback(PRESET, other)
    assert outcomes() == [("promoted", 1, 1)]


def test_examining_a_promotion_asks_every_gate_and_changes_nothing(registry: Registry) -> None:
    promote(PRESET, "1")
    version, verdicts = examine(PRESET, str(registry.register(1.2)))
    assert [verdict.gate for verdict in verdicts if not verdict.passed] == ["against the champion"]
    assert (champion(), len(history(PRESET)), version) == (1, 1, 2)


def test_an_override_promotes_no_altered_files(registry: Registry) -> None:
    registry.checkpoint(1, "model.safetensors").write_bytes(b"noise")
    entry = promote(PRESET, "1", "I am in a hurry")
    assert entry.decision
    assert entry.decision.outcome == "refused"
    assert champion() is None


def test_a_rollback_to_altered_files_is_refused(registry: Registry) -> None:
    promote(PRESET, "1")
    better = registry.register(0.9)
    promote(PRESET, str(better))
    registry.checkpoint(1, "vocoder.safetensors").unlink()
    entry = rollback(PRESET)
    assert entry.decision
    assert entry.decision.outcome == "refused"
    assert champion() == better


def test_a_rollback_is_refused_if_a_promotion_was_faster(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for when another was champion, so that nobody can say what it should return to."""
    promote(PRESET, "1")
    better, best = registry.register(0.9), registry.register(0.8)
    promote(PRESET, str(better))
    get_in_line = ledger.open_entry

    def get_in_line_late(client: MlflowClient, name: str, action: ledger.Action, version: int, reason: str) -> Entry:
        if action == "rollback":
            promote(PRESET, str(best))
        return get_in_line(client, name, action, version, reason)

    monkeypatch.setattr(ledger, "open_entry", get_in_line_late)
    entry = rollback(PRESET)
    assert entry.decision
    assert (entry.decision.outcome, entry.decision.champion) == ("refused", best)
    assert [verdict.gate for verdict in entry.decision.verdicts if not verdict.passed] == ["champion"]
    assert champion() == best


def test_a_promotion_that_is_decided_but_not_carried_out_makes_no_champion_in_the_ledger(registry: Registry) -> None:
    promote(PRESET, "1")
    better = registry.register(0.9)
    promote(PRESET, str(better))
    first, second = history(PRESET)
    assert champions([first, second]) == [1, better]
    assert champions([first, replace(second, closed=False)]) == [1]


def test_a_champions_alias_that_was_moved_by_hand_is_moved_back(registry: Registry) -> None:
    promote(PRESET, "1")
    worse = registry.register(1.2)
    store().set_registered_model_alias(NAME, CHAMPION, str(worse))
    entry = promote(PRESET, str(worse))
    assert entry.decision
    assert entry.decision.note == f"the alias was at {worse} against the ledger"
    assert champion() == 1


def test_prune_keeps_champions_aliases_and_what_is_protected(registry: Registry) -> None:
    versions = [1, *(registry.register(mel_l1) for mel_l1 in (0.9, 0.9, 1.2, 1.2, 0.8))]
    promote(PRESET, "1")
    promote(PRESET, "2")
    store().set_model_version_tag(NAME, "3", PROTECTED_TAG, "true")
    store().set_registered_model_alias(NAME, CHALLENGER, "4")
    entry = prune(PRESET, keep=1)
    assert entry.decision
    assert entry.decision.removed == (5,)
    assert sorted(version["version"] for version in list_versions(PRESET)) == [1, 2, 3, 4, versions[-1]]
    assert history(PRESET)[-1].decision == entry.decision
    # Version 5 and no other has gone to the trash with all that it was made of.
    pool = {int(version.version): version for version in store().search_model_versions("name = 'pool'")}
    runs = {kind: store().get_run(str(version.run_id)).info for kind, version in pool.items()}
    assert [kind for kind in sorted(runs) if runs[kind].lifecycle_stage == "deleted"] == [5]
    models = store().search_logged_models([runs[1].experiment_id])
    left = {model.model_uri for model in models}
    assert [kind for kind in sorted(pool) if pool[kind].source not in left] == [5]


@pytest.mark.parametrize(
    ("writes", "first"),
    [(1, ("abandoned", 2, 1)), (2, ("promoted", 2, 2)), (4, ("promoted", 2, 2))],
    ids=["opened", "decided", "carried out"],
)
def test_what_a_killed_promotion_left_is_finished_or_undone(
    registry: Registry, writes: int, first: tuple[str, int, int]
) -> None:
    better, best = registry.register(0.9), registry.register(0.8)
    promote(PRESET, "1")
    assert ended(start_promotion(better, killed_after=writes)) == -signal.SIGKILL
    assert not history(PRESET)[-1].closed
    promote(PRESET, str(best))
    assert outcomes() == [("promoted", 1, 1), first, ("promoted", best, best)]
    assert champion() == best
    rollback(PRESET)
    assert champion() == first[2]


def assert_one_champion_of(versions: Sequence[int]) -> None:
    """Of versions promoted at once, each better than the one before, the ledger and the registry tell the same."""
    entries = history(PRESET)
    assert sorted(entry.version for entry in entries) == sorted(versions)
    now = None
    for entry in entries:
        assert entry.closed
        assert entry.decision
        assert entry.decision.before == now
        assert (entry.decision.outcome == "promoted") == (now is None or entry.version > now)
        now = entry.decision.champion
    assert champion() == now == max(versions)


def test_promotions_at_once_end_in_one_champion_and_an_entry_each(registry: Registry) -> None:
    versions = [registry.register(mel_l1) for mel_l1 in (1.2, 0.9, 0.8)]
    promoters = [start_promotion(version) for version in versions]
    assert [ended(promoter) for promoter in promoters] == [0, 0, 0]
    assert_one_champion_of(versions)


def failing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the store fail whenever a method of MLflow's client is called."""

    def fail(*_: object, **__: object) -> None:
        raise MlflowException("the disk is full", INTERNAL_ERROR)

    monkeypatch.setattr(MlflowClient, method, fail)


@pytest.mark.parametrize("method", ["delete_run", "delete_logged_model", "delete_model_version"])
def test_a_prune_that_failed_is_told_of_and_finished_by_the_next_turn(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    kept = registry.register(0.9)
    with monkeypatch.context() as patch:
        failing(method, patch)
        with pytest.raises(StoreError, match=r"cannot answer: .*the disk is full; entry 1 of the ledger stays open"):
            prune(PRESET, keep=1)
        (entry,) = history(PRESET)
        assert entry.decision
        assert (entry.decision.removed, entry.closed) == ((1,), False)
        assert "not closed" in entry.lines()[0]
        with pytest.raises(StoreError, match="the disk is full"):  # what another turn cannot finish either
            promote(PRESET, str(kept))
    assert [version["version"] for version in list_versions(PRESET)] == [kept, 1]
    promote(PRESET, str(kept))
    assert all(entry.closed for entry in history(PRESET))
    assert [version["version"] for version in list_versions(PRESET)] == [kept]
    assert champion() == kept


def test_a_promotion_whose_alias_could_not_be_set_is_finished_by_the_next_turn(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    better = registry.register(0.9)
    with monkeypatch.context() as patch:
        failing("set_registered_model_alias", patch)
        with pytest.raises(StoreError, match="entry 1 of the ledger stays open"):
            promote(PRESET, "1")
    assert champion() is None
    promote(PRESET, str(better))
    assert outcomes() == [("promoted", 1, 1), ("promoted", better, better)]


def test_a_promotion_to_a_version_that_was_deleted_before_it_was_carried_out_holds_nobody_up(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    better = registry.register(0.9)
    with monkeypatch.context() as patch:
        failing("set_registered_model_alias", patch)
        with pytest.raises(StoreError, match="the disk is full"):
            promote(PRESET, "1")
    store().delete_model_version(NAME, "1")
    promote(PRESET, str(better))
    assert champion() == better


@pytest.mark.usefixtures("registry")
def test_a_champion_that_cannot_be_asked_for_is_not_none(monkeypatch: pytest.MonkeyPatch) -> None:
    promote(PRESET, "1")
    failing("get_registered_model", monkeypatch)
    with pytest.raises(StoreError, match="the disk is full"):
        promote(PRESET, "1")
    assert [entry.closed for entry in history(PRESET)] == [True]


@pytest.mark.usefixtures("registry")
def test_a_prune_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(Unanswerable, match="0 versions cannot be kept; expected 1 or more"):
        prune(PRESET, keep=0)
