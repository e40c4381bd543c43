from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from configs.schema import (
    Config,
    ConfigError,
    Model,
    TrainingConfig,
    load_config,
    parse_config,
    parse_setting,
    preset_path,
    presets,
)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "changed.yaml"
    source = Path("configs/smoke.yaml").read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("decoder_heads", "decoder_hedas", "model.decoder_hedas is not a setting; did you mean 'decoder_heads'?"),
        ("\ntrain:", "\ntrian:", "trian is not a setting; did you mean 'train'?"),
        ("  steps: 20", "  steps: 0", "train.steps = 0: Input should be greater than 0"),
        ("  steps: 20\n", "", "train.steps is missing"),
        ("batch_size: null", "batch_size: 4", "set exactly one of batch_size and batch_frames"),
        ("path: null", "path: recordings", "path must be null for debian_prompts"),
        ("source: debian_prompts", "source: ljspeech", "data.source = 'ljspeech': write `source: recordings`"),
        ("layout: null", "layout: tabel", "data.layout = 'tabel': Input should be 'table', 'audiofolder'"),
        ("table: {}", "table: {header: maybe}", "data.table.header = 'maybe'"),
        ("table: {}", "table: {texts: 2}", "data.table.texts is not a setting; did you mean 'text'"),
        (
            "reference_frames: 96",
            "reference_frames: 97",
            "model.reference_frames = 97: Input should be a multiple of 4",
        ),
        ("languages: [en]", "languages: [xx]", "data.languages.0 = 'xx'"),
        (
            "  reference_frames: 96",
            "  voice_similarity_threshold: 0.8\n  reference_frames: 96",
            "model.voice_similarity_threshold is not a setting; did you mean 'goals.voice_similarity_threshold'?",
        ),
    ],
)
def test_a_fault_is_named_with_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_config(changed(tmp_path, old, new))
    assert message in str(refusal.value)
    assert "changed.yaml" in str(refusal.value)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = changed(tmp_path, "seed: 1\nthreads: 1", "seed: -1\nthreads: none")
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert len(str(refusal.value).splitlines()) == 2


@pytest.mark.parametrize("content", ["", "[1, 2]", "a: [", "\x00"])
def test_what_is_no_preset_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"odd\.yaml"):
        load_config(path)


@pytest.mark.parametrize("name", ["dmeo", "../configs/demo", "", "demo.yaml"])
def test_only_names_of_presets_are_presets(name: str) -> None:
    with pytest.raises(ConfigError, match="is not a preset"):
        load_config(name)


def test_settings_are_read_as_yaml() -> None:
    assert parse_setting("train.learning_rate=2.0e-4", "demo") == ("train.learning_rate", 2e-4)
    assert parse_setting("data.languages=[en, fr]", "demo") == ("data.languages", ["en", "fr"])
    assert parse_setting("validation.peak.min=0.1", "demo") == ("validation.peak.min", 0.1)


@pytest.mark.parametrize("preset", presets())
def test_presets_state_their_goals(preset: str) -> None:
    assert "goals" in yaml.safe_load(preset_path(preset).read_text())
    assert load_config(preset).goals.voice_similarity_threshold == 0.75


def test_goals_decide_no_checkpoint(smoke: Config) -> None:
    """They are not among what travels in its header, so that none is trained again for them."""
    assert "goals" not in TrainingConfig.model_fields
    assert "voice_similarity_threshold" not in Model.model_fields
    header = {name: value for name, value in smoke.model_dump().items() if name in TrainingConfig.model_fields}
    assert parse_config(TrainingConfig, header, "header").model_dump() == header


def test_a_setting_that_is_gone_from_the_schema_is_told_in_one_line(smoke: Config) -> None:
    header = {name: value for name, value in smoke.model_dump().items() if name in TrainingConfig.model_fields}
    header["model"]["voice_similarity_threshold"] = 0.75
    with pytest.raises(ConfigError) as refusal:
        parse_config(TrainingConfig, header, "model.safetensors: of another schema")
    told = "model.safetensors: of another schema: model.voice_similarity_threshold is not a setting"
    assert str(refusal.value) == told
