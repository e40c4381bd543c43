"""A registry in a folder, and versions in it with weights of their own, registered as a run registers its results."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from configs.outs import Outs
from configs.schema import TrainingConfig, load_config, parse_config
from data.corpus import ATTRIBUTION, RECORDINGS, SUPERVISIONS
from evaluation.listening import COLUMNS
from model.checkpoint import save_checkpoint
from model.network import VoiceCloner
from model.vocoder import SourceFilterVocoder
from registry import store

PRESET = "smoke"
RECIPE = {part: part * 4 for part in ("id", "code", "settings", "corpus", "lock_file")}
TINY = {
    **{f"{part}_dim": 64 for part in ("text_encoder", "audio_encoder", "decoder")},
    **{f"{part}_heads": 1 for part in ("text_encoder", "audio_encoder", "decoder")},
    **{"decoder_layers": 1, "speaker_embedding_dim": 64, "prenet_dim": 8, "postnet_dim": 8, "reference_frames": 8},
}


@dataclass(frozen=True)
class Registry:
    """A store of MLflow's of its own: files in a folder, and a database."""

    folder: Path
    database: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.database}"

    def use(self, patch: pytest.MonkeyPatch) -> Registry:
        """Have the project use it."""
        patch.setenv("MLFLOW_TRACKING_URI", self.uri)
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        return self

    def register(self, mel_l1: float, **changes: float | str) -> int:
        """Register a version whose utterances have about this `mel_l1`; `changes` are columns of all of them."""
        return self.register_outs(make_outs(self.folder / "outs", mel_l1, changes))

    def register_outs(self, outs: Outs) -> int:
        """Register results as those of a clean commit."""
        lineage = {"zenml_run": "a run", "commit": "c0ffee", "clean": "true", "uncommitted": ""}
        return int(store.log_version(outs, "a run of the pipeline", lineage).version)

    def served(self, version: int) -> Path:
        """The folder of the files that a version serves, as they lie in the artifact store."""
        source = store.store().get_model_version(store.model_name(PRESET), str(version)).source
        return self.folder / "artifacts" / "models" / str(source).rpartition("/")[2] / "artifacts"

    def checkpoint(self, version: int, name: str) -> Path:
        return next(self.served(version).glob(f"artifacts/*/{name}"))


def make_outs(root: Path, mel_l1: float, changes: Mapping[str, float | str]) -> Outs:
    """What a run leaves: checkpoints of a tiny model and the reports on it."""
    outs = Outs(PRESET, root)
    shutil.rmtree(root, ignore_errors=True)
    for folder in (outs.checkpoints, outs.reports / "listening", outs.corpus):
        folder.mkdir(parents=True)
    whole = load_config(PRESET).model_dump(include=set(TrainingConfig.model_fields))
    config = parse_config(TrainingConfig, whole | {"model": whole["model"] | TINY}, "tiny")
    torch.manual_seed(int(1000 * mel_l1))
    save_checkpoint(VoiceCloner(config.model), config, RECIPE, outs.checkpoints / "model.safetensors")
    save_checkpoint(SourceFilterVocoder(config.audio), config.audio, RECIPE, outs.checkpoints / "vocoder.safetensors")
    rows = [
        dict.fromkeys(COLUMNS, 0.5)
        | {"id": f"u{k}", "text": f"Text {k}.", "language": "en", "characters": 10 + k, "words": 2, "ended": True}
        | {"mel_l1": mel_l1 + 0.01 * (k % 3), "heard": "", "heard_vocoded": "", "heard_recording": ""}
        | changes
        for k in range(12)
    ]
    with open(outs.reports / "listening" / "utterances.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    quality = {"cer": 0.5, "cer_vocoded": 0.5, "mel_l1": mel_l1, "hard_ended_percent": 100.0, "utterances": 12.0}
    (outs.reports / "metrics.json").write_text(json.dumps({"quality": quality, "speed": {"rtf": 0.5}}))
    (outs.reports / "training.csv").write_text("step,loss\n1,2.0\n")
    source = {"source": "audio/one.flac"}
    recording = {"id": "one", "sources": [source], "sampling_rate": 16000, "num_samples": 1440000, "duration": 90.0}
    clip = {"id": "one", "recording_id": "one", "text": "One.", "speaker": "Ada", "language": "en"}
    (outs.corpus / RECORDINGS).write_text(f"{json.dumps(recording)}\n")
    (outs.corpus / SUPERVISIONS).write_text(f"{json.dumps(clip)}\n" * 2)
    (outs.corpus / ATTRIBUTION).write_text("# Attribution\n\nRead by Ada, CC-BY-3.0.\n")
    return outs


@pytest.fixture(scope="session")
def first_version(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry with version 1, whose `mel_l1` is 1.01; not to be changed."""
    folder = tmp_path_factory.mktemp("registry")
    registry = Registry(folder, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        registry.use(patch).register(1.0)
    shutil.copytree(folder / "artifacts", folder / "untouched")
    return registry


@pytest.fixture
def registry(first_version: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with version 1, whose `mel_l1` is 1.01. Its files lie where the database has them, so put back."""
    shutil.rmtree(first_version.folder / "artifacts")
    shutil.copytree(first_version.folder / "untouched", first_version.folder / "artifacts")
    shutil.copyfile(first_version.database, tmp_path / "mlflow.db")
    return Registry(first_version.folder, tmp_path / "mlflow.db").use(monkeypatch)
