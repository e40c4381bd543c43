"""What is refused at once, and how it is said."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml

from common import ROOT
from data.audio import read_audio
from data.corpus import read_corpus
from tests.pipelines.clone import Clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("refusing"))


def write_preset(clone: Clone, name: str, section: str, **settings: object) -> None:
    content = yaml.safe_load((ROOT / "configs/smoke.yaml").read_text())
    content[section] |= settings
    (clone.folder / f"configs/{name}.yaml").write_text(yaml.safe_dump(content))


def test_a_faulty_corpus_stops_at_validation_with_every_fault_named(
    clone: Clone, smoke_corpus: Path, tmp_path: Path
) -> None:
    wavs = tmp_path / "faulty" / "wavs"
    wavs.mkdir(parents=True)
    clips = read_corpus(smoke_corpus).head(8)
    rows = []
    for clip in clips.itertuples():
        sf.write(wavs / f"{clip.id}.wav", read_audio(clip.path, 16000), 16000)
        rows.append([clip.id, clip.text])
    truncated, silent, empty, copied, original = (rows[k][0] for k in range(5))
    whole = (wavs / f"{truncated}.wav").read_bytes()
    (wavs / f"{truncated}.wav").write_bytes(whole[: len(whole) // 2])
    sf.write(wavs / f"{silent}.wav", np.zeros(32000), 16000)
    rows[2][1] = ""
    (wavs / f"{copied}.wav").write_bytes((wavs / f"{original}.wav").read_bytes())
    (wavs.parent / "metadata.csv").write_text("".join(f"{name}|{text}\n" for name, text in rows))
    write_preset(clone, "faulty", "data", source="ljspeech", path=str(wavs.parent), max_clips=None)

    started = time.monotonic()
    error = clone.python("-m", "commands.main", "run", "faulty", code=1)
    assert time.monotonic() - started < 60
    for name in (truncated, silent, empty):
        assert name in error
    assert copied in error or original in error
    assert "4 errors in 4 clips" in error or "errors in 4 clips" in error
    assert "Traceback" not in error
    assert (clone.folder / "reports/faulty/validation/data_docs/index.html").exists()
    assert not (clone.folder / "checkpoints/faulty").exists()
    assert not list((clone.folder / ".work").glob("train_model*"))
    assert clone.python("-m", "commands.main", "models").startswith("No model is registered yet")


def test_a_broken_rule_is_refused_at_once(clone: Clone) -> None:
    write_preset(clone, "broken", "model", decoder_heads=5)
    started = time.monotonic()
    error = clone.python("-m", "commands.main", "run", "broken", code=1)
    assert time.monotonic() - started < 10
    assert "model.decoder_heads = 5, expected 6 (384 / 64) (rule: every attention head is 64 wide)" in error
    assert not (clone.folder / ".work").exists() or not list((clone.folder / ".work").glob("*broken*"))
    assert "broken" not in (clone.folder / "params.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "dmeo"], "'dmeo' is not a preset; did you mean 'demo'?"),
        (
            ["run", "smoke", "--set", "train.stesp=3"],
            "'train.stesp' is not a setting of smoke; did you mean 'train.steps'?",
        ),
        (["run", "smoke", "--set", "train.steps"], "expected key=value, such as train.steps=200"),
        (["run", "smoke", "--set", "train.steps=many"], "train.steps = 'many': Input should be a valid integer"),
    ],
)
def test_a_slip_of_the_hand_is_answered_with_what_is_meant(clone: Clone, arguments: list[str], message: str) -> None:
    before = (clone.folder / "configs/smoke.yaml").read_text()
    assert message in clone.python("-m", "commands.main", *arguments, code=2)
    assert (clone.folder / "configs/smoke.yaml").read_text() == before


def test_settings_are_written_as_the_preset_has_them(clone: Clone) -> None:
    clone.python("-c", "from commands.run import apply_settings; apply_settings('smoke', ['train.steps=21'])")
    before, after = ((folder / "configs/smoke.yaml").read_text() for folder in (ROOT, clone.folder))
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert changed == [("  steps: 20", "  steps: 21")]


@pytest.mark.parametrize("verb", [[], ["run"], ["models"]])
def test_help_comes_at_once(verb: list[str]) -> None:
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "commands.main", *verb, "--help"], cwd=ROOT, capture_output=True)
    assert done.returncode == 0
    assert time.monotonic() - started < 1  # half a second on an idle machine
