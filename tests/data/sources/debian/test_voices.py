from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from common.progress import silent
from configs.schema import Data
from data.audio import read_pcm
from data.building import build_corpus
from data.corpus import CorpusError, read_corpus, read_credits, read_findings
from data.problems import grouped
from data.sources.debian import pins
from data.sources.debian.pins import CHANGED_RECORDING, read_pins
from data.sources.debian.voices import PROMPTS, VOICES, offer

ENGLISH = Data(source="debian_prompts", languages=["en"], batch_size=4)
EVERYONE = Data(source="debian_voices", languages=["en"], batch_size=4)


def test_prompts_are_sentences_with_audio_and_attribution(prompts: Path) -> None:
    corpus = read_corpus(prompts)
    assert {clip.speaker for clip in corpus} == {"en_US_f_Allison"}
    for clip in corpus:
        samples, rate = read_pcm(clip.path)
        assert len(clip.text.split()) >= 3
        assert rate == 16000
        assert np.abs(samples).max() > 3000
    (credit,) = read_credits(prompts)
    assert (credit.speaker, credit.person, credit.licence) == ("en_US_f_Allison", "Allison Smith", "CC-BY-SA-3.0")
    attribution = (prompts / "ATTRIBUTION.md").read_text()
    assert "| " + " | ".join([credit.language, credit.speaker, credit.person]) in attribution
    assert all(part in attribution for part in asdict(credit).values())


def test_every_prompt_that_is_no_clip_says_why(prompts: Path) -> None:
    problems = {problem.kind.name: problem for problem in grouped(read_findings(prompts))}
    assert {problem.kind.severity for problem in problems.values()} == {"note"}
    pinned = read_pins("en_US_f_Allison")
    assert len(pinned) + sum(len(problem.findings) for problem in problems.values()) == 568


def test_eighteen_people_speak_thirteen_languages() -> None:
    assert len({voice.language for voice in VOICES}) == 13
    assert len({voice.speaker.split("_", 2)[2] for voice in VOICES if voice.person == "Allison Smith"}) == 1
    assert len({voice.speaker for voice in VOICES}) == 19  # Allison Smith speaks two languages
    assert len(PROMPTS) == 5


def test_a_language_without_prompts_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="debian_prompts has no fa; it has en, es, fr, it, ru"):
        build_corpus(ENGLISH.model_copy(update={"languages": ["en", "fa"]}), tmp_path / "corpus")


def test_a_person_who_is_not_there_is_named(tmp_path: Path) -> None:
    data = EVERYONE.model_copy(update={"speakers": ["en_US_f_Allison", "Alison"]})
    with pytest.raises(CorpusError, match=r"debian_voices has no Alison in en; it has en_US_f_Allison$"):
        build_corpus(data, tmp_path / "corpus")


def test_where_there_is_no_debian_other_sources_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError) as error:
        build_corpus(ENGLISH, tmp_path / "corpus")
    problem, others = str(error.value).splitlines()
    assert problem.startswith("dpkg-deb not found")
    assert "data.source=recordings" in others
    assert "data.source=espeak" in others
    assert not (tmp_path / "corpus").exists()


def test_a_prompt_of_other_bytes_is_named_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    id = "en-agent-alreadyon"
    known = read_pins("en_US_f_Allison")
    known[id] = known[id]._replace(recording="0" * 12)
    monkeypatch.setattr("data.sources.debian.voices.read_pins", lambda _: known)
    offered = offer(EVERYONE, tmp_path, silent)
    (finding,) = (finding for finding in offered.findings if finding.kind == CHANGED_RECORDING)
    assert finding.file == "usr/share/asterisk/sounds/en_US_f_Allison/agent-alreadyon.g722"
    assert finding.expected == f"SHA-256 {'0' * 12}…"
    assert id not in {clip.id for clip in offered.clips}
    assert len(offered.clips) == len(known) - 1


@pytest.mark.slow
def test_all_people_are_offered_as_they_are_known(tmp_path: Path) -> None:
    languages = sorted({voice.language for voice in VOICES})
    offered = offer(EVERYONE.model_copy(update={"languages": languages}), tmp_path, silent)
    assert {finding.kind.severity for finding in offered.findings} == {"note"}
    assert pins.NEW_RECORDING not in {finding.kind for finding in offered.findings}
    clips = Counter(clip.speaker for clip in offered.clips)
    assert clips == {
        voice.speaker: sum(not pin.reason for pin in read_pins(voice.speaker).values()) for voice in VOICES
    }
    seconds = sum(
        clip.audio.stat().st_size / 8000 if clip.audio.suffix == ".g722" else sf.info(clip.audio).duration
        for clip in offered.clips
    )
    assert seconds / 3600 == pytest.approx(8.57, abs=0.02)
