from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from common.files import folder_digests
from configs.schema import Data
from data.audio import read_pcm
from data.building import build_corpus
from data.corpus import CorpusError, read_corpus


def from_folder(path: Path, max_clips: int | None = None) -> Data:
    return Data(source="ljspeech", path=str(path), languages=["en"], batch_size=4, max_clips=max_clips)


def test_a_smaller_corpus_is_a_part_of_a_larger_one(prompts: Path, tmp_path: Path) -> None:
    build_corpus(Data(source="debian_prompts", languages=["en"], max_clips=4, batch_size=4), tmp_path / "corpus")
    few, many = folder_digests(tmp_path / "corpus" / "audio"), folder_digests(prompts / "audio")
    assert len(few) == 4
    assert few.items() <= many.items()


def test_a_corpus_keeps_every_sample(ljspeech: Path, prompts: Path, tmp_path: Path) -> None:
    build_corpus(from_folder(ljspeech), tmp_path / "corpus")
    for ours, original in zip(read_corpus(tmp_path / "corpus"), read_corpus(prompts), strict=True):
        assert np.array_equal(read_pcm(ours.path)[0], read_pcm(original.path)[0])


def test_equal_sources_give_a_corpus_of_equal_bytes_anywhere(ljspeech: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    build_corpus(from_folder(ljspeech), first)
    build_corpus(from_folder(ljspeech), second)
    assert folder_digests(first) == folder_digests(second)
    expected = {"recordings.jsonl", "supervisions.jsonl", "ATTRIBUTION.md", "audio/clip-1.flac"}
    assert folder_digests(first).keys() >= expected


def test_a_new_corpus_replaces_the_old_one_and_a_failed_one_does_not(ljspeech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    build_corpus(from_folder(ljspeech), folder)
    build_corpus(from_folder(ljspeech, max_clips=4), folder)
    before = folder_digests(folder)
    assert len(read_corpus(folder)) == 4
    with pytest.raises(CorpusError):
        build_corpus(from_folder(tmp_path / "nowhere"), folder)
    assert folder_digests(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["allison", "corpus"]


def test_faulty_clips_are_brought_along_into_the_corpus(ljspeech: Path, tmp_path: Path) -> None:
    torn = ljspeech / "wavs" / "clip-1.wav"
    torn.write_bytes(torn.read_bytes()[:5000])
    (ljspeech / "wavs" / "clip-2.wav").unlink()
    with (ljspeech / "metadata.csv").open("a") as metadata:
        metadata.write("no-text||\n")
    build_corpus(from_folder(ljspeech), tmp_path / "corpus")
    corpus = {clip.id: clip for clip in read_corpus(tmp_path / "corpus")}
    assert corpus["no-text"].text == ""
    assert corpus["clip-1"].path.read_bytes() == torn.read_bytes()
    assert corpus["clip-1"].path.suffix == ".wav"
    assert not corpus["clip-2"].path.exists()
