"""What was measured once is not measured again, and what is torn, altered or of other clips is not taken for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.schema import Config
from data.corpus import CorpusClip, read_corpus
from data.measurements import Measurements, Shard, in_shards
from data.measuring import Measured, Spread, measure, spread_here


@pytest.fixture
def clips(smoke_corpus: Path) -> list[CorpusClip]:
    return read_corpus(smoke_corpus)[:6]


class Counting:
    """Spreads clips nowhere, and remembers which there were."""

    def __init__(self, smoke: Config):
        self.measured: list[str] = []
        self._audio = smoke.audio

    def __call__(self, batches: Iterable[Sequence[CorpusClip]]) -> Iterator[list[Measured]]:
        for batch in batches:
            self.measured += [clip.id for clip in batch]
            yield measure(batch, self._audio)


def shards_of(
    folder: Path, clips: Sequence[CorpusClip], smoke: Config, spread: Spread, made_by: str = "code"
) -> list[Shard]:
    return list(Measurements(folder, made_by).of(clips, smoke.audio, spread, 1))


def test_measurements_come_back_as_they_were(tmp_path: Path, clips: list[CorpusClip], smoke: Config) -> None:
    (shard,) = shards_of(tmp_path, clips, smoke, spread_here(2, smoke.audio))
    for found, measured in zip(shard.read(), measure(clips, smoke.audio), strict=True):
        np.testing.assert_array_equal(found.mel_tm, measured.mel_tm)
        np.testing.assert_array_equal(found.acoustic_tc(), measured.acoustic_tc())
        assert found.spoken == measured.spoken
        assert measured.acoustic_tc().shape == (measured.half_frames, 39)


def test_only_what_changed_is_measured_again(tmp_path: Path, clips: list[CorpusClip], smoke: Config) -> None:
    five, (added,) = clips[:5], clips[5:]
    spread = Counting(smoke)
    shards_of(tmp_path, five, smoke, spread)
    assert spread.measured == [clip.id for clip in five]
    spread.measured.clear()
    shards_of(tmp_path, five, smoke, spread)
    assert spread.measured == []
    corrected = replace(five[1], text="Corrected, it reads otherwise.")
    replaced = replace(five[2], path=five[3].path)
    changed = [five[0], corrected, replaced, five[4], added]
    shards = shards_of(tmp_path, changed, smoke, spread)
    assert spread.measured == [corrected.id, replaced.id, added.id]
    anew = measure(changed, smoke.audio)
    for found, measured in zip(shards[0].read(), anew, strict=True):
        np.testing.assert_array_equal(found.mel_tm, measured.mel_tm)
        assert found.spoken == measured.spoken


def test_other_code_or_settings_measure_all_again(tmp_path: Path, clips: list[CorpusClip], smoke: Config) -> None:
    shards_of(tmp_path, clips, smoke, Counting(smoke))
    spread = Counting(smoke)
    shards_of(tmp_path, clips, smoke, spread, made_by="other code")
    assert len(spread.measured) == len(clips)
    other = smoke.model_copy(update={"audio": smoke.audio.model_copy(update={"trim_db": 30.0})})
    spread = Counting(other)
    shards_of(tmp_path, clips, other, spread)
    assert len(spread.measured) == len(clips)


def test_a_shard_that_is_torn_or_altered_is_made_again(tmp_path: Path, clips: list[CorpusClip], smoke: Config) -> None:
    (shard,) = shards_of(tmp_path, clips, smoke, Counting(smoke))
    whole = shard.path.read_bytes()
    for spoilt in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        shard.path.write_bytes(spoilt)
        spread = Counting(smoke)
        shards_of(tmp_path, clips, smoke, spread)
        assert len(spread.measured) == len(clips)
        assert shard.path.read_bytes() == whole


def test_an_interruption_loses_the_shard_in_the_making_and_no_other(
    tmp_path: Path, clips: list[CorpusClip], smoke: Config
) -> None:
    many = [
        replace(clip, id=f"{k}-{clip.id}", text=f"{clip.text} {k}", duration=50.0) for k in range(10) for clip in clips
    ]
    parts = [len(part) for part in in_shards(many)]
    assert len(parts) > 1
    interrupted = Measurements(tmp_path, "code").of(many, smoke.audio, spread_here(2, smoke.audio), 1)
    next(interrupted)
    interrupted.close()  # type: ignore[attr-defined]  # it is a generator
    spread = Counting(smoke)
    shards_of(tmp_path, many, smoke, spread)
    assert spread.measured == [clip.id for clip in many[parts[0] :]]


def test_what_the_last_extraction_did_not_use_goes(tmp_path: Path, clips: list[CorpusClip], smoke: Config) -> None:
    shards_of(tmp_path, clips[:4], smoke, Counting(smoke))
    last = shards_of(tmp_path, clips, smoke, Counting(smoke))
    assert len(list(tmp_path.iterdir())) == 2
    Measurements(tmp_path, "code").prune(last)
    assert [path.name for path in tmp_path.iterdir()] == [shard.path.name for shard in last]


def test_one_clip_more_leaves_other_shards_as_they_are(clips: list[CorpusClip]) -> None:
    many = [replace(clips[0], id=f"{k:05}") for k in range(0, 20_000, 10)]
    before = [[clip.id for clip in part] for part in in_shards(many)]
    assert 20 < len(before) < 60
    added = sorted([*many, replace(clips[0], id="10005")], key=lambda clip: clip.id)
    after = [[clip.id for clip in part] for part in in_shards(added)]
    assert len([part for part in before if part not in after]) == 1
    assert [id for part in after for id in part] == [clip.id for clip in added]


def test_shards_of_long_clips_are_bounded(clips: list[CorpusClip]) -> None:
    talks = [replace(clips[0], id=f"{k:05}", duration=500.0) for k in range(200)]
    assert max(sum(clip.duration for clip in part) for part in in_shards(talks)) <= 2000
