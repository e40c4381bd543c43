"""Whatever is registered, promoted, rolled back, pruned and killed in between: the registry does what the ledger says.

The store is MLflow's own, the versions are real; a crash is an exception that no code of ours catches, before the n-th
write, after which nothing more is written.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from configs.outs import MODEL_FILE
from registry.champions import NothingToDo, history, promote, prune, rollback
from registry.gates import NEVER_OVERRIDDEN
from registry.identity import PROTECTED_TAG, tag
from registry.ledger import Entry, ever_champion
from registry.store import CHAMPION, NoSuchModel, store
from tests.registry.conftest import NAME, POOL, PRESET, Registry

ALTERED, DIRTY = 6, 5
"""Versions of the pool: one with files that were altered, one that is registered as made from uncommitted code."""
MARGIN = 0.02


class Crash(BaseException):
    """The end of the process."""


class Dying:
    """MLflow's client until its n-th write."""

    def __init__(self, client: Any, writes: int):
        self.client, self.left = client, writes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if not name.startswith(("create_", "set_", "update_", "delete_")):
            return method

        def write(*arguments: Any, **named: Any) -> Any:
            if self.left == 0:
                raise Crash
            self.left -= 1
            return method(*arguments, **named)

        return write


class Promotions(RuleBasedStateMachine):
    pool: Registry

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copyfile(self.pool.database, self.folder / "mlflow.db")
        (self.folder / "artifacts").symlink_to(self.pool.folder / "artifacts")
        self.patch = pytest.MonkeyPatch()
        Registry(self.pool.folder, self.folder / "mlflow.db").use(self.patch)
        self.client = store()
        self.kinds: dict[int, int] = {}
        """Which version of the pool each version is."""
        self.protected: set[int] = set()
        self.seen: list[Entry] = []

    def teardown(self) -> None:
        self.patch.undo()
        shutil.rmtree(self.folder)

    def versions(self) -> set[int]:
        return {int(version.version) for version in self.client.search_model_versions(f"name = '{NAME}'")}

    def champion(self) -> int | None:
        champion = self.client.get_registered_model(NAME).aliases.get(CHAMPION)
        return None if champion is None else int(champion)

    def is_settled(self) -> bool:
        return all(entry.closed for entry in history(PRESET))

    def passes(self, version: int, champion: int | None) -> bool:
        """What the gates are to say."""
        kind = self.kinds[version]
        better = champion in (None, version) or POOL[kind] <= POOL[self.kinds[champion or 0]] + MARGIN
        return kind not in (ALTERED, DIRTY) and better

    def attempt(self, change: Callable[[], Entry], writes: int | None) -> Entry | None:
        """Make a change, or as much of it as is written before the end; nothing if it cannot be asked for."""
        with pytest.MonkeyPatch.context() as patch:
            if writes is not None:
                patch.setattr("registry.champions.store", lambda: Dying(store(), writes))
            try:
                return change()
            except (Crash, NoSuchModel, NothingToDo):
                return None

    writes = st.sampled_from([None] * 8 + list(range(8)))

    @initialize(kinds=st.permutations(sorted(POOL)), champions=st.integers(0, 3))
    def register_and_promote_some(self, kinds: list[int], champions: int) -> None:
        for kind in kinds[:4]:
            self.register_kind(kind)
        for version in range(1, champions + 1):
            self.promote_version(version, "to begin with", None)

    @precondition(lambda self: len(self.kinds) < len(POOL))
    @rule()
    def register(self) -> None:
        self.register_kind(min(POOL.keys() - set(self.kinds.values())))

    def register_kind(self, kind: int) -> None:
        version = self.pool.register_kind(kind)
        if kind == DIRTY:
            self.client.set_model_version_tag(NAME, str(version), tag("clean"), "false")
        self.kinds[version] = kind

    @rule(data=st.data(), reason=st.sampled_from([None, "it sounds better"]), writes=writes)
    def promote(self, data: st.DataObject, reason: str | None, writes: int | None) -> None:
        self.promote_version(data.draw(st.sampled_from(sorted(self.kinds))), reason, writes)

    def promote_version(self, version: int, reason: str | None, writes: int | None) -> None:
        before = self.champion() if self.is_settled() else "unknown"
        entry = self.attempt(lambda: promote(PRESET, str(version), reason), writes)
        if entry is None:
            return
        assert entry.closed
        assert entry.decision
        assert self.is_settled()
        if before != "unknown":
            assert entry.decision.before == before
        passes = self.passes(version, entry.decision.before)
        overridden = reason is not None and self.kinds[version] != ALTERED
        expected = "promoted" if passes else "overridden" if overridden else "refused"
        assert entry.decision.outcome == expected
        after = entry.decision.before if expected == "refused" else version
        assert self.champion() == entry.decision.champion == after

    @rule(writes=writes)
    def roll_back(self, writes: int | None) -> None:
        entry = self.attempt(lambda: rollback(PRESET), writes)
        if entry is not None and entry.decision and entry.decision.outcome == "rolled back":
            assert self.is_settled()
            assert self.champion() == entry.version != entry.decision.before
            assert entry.version in ever_champion(history(PRESET)[:-1])

    @rule(keep=st.integers(1, 3), writes=writes)
    def prune(self, keep: int, writes: int | None) -> None:
        # What an earlier prune, killed on its way, had decided may go besides.
        newest = set(sorted(self.versions())[-keep:]) if self.is_settled() else set()
        self.attempt(lambda: prune(PRESET, keep), writes)
        assert newest <= self.versions()

    @precondition(lambda self: self.is_settled())
    @rule(data=st.data())
    def protect(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from(sorted(self.versions())))
        self.client.set_model_version_tag(NAME, str(version), PROTECTED_TAG, "true")
        self.protected.add(version)

    @invariant()
    def registry_and_ledger_agree(self) -> None:
        entries, champion, versions = history(PRESET), self.champion(), self.versions()
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        closed = [entry for entry in entries if entry.closed]
        assert closed[: len(self.seen)] == self.seen, "what was closed never changes"
        self.seen = closed
        decisions = [entry.decision for entry in entries if entry.decision]
        for before, after in zip([None, *decisions], decisions, strict=False):
            assert after.before == (before.champion if before else None)
        unfinished = [entry for entry in entries if entry.decision and not entry.closed]
        assert len(unfinished) <= 1
        last = decisions[-1] if decisions else None
        if unfinished and last:
            assert champion in (last.before, last.champion)
        else:
            assert champion == (last.champion if last else None)
        removed = {number for decision in decisions for number in decision.removed}
        assert self.kinds.keys() - removed <= versions
        assert (ever_champion(entries) | self.protected).isdisjoint(removed)

    @invariant()
    def no_gate_is_passed_by(self) -> None:
        for entry in self.seen:
            assert entry.decision
            shut = {verdict.gate for verdict in entry.decision.verdicts if not verdict.passed}
            if entry.decision.outcome in ("promoted", "rolled back"):
                assert entry.decision.verdicts
                assert not shut
            elif entry.decision.outcome == "overridden":
                assert entry.reason
                assert shut
                assert not shut & set(NEVER_OVERRIDDEN)
            else:
                assert entry.decision.champion == entry.decision.before


@pytest.mark.pipeline
def test_promotions_rollbacks_and_prunes_in_any_order_do_what_the_ledger_says(registry: Registry) -> None:
    version = registry.register_kind(ALTERED)
    altered = registry.checkpoint(version, MODEL_FILE)
    altered.write_bytes(altered.read_bytes()[:-10] + b"0123456789")
    store().delete_registered_model(NAME)
    store().create_registered_model(NAME)
    machine = type("Promotions", (Promotions,), {"pool": registry})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
