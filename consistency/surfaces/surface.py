"""What every surface is: something that states facts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consistency.rules import Finding


@dataclass(frozen=True)
class Statement:
    """A fact as a surface states it, and as it is; what can be read in two ways carries a doubt and counts as true."""

    surface: str
    where: str
    fact: str
    stated: str
    true: str
    agrees: bool
    doubt: str = ""


class Surface(ABC):
    """A kind of surface."""

    kind: str

    @abstractmethod
    def read(self) -> Iterable[Statement]:
        """What it states; nothing, if it is not there."""

    def mend(self) -> None:  # noqa: B027  (what has no single right answer is left as it is)
        """Put right what has one right answer."""


def shown(path: Path, root: Path) -> str:
    """A path for people to read: relative to the checkout, if it lies in it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def stated_by(surface: str, finding: Finding, where: str) -> Statement:
    """A finding as a statement."""
    return Statement(surface, where, finding.fact, str(finding.value), finding.expected, finding.agrees)


def compared(surface: str, where: str, stated: Mapping[str, Any], true: Mapping[str, Any]) -> Iterator[Statement]:
    """A statement for each fact that two mappings share."""
    for fact in sorted(stated.keys() & true.keys()):
        yield Statement(surface, where, fact, str(stated[fact]), str(true[fact]), stated[fact] == true[fact])
