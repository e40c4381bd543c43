"""Which clips were left out because of errors, as a validation has written it down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

KEPT, DROPPED = "kept.csv", "dropped.csv"

_SEPARATOR = "; "


def write_dropped(
    kept_ids: Iterable[str], dropped: Iterable[tuple[str, Sequence[str], Sequence[str]]], folder: Path
) -> None:
    """Write who is kept, and who is not: id, names of the kinds of fault, values found."""
    pd.DataFrame({"id": list(kept_ids)}, dtype=str).to_csv(folder / KEPT, index=False)
    rows = [(id, _SEPARATOR.join(kinds), _SEPARATOR.join(values)) for id, kinds, values in dropped]
    pd.DataFrame(rows, columns=["id", "kinds", "values"]).to_csv(folder / DROPPED, index=False)


def kept(folder: Path) -> set[str] | None:
    """The ids of the clips to learn from, as the validation in `folder` says; None if nothing was to be dropped."""
    return set(_read(folder / KEPT)["id"]) if (folder / KEPT).exists() else None


def what_was_dropped(folder: Path) -> str:
    """How many clips the validation in `folder` has left out, and for what; empty if none."""
    ids = kept(folder)
    if ids is None or (dropped := _read(folder / DROPPED)).empty:
        return ""
    counts = Counter(kind for kinds in dropped["kinds"] for kind in set(kinds.split(_SEPARATOR)))
    total = len(dropped) + len(ids)
    ranked = sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
    why = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in ranked)
    return f"{len(dropped)} of {total} clips ({100 * len(dropped) / total:.3g}%): {why}"


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)
