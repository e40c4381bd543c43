from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from common.files import folder_digests
from configs.schema import Data
from data.audio import read_pcm
from data.building import build_corpus
from data.corpus import CorpusError, read_corpus


def from_texts(path: Path, language: str = "en") -> Data:
    return Data.model_validate({"source": "espeak", "path": str(path), "languages": [language], "batch_size": 4})


def test_espeak_speaks_each_line_and_always_alike(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("Good morning, everyone.\n\nHow are you today?\n", encoding="utf-8")
    build_corpus(from_texts(texts), tmp_path / "first")
    build_corpus(from_texts(texts), tmp_path / "second")
    corpus = read_corpus(tmp_path / "first")
    assert [clip.id for clip in corpus] == ["en-line-000001", "en-line-000003"]
    assert [clip.text for clip in corpus] == ["Good morning, everyone.", "How are you today?"]
    for clip in corpus:
        samples, rate = read_pcm(clip.path)
        assert 0.5 < len(samples) / rate < 3
        assert np.abs(samples).max() > 3000
    assert folder_digests(tmp_path / "first") == folder_digests(tmp_path / "second")
    assert "Synthetic" in (tmp_path / "first" / "ATTRIBUTION.md").read_text()


@pytest.mark.parametrize("language", ["en", "es", "fa", "fr-fr", "it", "ru", "cmn", "ro"])
def test_espeak_speaks_every_language(language: str, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("1 2 3\n")
    build_corpus(from_texts(tmp_path / "texts.txt", language), tmp_path / "corpus")
    (clip,) = read_corpus(tmp_path / "corpus")
    assert clip.language == language
    assert 0.5 < clip.duration < 4


def test_espeak_refuses_an_empty_text_file(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\n \n")
    with pytest.raises(CorpusError, match=r"texts\.txt: empty; expected a sentence a line"):
        build_corpus(from_texts(tmp_path / "texts.txt"), tmp_path / "corpus")
