"""Features against the presets: mels, tokens, and frames that add up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from configs.schema import Config
from consistency.surfaces.payloads import PayloadsSurface
from consistency.surfaces.surface import Statement


class FeaturesSurface(PayloadsSurface):
    """The features of presets. They are kept to save time: mended, they are gone, and the next run makes them again."""

    kind = "features"

    def __init__(self, root: Path, folders: Mapping[str, Path]) -> None:
        super().__init__(root, folders, shutil.rmtree)

    def read_folder(self, folder: Path, where: str, config: Config) -> Iterator[Statement]:
        """What all pieces have in common."""
        from data.features import PIECES, Features  # not before there are any: it takes as long as all the rest

        features = Features(folder)
        pieces = list(features.pieces["id"])
        widths = sorted({features.mel(piece).shape[1] for piece in pieces})
        largest = max(max(features.tokens(piece).symbols) for piece in pieces)
        uneven = [piece for piece in pieces if int(features.frames(piece).sum()) != len(features.mel(piece))]
        vocabulary, n_mels = config.model.text_vocab_size, config.model.n_mels
        for fact, stated, true, right in (
            ("n_mels", widths, [n_mels], widths == [n_mels]),
            ("text_vocab_size", f"symbol {largest}", f"less than {vocabulary}", largest < vocabulary),
            ("frames", uneven, "frames of tokens add up to those of the mel", not uneven),
        ):
            yield Statement(self.kind, f"{where}/{PIECES}", fact, str(stated), str(true), right)
