"""What is wrong with recordings and their texts, said once for each kind: how many, three examples, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
"""`error`: not to be learned from; `warning`: suspicious; `note`: was put right on the way, and is said."""

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_EXAMPLES = 3


@dataclass(frozen=True)
class Kind:
    """A kind of fault. The module that finds it declares it."""

    name: str
    """Stable, in snake_case: what scripts ask for."""
    severity: Severity
    advice: str
    """What its user can do about it, in a sentence."""


@dataclass(frozen=True)
class Finding:
    """One fault of one clip, row or file."""

    kind: Kind
    found: str
    """The value, with its unit."""
    expected: str
    id: str = ""
    file: str = ""
    """Relative to the source's folder where it lies in it."""
    row: int | None = None
    """Of the list that names the clip, counted from 1 as an editor does."""


@dataclass(frozen=True)
class Problem:
    """All findings of a kind."""

    kind: Kind
    findings: Sequence[Finding]

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        examples = [{k: v for k, v in asdict(finding).items() if k != "kind"} for finding in self._examples()]
        return {
            "kind": self.kind.name,
            "severity": self.kind.severity,
            "count": len(self.findings),
            "examples": examples,
            "advice": self.kind.advice,
        }

    def lines(self) -> list[str]:
        """As a terminal shows it: a line for the kind, one for each example, one of advice."""
        head = f"{self.kind.severity}: {self.kind.name.replace('_', ' ')}: {len(self.findings)}"
        examples = []
        for finding in self._examples():
            row = "" if finding.row is None else f"row {finding.row}"
            where = ", ".join(part for part in (finding.file or finding.id, row) if part)
            examples.append(f"  {where + ': ' * bool(where)}{finding.found}, expected {finding.expected}")
        more = len(self.findings) - len(examples)
        return [head, *examples, *([f"  and {more:,} more"] if more else []), f"  → {self.kind.advice}"]

    def _examples(self) -> Sequence[Finding]:
        return self.findings[:_EXAMPLES]


def grouped(findings: Iterable[Finding]) -> list[Problem]:
    """Findings by kind: errors first, then the most frequent."""
    by_kind: dict[Kind, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    problems = [Problem(kind, some) for kind, some in by_kind.items()]
    return sorted(problems, key=lambda p: (_SEVERITIES.index(p.kind.severity), -len(p.findings), p.kind.name))
