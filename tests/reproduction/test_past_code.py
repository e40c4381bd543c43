"""What code of the past recorded is reproduced by today's, and what it registered is read, promoted and spoken with."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import soundfile as sf
import torch

from registry.identity import occurrence
from reproduction.comparison import ENVIRONMENT
from tests.pipelines.clone import Clone
from tests.reproduction.conftest import BUNDLE, PAST

pytestmark = pytest.mark.slow

RECORDED_ON = {"cpu": "AMD EPYC", "gpu": "none", "instructions": "AVX512", "python": "3.11.7"}
"""The machine on which `PAST` was recorded, which it does not say itself."""

WITH_ITS_STORE = "import os, sys; os.environ['MLFLOW_TRACKING_URI'] = sys.argv[1]\nfrom commands.main import main"


def this_machine() -> dict[str, str]:
    here = occurrence()
    instructions = torch.backends.cpu.get_cpu_capability()
    return {"cpu": here.cpu, "gpu": here.gpu, "instructions": instructions, "python": here.python}


def test_a_run_of_past_code_is_reproduced_to_the_last_bit_on_the_machine_that_made_it(tmp_path: Path) -> None:
    """On another machine the last bits may differ, but nothing else may be to blame."""
    clone = Clone(tmp_path / "clone")
    clone.git("fetch", "--quiet", str(BUNDLE), "past")
    process = clone.start("-m", "commands.main", "reproduce", PAST, "--json")
    out, error = process.communicate()
    assert process.returncode in (0, 1), error
    made = json.loads(out)
    assert made["preset"] == "smoke"
    assert {row["cause"] for row in made["differences"]} <= set(ENVIRONMENT)
    assert made["data"].endswith("as recorded (70cba660645d0d3e781ecad8add09a7c.dir)")
    if this_machine() == RECORDED_ON and not made["differences"]:
        assert (made["verdict"], made["cause"]) == ("bit-identical", None)
    elif made["verdict"] != "bit-identical":
        assert made["cause"].startswith(("library: ", "nondeterminism, or hardware, which was not recorded"))


def test_a_version_of_past_code_is_listed_promoted_and_spoken_with(tmp_path: Path) -> None:
    today = Clone(tmp_path / "today")
    past = copy.copy(today)
    past.folder = tmp_path / "past"
    today.git("clone", "--quiet", "--branch", "past", str(BUNDLE), str(past.folder))
    past.python("-m", "pipelines.cli", "run", "smoke")
    uri = f"sqlite:///{past.folder / '.mlflow' / 'mlflow.db'}"

    def ask(*arguments: str) -> str:
        return today.python("-c", f"{WITH_ITS_STORE}\nsys.exit(main(sys.argv[2:]))", uri, *arguments)

    (version,) = json.loads(ask("models", "--json"))
    assert (version["name"], version["version"], version["aliases"]) == ("myxtts-smoke", 1, ["challenger"])
    assert (version["identity"]["commit"], version["identity"]["clean"]) == (PAST, "true")
    decision = json.loads(ask("promote", "--json"))["decision"]
    assert (decision["outcome"], decision["champion"]) == ("promoted", 1)
    ask("synthesize", "--text", "Good morning.", "--out", str(tmp_path / "morning.wav"))
    samples, rate = sf.read(tmp_path / "morning.wav")
    assert rate == 16000
    assert len(samples) > 4000
    assert ask("models", "@champion").startswith("myxtts-smoke 1 (challenger, champion)")
