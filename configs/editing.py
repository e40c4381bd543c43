"""Changing settings as a person would, with comments and order kept: a preset's file, and DVC's list of presets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from common import edit
from configs.schema import Config, ConfigError, load_config, parse_config, parse_setting, preset_path


def apply_settings(preset: str, settings: Sequence[str]) -> Config:
    """Write `key=value` settings into the preset's file, as `dvc exp run -S` would, and return the config.

    All of them are checked first; if one is refused, the file stays as it was.
    """
    path = preset_path(preset)
    if not settings:
        return load_config(preset)
    problems, values = [], {}
    for setting in settings:
        try:
            key, value = parse_setting(setting, preset)
            values[key] = value
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    content = edit.read(path)
    edit.assign(content, values)
    config = parse_config(Config, json.loads(json.dumps(content)), str(path))
    edit.write(path, content)
    return config


def list_preset(preset: str, root: Path) -> None:
    """Have DVC know a preset: add it to a checkout's `params.yaml`, if it is not there."""
    path = root / "params.yaml"
    content = edit.read(path)
    if preset not in content["presets"]:
        content["presets"].append(preset)
        edit.write(path, content)
