"""Stop where settings and the model that they build do not agree."""

from __future__ import annotations

from typing import Annotated, Any

from zenml import log_metadata, step

from configs.schema import Config, parse_config
from consistency.rules import check_config, check_model, findings_table
from steps.work import Result, making, result_of, work_folder


class Inconsistent(Exception):
    """Facts that disagree; the message lists every one."""


@step
def verify_consistency(
    preset: str, settings: dict[str, Any], recipe: dict[str, str], validation: Result
) -> Annotated[Result, "consistency"]:
    """Hold the preset to the harmony rules and the built model to the preset."""
    config = parse_config(Config, settings, preset)
    findings = check_config(config, f"configs/{preset}.yaml") + check_model(config)
    wrong = [finding for finding in findings if not finding.agrees]
    if wrong:
        raise Inconsistent("\n".join(["Facts disagree:", *(f"  {finding}" for finding in wrong)]))
    folder = work_folder("verify_consistency", recipe)
    with making(folder) as out:
        findings_table(findings).to_csv(out / "consistency.csv", index=False)
    log_metadata({"facts": len(findings)})
    return result_of(folder)
