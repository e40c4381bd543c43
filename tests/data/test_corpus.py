import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from configs.schema import Data
from data.audio import AudioError, read_pcm
from data.building import build_corpus
from data.corpus import read_corpus
from data.sources.base import CorpusError
from data.sources.debian_prompts import download_packages


def from_folder(path: Path, **settings: object) -> Data:
    return Data.model_validate(
        {"source": "ljspeech", "path": str(path), "languages": ["en"], "batch_size": 4, **settings}
    )


def from_texts(path: Path) -> Data:
    return Data(source="espeak", path=str(path), languages=["en"], batch_size=4)


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_prompts_are_sentences_with_audio_and_attribution(prompts: Path) -> None:
    corpus = read_corpus(prompts)
    assert list(corpus.columns) == ["id", "path", "text", "language", "speaker"]
    assert len(corpus) == 6 and corpus["id"].is_unique and (corpus["speaker"] == "en_US_f_Allison").all()
    assert (corpus["text"].str.split().str.len() >= 3).all()
    for path in corpus["path"]:
        samples, rate = read_pcm(path)
        assert path.is_absolute() and rate == 16000 and np.abs(samples).max() > 3000
    attribution = (prompts / "ATTRIBUTION.md").read_text()
    assert "Allison Smith" in attribution and "CC-BY-SA-3.0" in attribution and "1.6.1-1" in attribution


def test_fewer_prompts_are_a_part_of_more(prompts: Path, tmp_path: Path) -> None:
    build_corpus(Data(source="debian_prompts", languages=["en"], max_clips=4, batch_size=4), tmp_path / "corpus")
    few, many = contents(tmp_path / "corpus" / "audio"), contents(prompts / "audio")
    assert len(few) == 4 and few.items() <= many.items()


def test_other_bytes_than_expected_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as error:
        download_packages({"asterisk-core-sounds-en": "0" * 64}, tmp_path)
    assert "asterisk-core-sounds-en_1.6.1-1_all.deb: SHA-256 is 973e797d" in str(error.value)
    assert "ljspeech" in str(error.value) and "espeak" in str(error.value)


def test_a_failing_download_names_the_package_and_other_sources(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"(?s)asterisk-core-sounds-xx.*data.source=ljspeech.*data.source=espeak"):
        download_packages({"asterisk-core-sounds-xx": "0" * 64}, tmp_path)


def test_without_apt_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError, match=r"(?s)apt-get and dpkg-deb not found.*ljspeech.*espeak"):
        build_corpus(Data(source="debian_prompts", languages=["en"], batch_size=4), tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_a_language_without_prompts_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has no fa; it has en, es, fr, it, ru"):
        build_corpus(Data(source="debian_prompts", languages=["en", "fa"], batch_size=4), tmp_path / "corpus")


def test_ljspeech_keeps_every_sample_and_the_last_column(ljspeech: Path, prompts: Path, tmp_path: Path) -> None:
    metadata = ljspeech / "metadata.csv"
    rows = metadata.read_text().splitlines()
    metadata.write_text("\n".join(["clip-1.wav|Dr. Who|Doctor Who", *rows[1:]]))
    build_corpus(from_folder(ljspeech), tmp_path / "corpus")
    corpus = read_corpus(tmp_path / "corpus")
    assert list(corpus["id"]) == [f"clip-{k}" for k in range(1, 7)]
    assert corpus["text"][0] == "Doctor Who" and (corpus["speaker"] == "allison").all()
    for ours, original in zip(corpus["path"], read_corpus(prompts)["path"], strict=True):
        assert np.array_equal(read_pcm(ours)[0], read_pcm(original)[0])


def test_equal_sources_give_equal_bytes_anywhere(ljspeech: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    build_corpus(from_folder(ljspeech), first)
    build_corpus(from_folder(ljspeech), second)
    assert contents(first) == contents(second)
    assert set(contents(first)) >= {"recordings.jsonl", "supervisions.jsonl", "ATTRIBUTION.md", "audio/clip-1.flac"}


def test_a_new_corpus_replaces_the_old_one_and_a_failed_one_does_not(ljspeech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    build_corpus(from_folder(ljspeech), folder)
    build_corpus(from_folder(ljspeech, max_clips=4), folder)
    before = contents(folder)
    assert len(read_corpus(folder)) == 4
    with pytest.raises(CorpusError):
        build_corpus(from_folder(tmp_path / "nowhere"), folder)
    assert contents(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["allison", "corpus"]


def test_faulty_clips_are_brought_along(ljspeech: Path, tmp_path: Path) -> None:
    cut = ljspeech / "wavs" / "clip-1.wav"
    cut.write_bytes(cut.read_bytes()[:5000])
    (ljspeech / "wavs" / "clip-2.wav").unlink()
    with (ljspeech / "metadata.csv").open("a") as metadata:
        metadata.write("clip-3|again\nclip-3|and again\nclip-3-2|its own\nno-text||\n")
    build_corpus(from_folder(ljspeech), tmp_path / "corpus")
    corpus = read_corpus(tmp_path / "corpus").set_index("id")
    assert list(corpus.index)[2:5] == ["clip-3", "clip-3-2", "clip-3-3"]
    assert corpus.loc["clip-3-2", "text"] == "its own" and corpus.loc["no-text", "text"] == ""
    assert corpus.loc["clip-1", "path"].read_bytes() == cut.read_bytes()
    assert corpus.loc["clip-1", "path"].suffix == ".wav" and not corpus.loc["clip-2", "path"].exists()


def test_every_malformed_line_of_the_metadata_is_listed(ljspeech: Path, tmp_path: Path) -> None:
    lines = [b"clip-1|fine", b"no separator", b"clip-2|caf\xe9", b"../../etc/x|text", b"/x|text", b"a|b|c|d", b"|text"]
    (ljspeech / "metadata.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(CorpusError) as error:
        build_corpus(from_folder(ljspeech), tmp_path / "corpus")
    problems = str(error.value).splitlines()
    assert [problem.partition("metadata.csv, ")[2].partition(":")[0] for problem in problems] == [
        f"line {number}" for number in range(2, 8)
    ]
    assert "not UTF-8 at byte 10" in problems[1] and "'../../etc/x'" in problems[2]


def test_a_missing_folder_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere/metadata.csv: not found.*id\|text.*wavs/"):
        build_corpus(from_folder(tmp_path / "nowhere"), tmp_path / "corpus")
    with pytest.raises(CorpusError, match=r"recordings.jsonl: not found"):
        read_corpus(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="has one language"):
        build_corpus(from_folder(tmp_path, languages=["en", "ru"]), tmp_path / "corpus")


def test_espeak_speaks_each_line_and_always_alike(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("Good morning, everyone.\n\nHow are you today?\n", encoding="utf-8")
    build_corpus(from_texts(texts), tmp_path / "first")
    build_corpus(from_texts(texts), tmp_path / "second")
    corpus = read_corpus(tmp_path / "first")
    assert list(corpus["id"]) == ["en-line-000001", "en-line-000003"]
    assert list(corpus["text"]) == ["Good morning, everyone.", "How are you today?"]
    for path in corpus["path"]:
        samples, rate = read_pcm(path)
        assert 0.5 < len(samples) / rate < 3 and np.abs(samples).max() > 3000
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert "Synthetic" in (tmp_path / "first" / "ATTRIBUTION.md").read_text()


def test_an_empty_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\n \n")
    with pytest.raises(CorpusError, match=r"texts\.txt: empty; expected a sentence a line"):
        build_corpus(from_texts(tmp_path / "texts.txt"), tmp_path / "corpus")


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_truncated_audio_is_refused(extension: str, prompts: Path, tmp_path: Path) -> None:
    samples, rate = sf.read(read_corpus(prompts)["path"][0])
    path = tmp_path / f"clip.{extension}"
    sf.write(path, samples, rate)
    assert len(read_pcm(path)[0]) == len(samples)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    with pytest.raises(AudioError, match=r"truncated|lost sync"):
        read_pcm(path)


def test_channels_are_averaged_and_floats_are_scaled(prompts: Path, tmp_path: Path) -> None:
    samples, rate = sf.read(read_corpus(prompts)["path"][0])
    sf.write(tmp_path / "stereo.wav", np.stack([samples, np.zeros_like(samples)], axis=1), rate, subtype="FLOAT")
    mono, _ = read_pcm(tmp_path / "stereo.wav")
    assert np.abs(mono / 32768 - samples / 2).max() <= 1 / 32768
    sf.write(tmp_path / "broken.wav", np.full(8000, np.nan), rate, subtype="FLOAT")
    with pytest.raises(AudioError, match="not numbers"):
        read_pcm(tmp_path / "broken.wav")
