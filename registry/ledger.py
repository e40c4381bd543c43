"""The ledger of a registered model: every promotion, refusal, override, rollback and prune, with what decided it.

It lives in the registry, as the model `ledger-of-<name>`, so that all who share the store share the ledger; each entry
is a version of it, its facts are tags. An entry is opened (who wants what), decided (what shall be) and closed (it is
so), each by a single write. The store itself gives entries their numbers, no number twice, and the open entry with the
lowest number has its turn: this orders promoters on any machine, over any of MLflow's stores, without a lock. Whose
process is gone, or who has not closed an entry within `LEASE`, is waited for no longer, and whoever has the next turn
closes the entry: what was decided is carried out, what was not is abandoned. Both may be done twice without harm.

What this cannot do, since MLflow has no compare-and-swap: whoever sleeps longer than `LEASE` between a last look at
the ledger and a write may still write. The ledger then says who is champion, and the next turn sets the alias right.
"""

from __future__ import annotations

import getpass
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mlflow import MlflowClient, MlflowException
from mlflow.entities.model_registry import ModelVersion
from pydantic import BaseModel, ConfigDict

from common.errors import Refused
from common.git import checkout_state
from registry.gates import GateVerdict
from registry.store import is_there_already, named, search

LEASE = 900.0
"""Seconds after which an open entry of a process that cannot be seen from here counts as left behind."""

_DECISION, _OUTCOME = "decision", "outcome"

Action = Literal["promote", "rollback", "prune"]


class Overtaken(Refused):
    """An entry that others have closed, because it was open for too long."""


class Decision(BaseModel):
    """What an entry comes to; from the moment that it is written, it will be carried out by someone."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["promoted", "overridden", "rolled back", "pruned", "refused", "abandoned"]
    before: int | None
    """The champion until now."""
    champion: int | None
    """The champion from now on."""
    gates: str | None = None
    """SHA-256 of the file with the gates."""
    verdicts: tuple[GateVerdict, ...] = ()
    removed: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry of the ledger; `commit` is that of the checkout with the gates."""

    number: int
    time: str
    action: str
    version: int
    who: str
    commit: str
    reason: str
    holder: str
    decision: Decision | None
    closed: bool

    def as_json(self) -> dict[str, Any]:
        """The entry as `--json` prints it."""
        decision = None if self.decision is None else self.decision.model_dump(mode="json")
        return asdict(self) | {"decision": decision}

    def lines(self) -> list[str]:
        """The entry for people to read: a line, and one for each gate."""
        outcome = self.decision.outcome if self.decision else "undecided"
        about = "" if self.action == "prune" else f" version {self.version}"
        head = f"{self.number:4}  {self.time}  {self.action}{about}: {outcome}"
        head += "" if self.closed else " (not closed; the next promotion, rollback or prune sees to it)"
        lines = [f"{head}, by {self.who} at {self.commit[:12]}"]
        if self.reason:
            lines.append(f"      reason: {self.reason}")
        if self.decision is None:
            return lines
        if self.decision.before != self.decision.champion:
            lines.append(f"      champion: {self.decision.before or 'none'} -> {self.decision.champion or 'none'}")
        if self.decision.removed:
            lines.append(f"      removed: {', '.join(map(str, self.decision.removed))}")
        if self.decision.note:
            lines.append(f"      {self.decision.note}")
        return lines + [f"      {line}" for line in verdict_lines(self.decision.verdicts)]


def verdict_lines(verdicts: Sequence[GateVerdict]) -> list[str]:
    """A line for each gate: whether it opened, what was found, the bound, and where it was found."""
    return [
        f"{'pass' if verdict.passed else 'FAIL'}  {verdict.gate}: "
        f"{verdict.found if isinstance(verdict.found, str) else format(verdict.found, '.4g')} "
        f"(bound: {verdict.bound}; {verdict.source})"
        for verdict in verdicts
    ]


def ledger_name(name: str) -> str:
    """The registered model that holds the ledger of `name`."""
    return f"ledger-of-{name}"


def read(client: MlflowClient, name: str) -> list[Entry]:
    """All entries, first to last."""
    found = search(client, named(ledger_name(name)))
    return sorted((_entry(version) for version in found), key=lambda entry: entry.number)


def champions(entries: Sequence[Entry]) -> list[int]:
    """The champions that led to the present one, which is the last: what a rollback goes back along."""
    line: list[int] = []
    for entry in entries:
        if not entry.closed or entry.decision is None or entry.decision.champion is None:
            continue
        if entry.decision.outcome == "rolled back" and entry.decision.champion in line:
            while line[-1] != entry.decision.champion:
                line.pop()
        elif entry.decision.outcome in ("promoted", "overridden", "rolled back"):
            line.append(entry.decision.champion)
    return line


def ever_champion(entries: Sequence[Entry]) -> set[int]:
    """Every version that was champion at some time, or is to be by a decision that is not yet carried out."""
    decisions = [entry.decision for entry in entries if entry.decision]
    return {decision.champion for decision in decisions if decision.champion is not None}


def open_entry(client: MlflowClient, name: str, action: Action, version: int, reason: str) -> Entry:
    """Say who wants what, and get in line."""
    _ensure_ledger(client, name)
    request = {
        "action": action,
        "version": str(version),
        "who": f"{_user()}@{platform.node()}",
        "commit": checkout_state().commit or "none",
        "reason": reason,
        "holder": _process(os.getpid()),
    }
    # The source is no place to load from: an entry is no model.
    return _entry(client.create_model_version(ledger_name(name), f"ledger:/{name}/{version}", tags=request))


def wait_for_turn(
    client: MlflowClient, name: str, entry: Entry, clear: Callable[[Entry, Sequence[Entry]], None]
) -> list[Entry]:
    """Wait until nobody alive is before `entry`, have `clear` close what others left open, and return what is closed.

    `clear` gets an entry, and those before it.
    """
    while True:
        before = [other for other in read(client, name) if other.number < entry.number]
        left = [other for other in before if not other.closed]
        if not left:
            return before
        if any(_is_alive(other) for other in left):
            time.sleep(0.2)
        else:
            clear(left[0], [other for other in before if other.number < left[0].number])


def decide(client: MlflowClient, name: str, entry: Entry, decision: Decision) -> Entry:
    """Write what an entry comes to. Raises `Overtaken` if others have taken it for left behind."""
    now = _entry(client.get_model_version(ledger_name(name), str(entry.number)))
    if now.decision is not None or now.closed:
        raise Overtaken(f"entry {entry.number} of the ledger was open for too long; others have closed it")
    client.set_model_version_tag(ledger_name(name), str(entry.number), _DECISION, decision.model_dump_json())
    return _entry(client.get_model_version(ledger_name(name), str(entry.number)))


def close(client: MlflowClient, name: str, entry: Entry) -> Entry:
    """Say that a decision is carried out."""
    assert entry.decision is not None
    text = "\n".join(f"    {line}" for line in entry.lines())
    client.update_model_version(ledger_name(name), str(entry.number), text[:5000])
    client.set_model_version_tag(ledger_name(name), str(entry.number), _OUTCOME, entry.decision.outcome)
    return _entry(client.get_model_version(ledger_name(name), str(entry.number)))


def _ensure_ledger(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(
            ledger_name(name), description=f"What became of the versions of {name}: one entry a version. Not a model."
        )
    except MlflowException as error:
        if not is_there_already(error):
            raise


def _entry(version: ModelVersion) -> Entry:
    tags = version.tags
    return Entry(
        number=int(version.version),
        time=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        action=tags["action"],
        version=int(tags["version"]),
        who=tags["who"],
        commit=tags["commit"],
        reason=tags["reason"],
        holder=tags["holder"],
        decision=Decision.model_validate_json(tags[_DECISION]) if _DECISION in tags else None,
        closed=_OUTCOME in tags,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container a user may have no name
        return str(os.getuid())


def _is_alive(entry: Entry) -> bool:
    """Whether another process may still be at work on an open entry."""
    if entry.holder == _process(os.getpid()):
        return False  # a process does one thing after another, so this was left behind
    age = time.time() - datetime.fromisoformat(entry.time).timestamp()
    machine, _, process = entry.holder.rpartition("/")
    if age > LEASE or machine != _machine():
        return age <= LEASE
    return _process(int(process.partition("@")[0])) == entry.holder


def _machine() -> str:
    """This boot of this machine, as far as processes see each other."""
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{os.readlink('/proc/self/ns/pid')}"


def _process(pid: int) -> str:
    """A process as no other is ever called; `pid` is free again after its end, so the start time is in it."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        started = "ended"
    return f"{_machine()}/{pid}@{started}"
