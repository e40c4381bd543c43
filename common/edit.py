"""Changing YAML files as a person would: comments and order stay, and a file is never half-written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from common.files import replacing


def read(path: Path) -> Any:
    """The content of a YAML file, to be changed and given to `write`; each mapping knows its lines (`lc`)."""
    return _yaml().load(path)


def write(path: Path, content: Any) -> None:
    """Put changed content in the place of what `read` found."""
    with replacing(path) as temporary:
        _yaml().dump(content, temporary)


def assign(content: Any, values: Mapping[str, Any]) -> None:
    """Set dotted keys, such as `train.steps`."""
    for dotted, value in values.items():
        *parents, key = dotted.split(".")
        section = content
        for name in parents:
            section = section.setdefault(name, {})
        section[key] = value


def line_of(content: Any, dotted: str) -> int | None:
    """The line, from 1, on which a dotted key stands; None if it is not there."""
    *parents, key = dotted.split(".")
    for name in parents:
        content = content.get(name, {})
    return content.lc.key(key)[0] + 1 if key in content else None


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.representer.add_representer(type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", "null"))
    yaml.width = 120
    return yaml
