"""Drift planted in every kind of surface is found at its place and mended; what only looks like it is left alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.numpy import load_file, save_file

from tests.pipelines.clone import Clone

GUIDE = [
    # before and after, line by line
    ("# The model", "# The model"),
    ("## TextEncoder", "## TextEncoder"),
    ("- `layers = 6`", "- `layers = 8`"),
    ("- `heads = 4`, `dim = 256`", "- `heads = 8`, `dim = 512`"),
    ("## AudioEncoder", "## AudioEncoder"),
    ("speaker_dim = 256, audio_features = 512", "speaker_dim = 512, audio_features = 768"),
    ("It has 4 layers and 8 attention heads.", "It has 8 layers and 12 attention heads."),
    ("## MelDecoder", "## MelDecoder"),
    ("12 لایه decoder با 16 attention head", "16 لایه decoder با 24 attention head"),
    ("رمزگشا ۱۲ لایه و ۱۶ هد دارد.", "رمزگشا ۱۶ لایه و ۲۴ هد دارد."),
    ("`decoder_dim = 1024`", "`decoder_dim = 1536`"),
    ("## Numbers", "## Numbers"),
    ("- `batch_size`: `32`", "- `batch_size`: `56`"),
    ("- The speaker embedding is 256-dimensional.", "- The speaker embedding is 512-dimensional."),
    ("- A vocabulary of 61 symbols.", "- A vocabulary of 87 symbols."),
    ("- `sample_rate: 16000`, `hop_length: 200`", "- `sample_rate: 22050`, `hop_length: 256`"),
    ("- `n_mels = 100`", "- `n_mels = 80`"),
    ("- Every head of the decoder is 128 wide: `decoder_head_dim = 128`.", None),
    ("- The decoder holds 50% of the parameters.", "- The decoder holds 88% of the parameters."),
    ("- `voice_conditioning_layers: 4`", "- `voice_conditioning_layers: 8`"),
    ("- `voice_similarity_threshold = 0.5`", "- `voice_similarity_threshold = 0.75`"),
    ("## Preset `demo`", "## Preset `demo`"),
    ("| component | layers | heads |", "| component | layers | heads |"),
    ("|---|---|---|", "|---|---|---|"),
    ("| TextEncoder | 3 | 2 |", "| TextEncoder | 2 | 2 |"),
    ("| MelDecoder | 4 | 8 |", "| MelDecoder | 4 | 6 |"),
]
GUIDE = [(before, after if after is not None else before.replace("128", "64")) for before, after in GUIDE]

INNOCENT = """\
# Notes
In 2024 the decoder was written anew.
Training took 24 GB on one of 8 GPUs with 16 cores.
Tacotron's decoder has 2 layers.
BERT uses 12 layers, 12 heads and 768 dimensions.
Whisper's encoder has 6 layers.
Step 12 of the decoder is the slow one.
The decoder was tested with 30 sentences.
There are 12 tests of the decoder.
See figure 3 of the decoder, page 16.
Version 1.4.2 of the encoder's tests.
Issue #24 is about attention heads.
If the decoder had 32 layers, it would not fit.
With 12 layers the decoder would be faster.
Models of this kind usually have 6 to 12 layers.
Increase the decoder to more than 2 layers only with more data.
`decoder.layers[0]` is the layer that hears the reference.
`heads_of_report[4]` prints a head.
The alignment of 568 clips takes 16 seconds.
A sentence of 500 characters still ends.
Call us at 555 0123 about the text encoder.
The file 8f3a12c0de is the checkpoint's hash.
The encoder's commit is 4f7e2a9 of 2026-11-23.
قبلاً رمزگشا ۱۲ لایه بود.
در سال ۱۴۰۳ رمزگشا بازنویسی شد.
See https://example.org/decoder/12/layers/16.
## Changelog
- The decoder had 12 layers with 16 heads.
- `decoder_layers`: 12 → 16
"""

PRESETS = [
    # preset, section, key, planted value, what mending makes of it
    ("full", "model", "text_vocab_size", 99, 87),
    ("full", "model", "decoder_heads", 12, 24),
    ("full", "model", "audio_encoder_layers", 5, 8),
    ("full", "model", "speaker_embedding_dim", 128, 512),
    ("base", "model", "decoder_layers", 6, 8),
    ("base", "model", "audio_encoder_dim", 512, 384),
    ("base", "model", "feed_forward_ratio", 3, 4),
    ("multilingual", "model", "audio_encoder_heads", 2, 3),
    ("multilingual", "model", "text_encoder_heads", 4, 2),
    ("demo", "model", "decoder_dim", 512, 384),
]

CELLS: list[tuple[str, str, str]] = [
    ("markdown", "## AudioEncoder\n4 layers", "## AudioEncoder\n8 layers"),
    ("code", "decoder_layers = 12", "decoder_layers = 16"),
    ("output", "decoder_heads: 16", "decoder_heads: 24"),
]


def cell(kind: str, text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    if kind == "markdown":
        return {"cell_type": "markdown", "id": "planted-text", "metadata": {}, "source": lines}
    stream = [{"name": "stdout", "output_type": "stream", "text": lines}] if kind == "output" else []
    source = lines if kind == "code" else ["print(settings)"]
    identity = {"cell_type": "code", "id": f"planted-{kind}", "metadata": {}}
    return identity | {"execution_count": None, "outputs": stream, "source": source}


def verify(clone: Clone, *arguments: str, code: int = 0) -> dict[str, Any]:
    process = clone.start("-m", "commands.main", "verify", "--json", *arguments)
    out, error = process.communicate()
    assert process.returncode == code, f"{out[-4000:]}\n{error[-3000:]}"
    verdict: dict[str, Any] = json.loads(out)
    return verdict


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("fresh"))


def test_a_fresh_checkout_agrees_and_says_what_is_absent(fresh: Clone) -> None:
    verdict = verify(fresh)
    assert verdict["agrees"]
    assert verdict["warnings"] == []
    assert set(verdict["absent"]) == {"corpus", "features", "checkpoint", "versions"}
    assert set(verdict["surfaces"]) - set(verdict["absent"]) == {
        *("presets", "model", "dvc.yaml", "readme", "docs", "notebooks")
    }
    assert "Everything agrees." in (fresh.folder / "reports/consistency.html").read_text()


def test_innocent_numbers_raise_nothing(fresh: Clone) -> None:
    notes = fresh.folder / "docs/notes.md"
    notes.write_text(INNOCENT)
    try:
        verdict = verify(fresh, "--fix")
    finally:
        written = notes.read_text()
        notes.unlink()
    assert verdict["drifts"] == verdict["mended"] == verdict["warnings"] == []
    assert written == INNOCENT


def test_planted_drift_is_found_by_place_and_mended_once_and_for_all(fresh: Clone) -> None:
    folder = fresh.folder
    guide = folder / "docs/guide.md"
    guide.write_text("".join(f"{before}\n" for before, _ in GUIDE))
    notebook = folder / "notebooks/evaluation_and_optimization.ipynb"
    content = json.loads(notebook.read_text())
    first_cell = len(content["cells"]) + 1
    content["cells"] += [cell(kind, before) for kind, before, _ in CELLS]
    notebook.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    for preset, _, key, planted, right in PRESETS:
        replace(folder / f"configs/{preset}.yaml", f"  {key}: {right}\n", f"  {key}: {planted}\n")
    replace(folder / "dvc.yaml", "      - model\n", "      - model/old_network.py\n")
    replace(folder / "docs/architecture.md", "| dim | 512 | 768 | 1536 |", "| dim | 512 | 768 | 1024 |")
    replace(folder / "docs/model_components.html", "22050", "24000")
    (folder / "README.md").write_text((folder / "README.md").read_text() + "\nThe `full` decoder has 12 layers.\n")

    planted = {f"docs/guide.md:{number}" for number, (before, after) in enumerate(GUIDE, 1) if before != after}
    for preset, _, key, value, _ in PRESETS:
        lines = (folder / f"configs/{preset}.yaml").read_text().splitlines()
        planted.add(f"configs/{preset}.yaml:{lines.index(f'  {key}: {value}') + 1}")
    places = ("cell {}, line 2", "cell {}, line 1", "cell {}, output 1, line 1")
    planted |= {
        f"notebooks/{notebook.name}: {place.format(first_cell + number)}" for number, place in enumerate(places)
    }
    planted.add(f"README.md:{len((folder / 'README.md').read_text().splitlines())}")
    found = {drift["where"] for drift in verify(fresh, code=1)["drifts"]}
    assert planted <= found
    assert {place for place in found if place.startswith("docs/guide.md")} <= planted
    for document in ("dvc.yaml", "docs/architecture.md", "docs/model_components.html"):
        assert any(place.startswith(f"{document}:") for place in found), document

    mended = verify(fresh, "--fix")
    assert mended["agrees"]
    assert planted <= {drift["where"] for drift in mended["mended"]}
    assert guide.read_text().splitlines() == [after for _, after in GUIDE]
    cells = json.loads(notebook.read_text())["cells"][-len(CELLS) :]
    assert cells == [cell(kind, after) for kind, _, after in CELLS]
    for preset, section, key, _, right in PRESETS:
        assert yaml.safe_load((folder / f"configs/{preset}.yaml").read_text())[section][key] == right
    assert "| dim | 512 | 768 | 1536 |" in (folder / "docs/architecture.md").read_text()
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True).stdout.split(
        "\n"
    )
    assert sorted(line[3:] for line in changed if line) == [
        *("README.md", "docs/guide.md", "dvc.yaml", "notebooks/evaluation_and_optimization.ipynb")
    ]

    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}
    assert verify(fresh, "--fix")["mended"] == []
    after = {path: path.read_bytes() for path in before}
    page = folder / "reports/consistency.html"
    assert {path for path in before if before[path] != after[path]} <= {page}


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path}: {old}"
    path.write_text(text.replace(old, new, 1))


def test_a_run_stops_at_the_verify_step(fresh: Clone) -> None:
    (fresh.folder / "docs/wrong.md").write_text("The decoder has 12 layers.\n")
    try:
        error = fresh.python("-m", "commands.main", "run", "smoke", code=1)
    finally:
        (fresh.folder / "docs/wrong.md").unlink()
    assert "docs/wrong.md:1: full: decoder_layers is 12, expected 16" in error
    assert "Traceback" not in error
    assert not list((fresh.folder / ".work").glob("extract_features*"))
    assert not (fresh.folder / "checkpoints/smoke").exists()


def test_after_a_run_no_surface_is_absent(trained: Clone) -> None:
    verdict = verify(trained)
    assert verdict["absent"] == []
    assert verdict["drifts"] == []


def test_payloads_that_drift_are_restored(trained: Clone) -> None:
    folder = trained.folder
    checkpoint = folder / "checkpoints/smoke/model.safetensors"
    tensors = load_file(checkpoint)
    audio = next((folder / "corpora/smoke/audio").glob("*.flac"))
    recordings = folder / "corpora/smoke/recordings.jsonl"
    (features,) = (folder / ".work").glob("extract_features-*/features.safetensors")
    mels = load_file(features)
    planted = {
        checkpoint: lambda path: save_file(tensors | {"mel_mean_m": tensors["mel_mean_m"][:60]}, path),
        audio: lambda path: path.write_bytes(b""),
        recordings: lambda path: path.write_text(text.replace('"sampling_rate": 16000', '"sampling_rate": 44100')),
        features: lambda path: save_file({k: v[:, :60] if k.endswith("/mel") else v for k, v in mels.items()}, path),
    }
    text = recordings.read_text()
    for path, write in planted.items():
        path.unlink()  # not through the links to DVC's cache
        write(path)
    found = {(drift["surface"], drift["fact"]) for drift in verify(trained, code=1)["drifts"]}
    assert {("corpus", "file"), ("corpus", "sampling_rate"), ("features", "n_mels"), ("checkpoint", "file")} <= found
    verdict = verify(trained, "--fix")
    assert verdict["absent"] == ["features"]
    trained.assert_agreement()
