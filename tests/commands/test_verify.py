"""`myxtts verify` by exit code and output: of a checkout before its first run, and with all that a run makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from tests.pipelines.clone import Clone


def verify(clone: Clone, *arguments: str, code: int = 0) -> dict[str, Any]:
    process = clone.start("-m", "commands.main", "verify", "--json", *arguments)
    out, error = process.communicate()
    assert process.returncode == code, f"{out[-4000:]}\n{error[-3000:]}"
    held: dict[str, Any] = json.loads(out)
    return held


@pytest.mark.pipeline
def test_verify_of_a_fresh_checkout_agrees_then_tells_of_drift_and_mends_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fresh = Clone(tmp_path_factory.mktemp("fresh"))
    held = verify(fresh)
    assert held["agrees"]
    assert held["drifts"] == held["mended"] == held["warnings"] == []
    assert set(held["absent"]) == {"corpus", "features", "checkpoint", "versions"}
    assert set(held["surfaces"]) - set(held["absent"]) == {
        *("presets", "model", "dvc.yaml", "readme", "docs", "notebooks")
    }
    page = fresh.folder / "reports/consistency.html"
    assert "Everything agrees." in page.read_text()

    (fresh.folder / "docs/wrong.md").write_text("The decoder has 12 layers.\n")
    (drift,) = verify(fresh, code=1)["drifts"]
    assert drift == {
        "surface": "docs",
        "where": "docs/wrong.md:1",
        "fact": "full: decoder_layers",
        "stated": "12",
        "true": "16",
        "agrees": False,
        "doubt": "",
    }
    assert "docs/wrong.md:1" in page.read_text()
    assert verify(fresh, "--fix")["mended"] == [drift]


def test_verify_after_a_run_finds_no_surface_absent(trained: Clone) -> None:
    held = verify(trained)
    assert held["absent"] == []
    assert held["drifts"] == []


def test_a_run_stops_where_verify_finds_drift(trained: Clone) -> None:
    wrong = trained.folder / "docs/wrong.md"
    wrong.write_text("The decoder has 12 layers.\n")
    try:
        error = trained.python("-m", "pipelines", "voice", "smoke", code=1)
    finally:
        wrong.unlink()
    assert "docs/wrong.md:1: full: decoder_layers is 12, expected 16" in error
    assert "Traceback" not in error
    assert "train_model" not in trained.steps()


def test_verify_restores_payloads_that_drift(trained: Clone) -> None:
    folder = trained.folder
    checkpoint = folder / "checkpoints/smoke/model.safetensors"
    tensors = load_file(checkpoint)
    audio = next((folder / "corpora/smoke/audio").glob("*.flac"))
    recordings = folder / "corpora/smoke/recordings.jsonl"
    (features,) = (folder / ".work").glob("extract_features-*/features-00000.safetensors")
    mels, text = load_file(features), recordings.read_text()
    planted: dict[Path, Callable[[Path], object]] = {
        checkpoint: lambda path: save_file(tensors | {"mel_mean_m": tensors["mel_mean_m"][:60]}, path),
        audio: lambda path: path.write_bytes(b""),
        recordings: lambda path: path.write_text(text.replace('"sampling_rate": 16000', '"sampling_rate": 44100')),
        features: lambda path: save_file({k: v[:, :60] if k.endswith("/mel") else v for k, v in mels.items()}, path),
    }
    for path, write in planted.items():
        path.unlink()  # not through the links to DVC's cache
        write(path)
    found = {(drift["surface"], drift["fact"]) for drift in verify(trained, code=1)["drifts"]}
    assert {("corpus", "file"), ("corpus", "sampling_rate"), ("features", "n_mels"), ("checkpoint", "file")} <= found
    held = verify(trained, "--fix")
    assert held["absent"] == ["features"]
    trained.assert_agreement()
