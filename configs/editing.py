"""Changing settings as a person would, with comments and order kept: a preset's file, and DVC's list of presets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from common import edit
from configs.schema import Config, ConfigError, load_config, parse_config, parse_setting, preset_path

SOURCES_CODE = "data/sources"


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


def list_preset(preset: str, source: Path | None, root: Path) -> None:
    """Have DVC know a preset, and what its recordings are made of, by a checkout's `params.yaml`.

    `source` is where `data.path` leads; None: the preset's recordings come from nowhere but the sources' own code.
    Checkouts of the past list presets by their names alone.
    """
    path = root / "params.yaml"
    content = edit.read(path)
    listed = content["presets"]
    if isinstance(listed, list):
        if preset in listed:
            return
        listed.append(preset)
    else:
        entry = {"source": SOURCES_CODE if source is None else str(source)}
        if listed.get(preset) == entry:
            return
        listed[preset] = entry
    edit.write(path, content)
