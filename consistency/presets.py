"""The presets of a checkout and their facts, each worked out once for as long as its file stays as it is."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from configs.schema import Config, ConfigError, load_config
from consistency.facts import facts


def preset_file(root: Path, preset: str) -> Path:
    """Where a checkout keeps a preset."""
    return root / "configs" / f"{preset}.yaml"


def content_of(path: Path) -> bytes:
    """What a preset's file holds; nothing, if it is not there."""
    return path.read_bytes() if path.is_file() else b""


def config_of(path: Path) -> Config:
    """A preset's file. Raises `ConfigError` as `load_config`."""
    return _config(path, content_of(path))


def facts_of(path: Path) -> dict[str, Any]:
    """The facts of a preset's file. Raises `ConfigError` as `load_config`."""
    return _facts(path, content_of(path))


def valid_configs(root: Path, presets: Sequence[str]) -> Iterator[tuple[str, Config]]:
    """The presets that can be read, with their names."""
    for preset in presets:
        try:
            yield preset, config_of(preset_file(root, preset))
        except ConfigError:
            continue


@functools.cache
def _config(path: Path, content: bytes) -> Config:  # noqa: ARG001  (the content is what it is remembered by)
    return load_config(path)


@functools.cache
def _facts(path: Path, content: bytes) -> dict[str, Any]:
    return facts(_config(path, content))
