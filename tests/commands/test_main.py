"""The console command before any job is done."""

from __future__ import annotations

import subprocess
import sys

import pytest

from commands.main import VERBS, main
from common import ROOT

HEAVY = ("torch", "mlflow", "zenml", "pandas", "dvc", "great_expectations", "librosa")
HELP = f"""
import sys
from commands.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert ended.code == 0
print(sorted(set({HEAVY}) & sys.modules.keys()))
"""


@pytest.mark.parametrize("verb", [(), *((module.__name__.rpartition(".")[2],) for module in VERBS)])
def test_help_loads_nothing_that_takes_long(verb: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", HELP, *verb, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n[]\n")
    assert not verb or f"examples:\n  myxtts {verb[0]}" in done.stdout or verb in (("env",), ("synthesize",))


def test_an_unknown_verb_is_a_question_that_cannot_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["promotee"])
    assert "invalid choice: 'promotee'" in capsys.readouterr().err
