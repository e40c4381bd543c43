"""Folders of runs that drift are found by file and fact, and restored; where they lie does not matter."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from configs.outs import MODEL_FILE
from configs.schema import Config, TrainingConfig
from consistency.surfaces.checkpoints import CheckpointsSurface
from consistency.surfaces.corpus import CorpusSurface
from consistency.surfaces.features import FeaturesSurface
from consistency.surfaces.surface import Surface
from data.corpus import RECORDINGS, SUPERVISIONS
from data.features import PIECES, Features, shard_name
from model.checkpoint import save_checkpoint
from model.network import VoiceCloner


def drifts(surface: Surface) -> set[tuple[str, str]]:
    return {(statement.where, statement.fact) for statement in surface.read() if not statement.agrees}


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path}: {old}"
    path.write_text(text.replace(old, new, 1))


@pytest.fixture
def corpus(tmp_path: Path, smoke_corpus: Path) -> Path:
    return Path(shutil.copytree(smoke_corpus, tmp_path / "corpora/smoke"))


@pytest.fixture
def features(tmp_path: Path, smoke_features: Path) -> Path:
    return Path(shutil.copytree(smoke_features, tmp_path / "features"))


@pytest.fixture
def checkpoints(tmp_path: Path, smoke: Config) -> Path:
    folder = tmp_path / "checkpoints/smoke"
    settings = TrainingConfig.model_validate(smoke.model_dump(include={*TrainingConfig.model_fields}))
    save_checkpoint(VoiceCloner(smoke.model), settings, {}, folder / MODEL_FILE)
    return folder


def a_recording(corpus: Path) -> tuple[str, Path]:
    recording = json.loads((corpus / RECORDINGS).read_text().splitlines()[0])
    return recording["id"], corpus / recording["sources"][0]["source"]


def test_a_corpus_that_agrees_is_left(root: Path, corpus: Path) -> None:
    surface = CorpusSurface(root, {"smoke": corpus}, shutil.rmtree)
    assert len(list(surface.read())) == 2
    assert drifts(surface) == set()
    surface.mend()
    assert corpus.is_dir()


def test_a_corpus_that_drifted_is_found_by_file_and_restored(root: Path, corpus: Path) -> None:
    name, audio = a_recording(corpus)
    lost = sorted((corpus / "audio").iterdir())[-1]
    audio.write_bytes(lost.read_bytes())
    lost.write_bytes(b"")
    rewrite(corpus / SUPERVISIONS, '"language": "en"', '"language": "it"')
    restored: list[Path] = []
    surface = CorpusSurface(root, {"smoke": corpus, "demo": root / "corpora/demo"}, restored.append)
    assert drifts(surface) == {
        (f"corpora/smoke/{RECORDINGS} ({name})", "num_samples"),
        (f"corpora/smoke/audio/{lost.name}", "file"),
        (f"corpora/smoke/{SUPERVISIONS}", "languages"),
    }
    surface.mend()
    assert restored == [corpus]


def test_a_corpus_of_a_low_sample_rate_or_without_a_manifest_is_found(root: Path, corpus: Path) -> None:
    surface = CorpusSurface(root, {"smoke": corpus}, shutil.rmtree)
    manifest = (corpus / RECORDINGS).read_text()
    (corpus / RECORDINGS).write_text(manifest.replace('"sampling_rate": 16000', '"sampling_rate": 8000'))
    assert (f"corpora/smoke/{RECORDINGS}", "sample_rate") in drifts(surface)
    (corpus / RECORDINGS).write_text("{")
    assert drifts(surface) == {(f"corpora/smoke/{RECORDINGS}", "manifest")}


def test_a_corpus_on_another_disk_is_called_as_it_is_reached(
    root: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("disk") / "smoke"
    corpus.rename(elsewhere)
    corpus.symlink_to(elsewhere)
    _, audio = a_recording(corpus)
    audio.write_bytes(b"")
    inside, outside = CorpusSurface(root, {"smoke": corpus}, print), CorpusSurface(root, {"smoke": elsewhere}, print)
    assert drifts(inside) == {(f"corpora/smoke/audio/{audio.name}", "file")}
    assert drifts(outside) == {(f"{elsewhere}/audio/{audio.name}", "file")}


@pytest.mark.parametrize(
    ("fact", "key", "spoil"),
    [
        ("n_mels", "/mel", lambda tensor: tensor[:, :60].contiguous()),
        ("text_vocab_size", "/tokens", lambda tensor: tensor + 100),
        ("frames", "/frames", lambda tensor: tensor + 1),
    ],
)
def test_features_that_drifted_are_found_and_removed(
    root: Path, features: Path, fact: str, key: str, spoil: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    surface = FeaturesSurface(root, {"smoke": features})
    assert drifts(surface) == set()
    for number in range(Features(features).pieces["shard"].max() + 1):
        tensors = load_file(features / shard_name(number))
        spoilt = {name: spoil(t) if name.endswith(key) else t for name, t in tensors.items()}
        save_file(spoilt, features / shard_name(number))
    assert drifts(surface) == {(f"features/{PIECES}", fact)}
    surface.mend()
    assert not features.exists()
    assert list(surface.read()) == []


def test_a_checkpoint_of_other_settings_is_found_in_its_header_and_its_tensors(root: Path, checkpoints: Path) -> None:
    surface = CheckpointsSurface(root, {"smoke": checkpoints}, shutil.rmtree)
    assert len(list(surface.read())) > 30
    assert drifts(surface) == set()
    rewrite(root / "configs/smoke.yaml", "prenet_dim: 256", "prenet_dim: 128")
    where = f"checkpoints/smoke/{MODEL_FILE}"
    assert drifts(surface) == {(f"{where} (header)", "prenet_dim"), (f"{where} (tensors)", "prenet_dim")}
    surface.mend()
    assert not checkpoints.exists()


def test_a_checkpoint_that_is_none_is_found(root: Path, checkpoints: Path) -> None:
    (checkpoints / MODEL_FILE).write_bytes(b"torn")
    surface = CheckpointsSurface(root, {"smoke": checkpoints}, shutil.rmtree)
    assert drifts(surface) == {(f"checkpoints/smoke/{MODEL_FILE}", "file")}
