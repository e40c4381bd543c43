"""Presets against the harmony rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common import edit
from configs.schema import ConfigError
from consistency.presets import config_of, preset_file
from consistency.rules import check_config
from consistency.surfaces.surface import Statement, Surface, shown, stated_by


class PresetsSurface(Surface):
    """The files of some presets. What the rules leave one value for is mended; comments and order stay."""

    kind = "presets"

    def __init__(self, root: Path, presets: Sequence[str]) -> None:
        self._root, self._presets = root, presets

    def read(self) -> Iterator[Statement]:
        """Every fact that a rule holds, on its line, or what keeps a file from being a preset."""
        for preset in self._presets:
            path = preset_file(self._root, preset)
            where = shown(path, self._root)
            try:
                config = config_of(path)
            except ConfigError as error:
                for problem in str(error).splitlines():
                    stated = problem.removeprefix(f"{path}: ")
                    yield Statement(self.kind, where, "schema", stated, "a valid preset", False)
                continue
            content = edit.read(path)
            for finding in check_config(config, preset):
                line = edit.line_of(content, finding.fact)
                yield stated_by(self.kind, finding, f"{where}:{line}" if line else where)

    def mend(self) -> None:
        """Set what has one right value."""
        for preset in self._presets:
            path = preset_file(self._root, preset)
            while right := _right_values(path):  # again, because a width that is put right decides the heads
                content = edit.read(path)
                edit.assign(content, right)
                edit.write(path, content)


def _right_values(path: Path) -> dict[str, Any]:
    """The settings that are wrong and have one right value, with it; none before the file is a valid preset."""
    try:
        config = config_of(path)
    except ConfigError:
        return {}
    return {f.fact: f.right for f in check_config(config, path.stem) if not f.agrees and f.right is not None}
