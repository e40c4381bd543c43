"""Stop where anything that a run is made from, or described by, does not agree with the facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from common.errors import Refused
from consistency.verify import verify
from registry.stored_surfaces import sources
from steps.work import Result, making, result_of, work_folder


class Inconsistent(Refused):
    """Facts that disagree; the message lists every one."""


@step(enable_cache=False)
def verify_consistency(
    preset: str,
    validation: Result,  # noqa: ARG001  (it comes first, and that is all)
) -> Annotated[Result, "consistency"]:
    """Hold the preset, its model and corpus, dvc.yaml, documents and notebooks to the facts.

    Never cached, and in no recipe: it reads documents, and decides nothing but whether to go on.
    """
    verdict = verify(sources([preset]))
    if verdict.drifts:
        lines = [f"  {s.where}: {s.fact} is {s.stated}, expected {s.true}" for s in verdict.drifts]
        raise Inconsistent(
            "\n".join(["Facts disagree; `myxtts verify --fix` mends what has one right answer:", *lines])
        )
    statements = [asdict(statement) for stated in verdict.statements.values() for statement in stated]
    folder = work_folder("verify_consistency", {"id": preset})
    with making(folder) as out:
        pd.DataFrame(statements).to_csv(out / "consistency.csv", index=False)
    log_metadata({"facts": len(statements)})
    return result_of(folder)
