"""A folder for each preset, made by runs: corpora, features, checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from configs.schema import Config
from consistency.presets import valid_configs
from consistency.surfaces.surface import Statement, Surface, shown


class PayloadsSurface(Surface):
    """The folders of presets, by name, as far as they are there; a folder that drifted is mended whole by `restore`."""

    def __init__(self, root: Path, folders: Mapping[str, Path], restore: Callable[[Path], None]) -> None:
        self._root, self._folders, self._restore = root, folders, restore

    @abstractmethod
    def read_folder(self, folder: Path, where: str, config: Config) -> Iterator[Statement]:
        """What a folder states about its preset; `where` is how it is called in statements."""

    def read(self) -> Iterator[Statement]:
        """What all folders state."""
        for _, statements in self._by_folder():
            yield from statements

    def mend(self) -> None:
        """Restore every folder that does not agree."""
        for folder, statements in self._by_folder():
            if not all(statement.agrees for statement in statements):
                self._restore(folder)

    def _by_folder(self) -> Iterator[tuple[Path, list[Statement]]]:
        for preset, config in valid_configs(self._root, list(self._folders)):
            folder = self._folders[preset]
            if folder.is_dir():
                yield folder, list(self.read_folder(folder, shown(folder, self._root), config))
