"""Holding all surfaces to the facts: what drifted, what was mended, and a page of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from common.files import replacing
from consistency.surfaces.surface import Statement, Surface


@dataclass(frozen=True)
class Agreement:
    """What every surface stated, by kind; `mended` are the drifts that were put right."""

    statements: dict[str, list[Statement]]
    mended: list[Statement]

    @property
    def drifts(self) -> list[Statement]:
        """What does not agree."""
        return [s for stated in self.statements.values() for s in stated if not s.agrees]

    @property
    def warnings(self) -> list[Statement]:
        """What can be read in more than one way; never mended."""
        return [s for stated in self.statements.values() for s in stated if s.doubt]

    @property
    def absent(self) -> list[str]:
        """Kinds of surface of which there is none."""
        return [kind for kind, stated in self.statements.items() if not stated]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "agrees": not self.drifts,
            "surfaces": {kind: len(stated) for kind, stated in self.statements.items()},
            "absent": self.absent,
            "drifts": [asdict(s) for s in self.drifts],
            "mended": [asdict(s) for s in self.mended],
            "warnings": [asdict(s) for s in self.warnings],
        }


def verify(surfaces: Sequence[Surface], fix: bool = False) -> Agreement:
    """Read every surface; with `fix`, first mend what has one right answer.

    What others are held to comes first among `surfaces`.
    """
    drifted: list[Statement] = []
    for surface in surfaces if fix else ():
        wrong = [statement for statement in surface.read() if not statement.agrees]
        if wrong:
            surface.mend()
            drifted += wrong
    agreement = Agreement({surface.kind: list(surface.read()) for surface in surfaces}, [])
    left = {(s.surface, s.where, s.fact) for s in agreement.drifts}
    return replace(agreement, mended=[s for s in drifted if (s.surface, s.where, s.fact) not in left])


def lines(agreement: Agreement) -> list[str]:
    """The agreement for a terminal: every drift with its place, what was mended, and how much was held."""
    shown = [f"{s.where}: {s.fact} is {s.stated}, expected {s.true}" for s in agreement.drifts]
    shown += [f"{s.where}: {s.fact}: {s.stated} -> {s.true} (mended)" for s in agreement.mended]
    shown += [f"{s.where}: {s.fact} {s.stated}? not checked: {s.doubt}" for s in agreement.warnings]
    width = max(map(len, agreement.statements))
    if shown:
        shown.append("")
    for kind, stated in agreement.statements.items():
        wrong = sum(not s.agrees for s in stated)
        held = f"{len(stated)} statements" + (f", {wrong} of them wrong" if wrong else "") if stated else "absent"
        shown.append(f"  {kind:{width}}  {held}")
    return [*shown, "", _summary(agreement)]


def write_page(agreement: Agreement, path: Path) -> None:
    """A page of the agreement, self-contained."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    html = environment.get_template("agreement.html.j2").render(agreement=agreement, summary=_summary(agreement))
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _summary(agreement: Agreement) -> str:
    mended = f" {len(agreement.mended)} mended." if agreement.mended else ""
    if not agreement.drifts:
        return f"Everything agrees.{mended}"
    return f"{len(agreement.drifts)} statements do not agree.{mended}"
