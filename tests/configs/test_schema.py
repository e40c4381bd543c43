from __future__ import annotations

from pathlib import Path

import pytest

from configs.schema import ConfigError, load_config, parse_setting


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
        (
            "reference_frames: 96",
            "reference_frames: 97",
            "model.reference_frames = 97: Input should be a multiple of 4",
        ),
        ("languages: [en]", "languages: [xx]", "data.languages.0 = 'xx'"),
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
