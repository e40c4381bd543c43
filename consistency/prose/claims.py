"""A claim, whether it is true, and the truth in its own writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consistency.prose.numerals import NUMBER, precision, write_like

_ROUNDED = ("parameters", "_percent")
"""How the names of measured facts end, which documents may round."""


@dataclass(frozen=True)
class Claim:
    """One fact that a text states; `text[start:end] == stated`."""

    preset: str
    fact: str
    stated: str  # as written, with its suffix: ۱۲, 1,536, 88%, 4x, 697M
    value: float | bool | tuple[float, ...]
    start: int
    end: int
    line: int  # from 1
    doubt: str = ""  # why this may mean something else; such a claim is never rewritten


def agrees(claim: Claim, truth: Any) -> bool:
    """Whether a claim is true; what is measured or abbreviated may be rounded to the decimals that are written."""
    if isinstance(claim.value, tuple):
        return isinstance(truth, list) and list(claim.value) == truth
    if isinstance(claim.value, bool) or not isinstance(truth, int | float):
        return claim.value is truth
    scale, decimals = precision(claim.stated)
    leeway = 0.5 * scale * 10.0**-decimals if _is_rounded(claim, scale) else 0
    return abs(claim.value - truth) <= leeway * (1 + 1e-9)


def restate(claim: Claim, truth: Any) -> str | None:
    """The truth in the claim's own writing: digits, separators, decimals, suffix; None if it cannot be written so."""
    if isinstance(truth, bool) and isinstance(claim.value, bool):
        return str(truth) if claim.stated[0].isupper() else str(truth).lower()
    if isinstance(truth, list) and isinstance(claim.value, tuple) and len(truth) == len(claim.value):
        parts = iter(truth)
        return NUMBER.sub(lambda match: write_like(match, f"{next(parts):g}"), claim.stated)
    if isinstance(claim.value, bool | tuple) or isinstance(truth, bool) or not isinstance(truth, int | float):
        return None
    scale, decimals = precision(claim.stated)
    number = f"{truth / scale:.{decimals}f}" if _is_rounded(claim, scale) else f"{truth / scale:.10g}"
    return NUMBER.sub(lambda match: write_like(match, number), claim.stated)


def _is_rounded(claim: Claim, scale: float) -> bool:
    return scale > 1 or claim.fact.endswith(_ROUNDED)
