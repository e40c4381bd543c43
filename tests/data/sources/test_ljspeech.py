from __future__ import annotations

from pathlib import Path

import pytest

from configs.schema import Data
from data.building import build_corpus
from data.corpus import CorpusClip, CorpusError, read_corpus


def build(folder: Path, tmp_path: Path, **settings: object) -> list[CorpusClip]:
    plain = {"source": "ljspeech", "path": str(folder), "languages": ["en"], "batch_size": 4}
    build_corpus(Data.model_validate(plain | settings), tmp_path / "corpus")
    return read_corpus(tmp_path / "corpus")


def test_ljspeech_gives_the_last_column_and_the_name_of_its_folder(ljspeech: Path, tmp_path: Path) -> None:
    metadata = ljspeech / "metadata.csv"
    rows = metadata.read_text().splitlines()
    metadata.write_text("\n".join(["clip-1.wav|Dr. Who|Doctor Who", *rows[1:]]))
    corpus = build(ljspeech, tmp_path)
    assert [clip.id for clip in corpus] == [f"clip-{k}" for k in range(1, 7)]
    assert corpus[0].text == "Doctor Who"
    assert {clip.speaker for clip in corpus} == {"allison"}


def test_repeated_ids_of_ljspeech_get_a_suffix(ljspeech: Path, tmp_path: Path) -> None:
    with (ljspeech / "metadata.csv").open("a") as metadata:
        metadata.write("clip-3|again\nclip-3|and again\nclip-3-2|its own\n")
    corpus = {clip.id: clip.text for clip in build(ljspeech, tmp_path)}
    assert list(corpus)[2:6] == ["clip-3", "clip-3-2", "clip-3-3", "clip-3-4"]
    assert [corpus[id] for id in ("clip-3-2", "clip-3-3", "clip-3-4")] == ["its own", "again", "and again"]


def test_every_malformed_line_of_ljspeech_is_listed(ljspeech: Path, tmp_path: Path) -> None:
    lines = [b"clip-1|fine", b"no separator", b"clip-2|caf\xe9", b"../../etc/x|text", b"/x|text", b"a|b|c|d", b"|text"]
    (ljspeech / "metadata.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(CorpusError) as error:
        build(ljspeech, tmp_path)
    problems = str(error.value).splitlines()
    assert [problem.partition("metadata.csv, ")[2].partition(":")[0] for problem in problems] == [
        f"line {number}" for number in range(2, 8)
    ]
    assert "not UTF-8 at byte 10" in problems[1]
    assert "'../../etc/x'" in problems[2]


def test_a_missing_folder_of_ljspeech_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere/metadata.csv: not found.*id\|text.*wavs/"):
        build(tmp_path / "nowhere", tmp_path)


def test_ljspeech_has_one_language(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has one language"):
        build(tmp_path, tmp_path, languages=["en", "ru"])
