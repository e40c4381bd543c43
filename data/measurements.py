"""Measured clips on the disk, in shards: what was measured once is not measured again while the clip stays as it is.

A shard is a safetensors file of some clips that follow each other. Its name says which contents it was made of and the
checksum of its bytes, so that one that is torn, altered or of other contents is not taken for it.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import safe_open

from common.files import digest, file_digest, replacing
from configs.schema import Audio
from data.corpus import CorpusClip
from data.measuring import Measured, Spread

_CLIPS = 64  # in a shard, on average
_LONGEST = 1200.0  # s of speech, after which a shard ends in any case
_KEYS = "keys"


@dataclass(frozen=True)
class Shard:
    """The measurements of some clips that follow each other."""

    path: Path
    clips: Sequence[CorpusClip]

    def read(self) -> list[Measured]:
        """What was measured of each clip."""
        with safe_open(self.path, framework="np") as file:
            keys = json.loads(file.metadata()[_KEYS])
            return [_take(file, key, clip.text) for key, clip in zip(keys, self.clips, strict=True)]


class Measurements:
    """A folder of shards. `made_by` names all that decides a measurement beside the clip and the audio settings."""

    def __init__(self, folder: Path, made_by: str):
        self._folder, self._made_by = folder, made_by

    def of(self, clips: Iterable[CorpusClip], audio: Audio, spread: Spread, workers: int) -> Iterator[Shard]:
        """The shards of all clips, as they come to be whole. `spread` measures what the folder doesn't have.

        An interruption loses nothing but the shard in the making.
        """
        one, other = itertools.tee(self._plans(clips, audio, workers))
        for plan, measured in zip(one, spread(plan.missing for plan in other), strict=True):
            yield Shard(plan.path or self._write(plan, measured), plan.clips)

    def prune(self, shards: Iterable[Shard]) -> None:
        """Remove everything but these shards."""
        used = {shard.path for shard in shards}
        for path in self._folder.iterdir():
            if path not in used:
                path.unlink()

    def _plans(self, clips: Iterable[CorpusClip], audio: Audio, workers: int) -> Iterator[_Plan]:
        settings = digest([self._made_by, audio.model_dump()])
        with ThreadPoolExecutor(workers) as pool:
            for some in in_shards(clips):
                keys = list(pool.map(lambda clip: _key(clip, settings), some))
                path = self._find(keys)
                new = [] if path else [clip for clip, key in zip(some, keys, strict=True) if key not in self._kept]
                yield _Plan(some, keys, path, new)

    def _find(self, keys: Sequence[str]) -> Path | None:
        """The whole shard of these contents."""
        return next((path for path in self._folder.glob(f"{digest(keys)}-*.safetensors") if _is_intact(path)), None)

    @functools.cached_property
    def _kept(self) -> dict[str, Path]:
        """Which shard has which clip's measurements, when the extraction began."""
        kept: dict[str, Path] = {}
        for path in sorted(self._folder.glob("*.safetensors")):
            if _is_intact(path):
                with safe_open(path, framework="np") as file:
                    kept |= dict.fromkeys(json.loads(file.metadata()[_KEYS]), path)
        return kept

    def _write(self, plan: _Plan, measured: Sequence[Measured]) -> Path:
        new = {clip.id: some for clip, some in zip(plan.missing, measured, strict=True)}
        tensors = {}
        for clip, key in zip(plan.clips, plan.keys, strict=True):
            found = new[clip.id] if clip.id in new else self._take_kept(key, clip.text)
            for name, tensor in found.as_tensors().items():
                tensors[f"{key}/{name}"] = np.ascontiguousarray(tensor)
        content = safetensors.numpy.save(tensors, {_KEYS: json.dumps(plan.keys)})
        path = self._folder / f"{digest(plan.keys)}-{zlib.crc32(content):08x}.safetensors"
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        return path

    def _take_kept(self, key: str, text: str) -> Measured:
        with safe_open(self._kept[key], framework="np") as file:
            return _take(file, key, text)


@dataclass(frozen=True)
class _Plan:
    clips: Sequence[CorpusClip]
    keys: Sequence[str]
    path: Path | None  # of their shard, if there is one
    missing: Sequence[CorpusClip]  # what has to be measured


def in_shards(clips: Iterable[CorpusClip]) -> Iterator[list[CorpusClip]]:
    """Clips that follow each other, by the dozen; ids say where one ends, so that one clip more leaves the others."""
    some: list[CorpusClip] = []
    seconds = 0.0
    for clip in clips:
        ends = hashlib.sha256(clip.id.encode()).digest()[-1] % _CLIPS == 0
        if some and (ends or seconds > _LONGEST):
            yield some
            some, seconds = [], 0.0
        some.append(clip)
        seconds += clip.duration
    if some:
        yield some


def _key(clip: CorpusClip, settings: str) -> str:
    return digest([settings, file_digest(clip.path), clip.text, clip.language])


def _take(file: safe_open, key: str, text: str) -> Measured:
    return Measured.of({name: file.get_tensor(f"{key}/{name}") for name in ("mel", "cepstra", "tokens", "ends")}, text)


def _is_intact(path: Path) -> bool:
    return path.stem.endswith(f"-{zlib.crc32(path.read_bytes()):08x}")
