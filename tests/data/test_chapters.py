"""A chapter that is made of the prompts: one is not in the text, three are not in the recording."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data.audio import Pcm, read_pcm
from data.chapters import NOT_IN_TEXT, NOT_READ, Cut, cut_long, cut_long_recordings
from data.corpus import CorpusClip, read_corpus
from data.sources.base import SourceClip

RATE = 16000
UNWRITTEN, UNREAD = {12}, {20, 21, 22}


@dataclass(frozen=True)
class Chapter:
    clip: SourceClip
    pcm: Pcm
    said: dict[str, tuple[float, float]]
    """When each text is heard, s."""


def joined(prompts: list[CorpusClip], unwritten: set[int], unread: set[int]) -> Chapter:
    rng = np.random.default_rng(0)
    sound: list[Pcm] = [np.zeros(RATE, np.int16)]
    said, texts = {}, []
    for number, prompt in enumerate(prompts):
        if number not in unwritten:
            texts.append(prompt.text)
        if number not in unread:
            pcm, _ = read_pcm(prompt.path)
            start = sum(map(len, sound)) / RATE
            said[prompt.text] = (start, start + len(pcm) / RATE)
            sound += [pcm, np.zeros(int(rng.uniform(0.2, 1.2) * RATE), np.int16)]
    clip = SourceClip("chapter", "\n".join(texts), "en", "Allison", Path("chapter.wav"), row=3)
    return Chapter(clip, np.concatenate(sound), said)


@pytest.fixture(scope="module")
def told(smoke_corpus: Path) -> list[CorpusClip]:
    """Prompts of different texts, in an order that has nothing to do with them."""
    different = {clip.text: clip for clip in read_corpus(smoke_corpus)}
    return list(different.values())


@pytest.fixture(scope="module")
def chapter(told: list[CorpusClip]) -> Chapter:
    return joined(told, UNWRITTEN, UNREAD)


@pytest.fixture(scope="module")
def cut(chapter: Chapter) -> Cut:
    return cut_long(chapter.clip, chapter.pcm, RATE)


def place(part: Pcm, whole: Pcm) -> tuple[float, float]:
    """When a part that is somewhere in a recording is heard, s."""
    start = whole.tobytes().find(part.tobytes()) // 2
    assert np.array_equal(whole[start : start + len(part)], part)
    return start / RATE, (start + len(part)) / RATE


def is_in(text: str, others: list[str]) -> bool:
    return text in " ".join(" ".join(others).split())


def test_nearly_all_that_was_read_becomes_clips_and_none_of_them_has_another_text(chapter: Chapter, cut: Cut) -> None:
    wrong, seconds = [], 0.0
    for clip, pcm in cut.clips:
        start, stop = place(pcm, chapter.pcm)
        seconds += stop - start
        spoken = [text for text, (a, b) in chapter.said.items() if min(b, stop) - max(a, start) > 0.3]
        if not is_in(clip.text, spoken) or is_in(clip.text, spoken[1:]) or is_in(clip.text, spoken[:-1]):
            wrong.append((clip.text, spoken))
    assert wrong == []
    assert seconds > 0.8 * sum(b - a for a, b in chapter.said.values())


def test_clips_of_a_chapter_are_in_order_and_neither_overlap_nor_last_too_long(chapter: Chapter, cut: Cut) -> None:
    places = [place(pcm, chapter.pcm) for _, pcm in cut.clips]
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(places))
    assert max(stop - start for start, stop in places) < 13
    assert [clip.id for clip, _ in cut.clips] == [f"chapter-{k:04}" for k in range(1, len(places) + 1)]
    assert {(clip.speaker, clip.language, clip.row) for clip, _ in cut.clips} == {("Allison", "en", 3)}


def test_what_was_not_read_and_what_is_not_written_is_said(told: list[CorpusClip], chapter: Chapter, cut: Cut) -> None:
    unread = [finding.found for finding in cut.findings if finding.kind == NOT_READ]
    assert any(told[min(UNREAD)].text[:20] in found for found in unread)
    start, _ = chapter.said[told[min(UNWRITTEN)].text]
    unwritten = [finding.found for finding in cut.findings if finding.kind == NOT_IN_TEXT]
    assert any(f"from {int(start) // 60}:" in found for found in unwritten)
    assert all(finding.id == "chapter" and finding.row == 3 for finding in cut.findings)
    texts = " ".join(clip.text for clip, _ in cut.clips)
    assert not any(told[k].text in texts for k in UNREAD)


def test_a_text_of_something_else_makes_no_clips(told: list[CorpusClip]) -> None:
    said, other = joined(told[:20], set(), set()), joined(told[20:], set(), set())
    cut = cut_long(other.clip, said.pcm, RATE)
    assert cut.clips == []
    assert {finding.kind for finding in cut.findings} == {NOT_READ, NOT_IN_TEXT}


@pytest.mark.parametrize("text", ["Somebody said this.", "", "..."])
def test_silence_has_no_clips(text: str) -> None:
    clip = SourceClip("chapter", text, "en", "Allison", Path("chapter.wav"))
    cut = cut_long(clip, np.zeros(40 * RATE, np.int16), RATE)
    assert cut.clips == []
    assert [finding.kind for finding in cut.findings] == ([NOT_READ] if "said" in text else [])


def test_speech_without_any_text_is_said(chapter: Chapter) -> None:
    clip = SourceClip("chapter", "", "en", "Allison", Path("chapter.wav"))
    (finding,) = cut_long(clip, chapter.pcm[: 40 * RATE], RATE).findings
    assert finding.kind == NOT_IN_TEXT


def test_only_what_is_long_and_fits_its_text_is_cut(
    told: list[CorpusClip], chapter: Chapter, cut: Cut, tmp_path: Path
) -> None:
    long, torn = tmp_path / "chapter.wav", tmp_path / "torn.wav"
    sf.write(long, chapter.pcm, RATE)
    torn.write_bytes(b"RIFF")
    chapter_clip = replace(chapter.clip, audio=long)
    others = [
        SourceClip("short", told[0].text, "en", "Allison", told[0].path),
        SourceClip("torn", "Torn.", "en", "Allison", torn),
        SourceClip("missing", "Missing.", "en", "Allison", tmp_path / "missing.wav"),
    ]
    clips, findings = cut_long_recordings([others[0], chapter_clip, *others[1:]], 30.0, tmp_path)
    assert [clips[0], *clips[-2:]] == others
    assert [clip.text for clip in clips[1:-2]] == [clip.text for clip, _ in cut.clips]
    assert all(np.array_equal(read_pcm(p.audio)[0], q) for p, (_, q) in zip(clips[1:-2], cut.clips, strict=True))
    assert [finding.found for finding in findings] == [finding.found for finding in cut.findings]
