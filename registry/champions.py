"""Who is champion, and how that changes: by gates, with an entry in the ledger, and back again.

The ledger decides and the alias follows: whatever a turn comes to, it ends with the alias where the ledger has the
champion, so that what was moved by hand is moved back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlflow import MlflowClient, MlflowException
from mlflow.entities.model_registry import ModelVersion

from common.errors import Unanswerable
from registry import ledger
from registry.evidence import fetched
from registry.gates import NEVER_OVERRIDDEN, GateVerdict, judge, judge_integrity, load_gates
from registry.identity import PROTECTED_TAG
from registry.ledger import Action, Decision, Entry
from registry.store import CHAMPION, NoSuchModel, StoreError, find, find_number, model_name, named, search, store


class NothingToDo(Exception):
    """What was asked for is so already."""


@dataclass(frozen=True)
class Standing:
    """What the ledger says when a turn begins: the champion, and every version that was champion at some time."""

    champion: int | None
    ever: frozenset[int]


def examine(preset: str, wanted: str) -> tuple[int, list[GateVerdict]]:
    """The verdict of every gate on a version, number or `@alias`; changes nothing. Raises `NoSuchModel`."""
    client, name = store(), model_name(preset)
    version = int(find(preset, wanted).version)
    return version, _verdicts(client, name, version, _standing(client, name, ledger.read(client, name)).champion)


def promote(preset: str, wanted: str, override: str | None = None) -> Entry:
    """Make a version the champion if every gate opens, and write into the ledger whether it was.

    `override` is a reason to promote it although a gate stays shut. Raises `NoSuchModel`, `ConfigError` for gates that
    cannot be read, and `NothingToDo` for the champion itself.
    """
    client, name = store(), model_name(preset)
    version = int(find(preset, wanted).version)
    _, digest = load_gates(name)

    def decide(standing: Standing) -> Decision:
        champion = standing.champion
        verdicts = tuple(_verdicts(client, name, version, champion))
        shut = {verdict.gate for verdict in verdicts if not verdict.passed}
        if not shut:
            outcome = "promoted"
        elif override and not shut & set(NEVER_OVERRIDDEN):
            outcome = "overridden"
        else:
            return Decision(outcome="refused", before=champion, champion=champion, gates=digest, verdicts=verdicts)
        return Decision(outcome=outcome, before=champion, champion=version, gates=digest, verdicts=verdicts)

    return _take_turn(preset, "promote", version, override or "", decide)


def rollback(preset: str, to: int | None = None) -> Entry:
    """Return to the champion before, or to another version that was champion, if it is still what it was.

    Raises `NoSuchModel` if there is none, and `NothingToDo` if it is the champion.
    """
    client, name = store(), model_name(preset)
    entries = ledger.read(client, name)
    line = _line(client, name, entries)
    seen = line[-1] if line else None
    if to is None and len(line) < 2:
        raise NoSuchModel(f"{name} has no champion before version {seen}" if line else f"{name} has no champion")
    version = line[-2] if to is None else int(find(preset, str(to)).version)
    if version not in ledger.ever_champion(entries):
        raise NoSuchModel(f"version {version} of {name} was never champion; `myxtts promote {version}` asks its gates")

    def decide(standing: Standing) -> Decision:
        champion = standing.champion
        with fetched(_existing(client, name, version)) as evidence:
            verdicts = judge_integrity(evidence)
        same = GateVerdict(
            gate="champion",
            passed=champion == seen,
            found=f"version {champion}",
            bound=f"version {seen}, as when the rollback was asked for",
            source="ledger",
        )
        verdicts.append(same)
        passed = all(verdict.passed for verdict in verdicts)
        return Decision(
            outcome="rolled back" if passed else "refused",
            before=champion,
            champion=version if passed else champion,
            verdicts=tuple(verdicts),
        )

    return _take_turn(preset, "rollback", version, "", decide)


def prune(preset: str, keep: int) -> Entry:
    """Remove all but the newest `keep` versions, and those that were champion, have an alias or are protected.

    Their runs and files go to MLflow's trash, which `mlflow gc` empties.
    """
    if keep < 1:
        raise Unanswerable(f"{keep} versions cannot be kept; expected 1 or more")
    client, name = store(), model_name(preset)
    versions = _numbers(client, name)
    if not versions:
        raise NoSuchModel(f"{name} has no version")

    def decide(standing: Standing) -> Decision:
        numbers = _numbers(client, name)
        kept = set(numbers[-keep:]) | standing.ever
        candidates = [find_number(client, name, number) for number in numbers if number not in kept]
        removed = [int(v.version) for v in candidates if v and not v.aliases and PROTECTED_TAG not in v.tags]
        champion = standing.champion
        return Decision(outcome="pruned", before=champion, champion=champion, removed=tuple(removed))

    return _take_turn(preset, "prune", versions[-1], "", decide)


def history(preset: str) -> list[Entry]:
    """The ledger, first entry to last."""
    return ledger.read(store(), model_name(preset))


def _take_turn(
    preset: str,
    action: Action,
    version: int,
    reason: str,
    decide: Callable[[Standing], Decision],
) -> Entry:
    """Get in line, settle what others left open, decide on the state of that moment, and carry it out."""
    client, name = store(), model_name(preset)
    standing = _standing(client, name, ledger.read(client, name))
    if action != "prune" and _alias(client, name) == version == standing.champion:
        raise NothingToDo(f"version {version} of {name} is the champion")
    entry = ledger.open_entry(client, name, action, version, reason)

    def clear(left: Entry, before: Sequence[Entry]) -> None:
        champion = _standing(client, name, before).champion
        _settle(client, name, left, Decision(outcome="abandoned", before=champion, champion=champion))

    standing = _standing(client, name, ledger.wait_for_turn(client, name, entry, clear))
    champion = standing.champion
    try:
        decision = decide(standing)
    except Exception as error:
        _settle(client, name, entry, Decision(outcome="abandoned", before=champion, champion=champion, note=str(error)))
        raise
    if (found := _alias(client, name)) != champion:
        note = f"the alias was at {found or 'no version'} against the ledger"
        decision = decision.model_copy(update={"note": note})
    try:
        return _settle(client, name, entry, decision)
    except StoreError as error:
        left = f"entry {entry.number} of the ledger stays open; the next promotion, rollback or prune sees to it"
        raise StoreError(f"{error}; {left}") from error


def _settle(client: MlflowClient, name: str, entry: Entry, otherwise: Decision) -> Entry:
    """Carry out what an entry comes to, however far that went already; what is not decided is `otherwise`."""
    if entry.decision is None:
        entry = ledger.decide(client, name, entry, otherwise)
    assert entry.decision is not None
    _set_alias(client, name, entry.decision.champion)
    for number in entry.decision.removed:
        _remove(client, name, number)
    return ledger.close(client, name, entry)


def _verdicts(client: MlflowClient, name: str, version: int, champion: int | None) -> list[GateVerdict]:
    gates, _ = load_gates(name)
    with contextlib.ExitStack() as stack:
        candidate = stack.enter_context(fetched(_existing(client, name, version)))
        rival = None
        if champion is not None and champion != version:
            rival = stack.enter_context(fetched(_existing(client, name, champion)))
        return judge(candidate, rival, gates)


def _line(client: MlflowClient, name: str, entries: Sequence[Entry]) -> list[int]:
    """The line of champions, less those that somebody deleted."""
    numbers = set(_numbers(client, name))
    return [champion for champion in ledger.champions(entries) if champion in numbers]


def _standing(client: MlflowClient, name: str, entries: Sequence[Entry]) -> Standing:
    line = _line(client, name, entries)
    return Standing(line[-1] if line else None, frozenset(ledger.ever_champion(entries)))


def _numbers(client: MlflowClient, name: str) -> list[int]:
    return sorted(int(version.version) for version in search(client, named(name)))


def _existing(client: MlflowClient, name: str, number: int) -> ModelVersion:
    version = find_number(client, name, number)
    if version is None:
        raise NoSuchModel(f"version {number} of {name} was deleted just now")
    return version


def _alias(client: MlflowClient, name: str) -> int | None:
    """The champion by the registry."""
    try:
        number = client.get_registered_model(name).aliases.get(CHAMPION)
    except MlflowException:  # it is missing
        return None
    return None if number is None else int(number)


def _set_alias(client: MlflowClient, name: str, champion: int | None) -> None:
    if _alias(client, name) == champion:
        return
    if champion is None:
        client.delete_registered_model_alias(name, CHAMPION)
    else:
        with contextlib.suppress(MlflowException):  # a version that somebody deleted is champion no more
            client.set_registered_model_alias(name, CHAMPION, str(champion))


def _remove(client: MlflowClient, name: str, number: int) -> None:
    """Delete a version, its run and its files; the version last, so that what is half done is found again."""
    version = find_number(client, name, number)
    if version is None:
        return
    # What is not there need not be deleted; whatever else keeps it from being deleted is a `StoreError`.
    with contextlib.suppress(MlflowException):
        client.delete_run(str(version.run_id))
    with contextlib.suppress(MlflowException):
        client.delete_logged_model(str(version.source).removeprefix("models:/"))
    with contextlib.suppress(MlflowException):
        client.delete_model_version(name, str(number))
