"""What `myxtts run` refuses at once, and how it is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from commands.run import RunError, _alone
from common import ROOT
from configs.editing import apply_settings, list_preset
from tests.commands.conftest import Call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dmeo"], "'dmeo' is not a preset; did you mean 'demo'?"),
        (["smoke", "--set", "train.stesp=3"], "'train.stesp' is not a setting of smoke; did you mean 'train.steps'?"),
        (["smoke", "--set", "train.steps"], "expected key=value, such as train.steps=200"),
        (["smoke", "--set", "train.steps=many"], "train.steps = 'many': Input should be a valid integer"),
    ],
)
def test_a_slip_of_the_hand_is_answered_with_what_is_meant(
    myxtts: Call, presets: Path, arguments: list[str], message: str
) -> None:
    before = (presets / "smoke.yaml").read_text()
    assert message in myxtts("run", *arguments, code=2)
    assert (presets / "smoke.yaml").read_text() == before


def test_all_wrong_settings_are_named_and_none_is_written(myxtts: Call, presets: Path) -> None:
    before = (presets / "smoke.yaml").read_text()
    said = myxtts("run", "smoke", "--set", "train.steps=30", "--set", "seeed=2", "--set", "vocoder.steps=1", code=2)
    assert "did you mean 'seed'?" in said
    assert "'vocoder.steps' is not a setting" in said
    assert (presets / "smoke.yaml").read_text() == before


def test_a_broken_rule_is_refused_at_once(myxtts: Call, presets: Path) -> None:
    content = yaml.safe_load((presets / "smoke.yaml").read_text())
    content["model"]["decoder_heads"] = 5
    (presets / "broken.yaml").write_text(yaml.safe_dump(content))
    said = myxtts("run", "broken", code=1)
    assert "model.decoder_heads = 5, expected 6 (384 / 64) (rule: every attention head is 64 wide)" in said
    assert not (presets.parent / "params.yaml").exists()


def test_settings_are_written_as_the_preset_has_them(presets: Path) -> None:
    apply_settings("smoke", ["train.steps=21"])
    before, after = ((folder / "smoke.yaml").read_text() for folder in (ROOT / "configs", presets))
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert changed == [("  steps: 20", "  steps: 21")]


def test_dvc_learns_of_a_preset_once(presets: Path) -> None:
    params = presets.parent / "params.yaml"
    params.write_text((ROOT / "params.yaml").read_text())
    for preset in ("smoke", "demo", "smoke"):
        list_preset(preset, None, presets.parent)
    list_preset("mine", Path("../voice"), presets.parent)
    list_preset("mine", Path("/elsewhere/voice"), presets.parent)
    listed = {preset: {"source": "data/sources"} for preset in ("smoke", "demo")}
    assert yaml.safe_load(params.read_text()) == {"presets": listed | {"mine": {"source": "/elsewhere/voice"}}}
    assert params.read_text().startswith("# The presets that were run here")


@pytest.mark.usefixtures("presets")
def test_a_second_run_is_refused_until_the_first_is_gone(myxtts: Call, tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from commands import run\n"
        "run.ROOT = Path(sys.argv[1])\n"
        "with run._alone(): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said = myxtts("run", "smoke", code=1)
        holder.kill()
    assert f"Process {holder.pid} is making a run in this checkout" in said
    with _alone(), pytest.raises(RunError, match="is making a run in this checkout"), _alone():
        pass
