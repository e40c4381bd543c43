"""Documents: their generated blocks against the facts line by line, and what their prose claims."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from configs.schema import ConfigError
from consistency.generated import GENERATED, differences, read_blocks, regenerate
from consistency.presets import facts_of, preset_file
from consistency.prose.claims import Claim, agrees, restate
from consistency.prose.documents import mend, read_document
from consistency.surfaces.surface import Statement, Surface, shown


class DocumentsSurface(Surface):
    """The documents of a checkout whose paths match any of some patterns."""

    def __init__(self, root: Path, kind: str, patterns: Sequence[str]) -> None:
        self.kind = kind
        self._root, self._patterns = root, patterns

    def read(self) -> Iterator[Statement]:
        """Every line of a block that is not as it should be, and every claim."""
        for path in self._paths():
            where = shown(path, self._root)
            try:
                if not path.is_file():
                    raise ValueError("it is missing")
                blocks, claims = differences(path, self._root), list(_claims(path))
            except ValueError as error:
                yield Statement(self.kind, where, "document", str(error).removeprefix(f"{path}: "), "readable", False)
                continue
            yield Statement(self.kind, where, "document", "readable", "readable", True)
            for line, stated, true in blocks:
                yield Statement(self.kind, f"{where}:{line}", "generated block", stated.strip(), true.strip(), False)
            for place, claim in claims:
                if known := self._known(claim.preset):
                    yield self._held(place.replace(str(path), where, 1), claim, known.get(claim.fact))

    def mend(self) -> None:
        """Write the blocks again, and the truth in place of each claim that is wrong beyond doubt."""
        for path in self._paths():
            with contextlib.suppress(ValueError):  # what cannot be read stays as it is, and drift
                regenerate(path, self._root)
                mend(path, [(claim, self._known(claim.preset).get(claim.fact)) for _, claim in _claims(path)])

    def _paths(self) -> list[Path]:
        made = {name for name in GENERATED if any(PurePath(name).match(pattern) for pattern in self._patterns)}
        there = {path for pattern in self._patterns for path in self._root.glob(pattern)}
        return sorted(there | {self._root / name for name in made})

    def _held(self, place: str, claim: Claim, true: Any) -> Statement:
        right = bool(claim.doubt) or agrees(claim, true)
        written = claim.stated if right else restate(claim, true) or str(true)
        return Statement(self.kind, place, f"{claim.preset}: {claim.fact}", claim.stated, written, right, claim.doubt)

    def _known(self, preset: str) -> dict[str, Any]:
        """The facts of a preset; none, and nothing can be said of it, before its file is valid."""
        try:
            return facts_of(preset_file(self._root, preset))
        except ConfigError:
            return {}


def _claims(path: Path) -> Iterator[tuple[str, Claim]]:
    """What the prose of a document claims; its generated blocks are held against the facts as a whole."""
    generated = [
        range(block.line, block.line + block.stated.count("\n") + 1)
        for block in (read_blocks(path.read_text(encoding="utf-8")) if path.suffix != ".ipynb" else ())
    ]
    for place, claim in read_document(path):
        if not any(claim.line in lines for lines in generated):
            yield place, claim
