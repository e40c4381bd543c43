from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.schema import Data
from data.audio import read_pcm
from data.building import build_corpus
from data.corpus import CorpusError, read_corpus
from data.sources.debian_prompts import VOICES

ENGLISH = Data(source="debian_prompts", languages=["en"], batch_size=4)


def test_prompts_are_sentences_with_audio_and_attribution(prompts: Path) -> None:
    corpus = read_corpus(prompts)
    assert {clip.speaker for clip in corpus} == {"en_US_f_Allison"}
    for clip in corpus:
        samples, rate = read_pcm(clip.path)
        assert len(clip.text.split()) >= 3
        assert rate == 16000
        assert np.abs(samples).max() > 3000
    attribution = (prompts / "ATTRIBUTION.md").read_text()
    for part in ("Allison Smith", "CC-BY-SA-3.0", "1.6.1-1"):
        assert part in attribution


def test_a_language_without_prompts_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has no fa; it has en, es, fr, it, ru"):
        build_corpus(ENGLISH.model_copy(update={"languages": ["en", "fa"]}), tmp_path / "corpus")


def test_prompts_of_other_bytes_are_refused_and_other_sources_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VOICES, "en", replace(VOICES["en"], transcript_sha256="0" * 64))
    with pytest.raises(CorpusError) as error:
        build_corpus(ENGLISH, tmp_path / "corpus")
    problem, others = str(error.value).splitlines()
    assert problem.startswith("asterisk-core-sounds-en_1.6.1-1_all.deb: SHA-256 is 973e797d")
    assert "data.source=ljspeech" in others
    assert "data.source=espeak" in others
    assert not (tmp_path / "corpus").exists()
