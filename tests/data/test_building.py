from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from common.files import folder_digests
from configs.schema import Data
from data.audio import Decoded, decode, read_pcm
from data.building import build_corpus
from data.corpus import CorpusError, read_corpus, read_findings


def from_folder(path: Path, max_clips: int | None = None) -> Data:
    return Data(source="recordings", path=str(path), languages=["en"], batch_size=4, max_clips=max_clips)


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
    assert sorted(path.name for path in tmp_path.iterdir()) == [".corpus.json", "allison", "corpus"]


def test_faulty_clips_are_brought_along_into_the_corpus(ljspeech: Path, tmp_path: Path) -> None:
    torn = ljspeech / "wavs" / "clip-1.wav"
    torn.write_bytes(torn.read_bytes()[:5000])
    (ljspeech / "wavs" / "clip-2.wav").rename(ljspeech / "wavs" / "no-text.wav")
    with (ljspeech / "metadata.csv").open("a") as metadata:
        metadata.write("no-text||\n")
    build_corpus(from_folder(ljspeech), tmp_path / "corpus")
    corpus = {clip.id: clip for clip in read_corpus(tmp_path / "corpus")}
    assert corpus["no-text"].text == ""
    assert corpus["clip-1"].path.read_bytes() == torn.read_bytes()
    assert corpus["clip-1"].path.suffix == ".wav"
    assert "clip-2" not in corpus
    (missing,) = read_findings(tmp_path / "corpus")
    assert (missing.kind.name, missing.row) == ("missing_audio", 2)


def test_only_what_changed_in_a_source_is_decoded_again(
    ljspeech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "corpus"
    build_corpus(from_folder(ljspeech), folder, workers=2)
    decoded: list[str] = []

    def counting(path: Path) -> Decoded:
        decoded.append(path.name)
        return decode(path)

    monkeypatch.setattr("data.building.decode", counting)
    wavs, metadata = ljspeech / "wavs", ljspeech / "metadata.csv"
    samples, rate = sf.read(wavs / "clip-1.wav")
    sf.write(wavs / "clip-1.wav", samples[: len(samples) // 2], rate)
    shutil.copy(wavs / "clip-2.wav", wavs / "clip-9.wav")
    (wavs / "clip-3.wav").unlink()
    lines = [line for line in metadata.read_text().splitlines() if not line.startswith("clip-3|")]
    lines = [*(line if not line.startswith("clip-4|") else "clip-4|Another text." for line in lines), "clip-9|New."]
    metadata.write_text("\n".join(lines) + "\n")
    build_corpus(from_folder(ljspeech), folder)
    assert sorted(decoded) == ["clip-1.wav", "clip-9.wav"]

    build_corpus(from_folder(ljspeech), tmp_path / "anew")
    assert folder_digests(folder) == folder_digests(tmp_path / "anew")
    texts = {clip.id: clip.text for clip in read_corpus(folder)}
    assert "clip-3" not in texts
    assert texts["clip-4"] == "Another text."


def test_a_clip_of_a_corpus_that_was_altered_is_decoded_again(ljspeech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    build_corpus(from_folder(ljspeech), folder)
    before = folder_digests(folder)
    altered = folder / "audio" / "clip-1.flac"
    altered.write_bytes((folder / "audio" / "clip-2.flac").read_bytes())
    build_corpus(from_folder(ljspeech), folder)
    assert folder_digests(folder) == before
