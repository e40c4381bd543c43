from __future__ import annotations

from pathlib import Path

import pytest

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_SPEECH, NO_TEXT, OTHER_PERSON, OTHER_TEXT, REPEATED, left_out
from data.sources.debian.pins import (
    CHANGED_RECORDING,
    CHANGED_TEXT,
    FOLDER,
    MISSING_RECORDING,
    NEW_RECORDING,
    Pin,
    once,
    pinned,
    read_pins,
    recording_digest,
    text_digest,
)
from data.sources.debian.voices import VOICES


@pytest.fixture
def clips(tmp_path: Path) -> list[SourceClip]:
    made = []
    for id in ("a", "b", "c", "d"):
        (tmp_path / f"{id}.ogg").write_bytes(id.encode())
        made.append(SourceClip(id, f"text of {id}", "ro", "someone", tmp_path / f"{id}.ogg"))
    return made


def pins_of(clips: list[SourceClip], reason: str = "") -> dict[str, Pin]:
    return {clip.id: Pin(recording_digest(clip.audio), text_digest(clip.text), reason) for clip in clips}


def test_what_is_known_is_offered_whatever_it_was_packed_in(clips: list[SourceClip], tmp_path: Path) -> None:
    why = left_out(NO_TEXT, clips[0].audio, tmp_path, "", "")
    assert list(pinned([why, *clips], pins_of(clips), tmp_path)) == [why, *clips]


def test_every_file_that_differs_is_named_with_both_digests(clips: list[SourceClip], tmp_path: Path) -> None:
    pins = pins_of(clips)
    clips[0].audio.write_bytes(b"other")
    pins["b"] = pins["b"]._replace(text=text_digest("an old text"))
    del pins["c"]
    items = list(pinned(clips[:3], pins, tmp_path))
    assert all(isinstance(item, Finding) for item in items)
    changed, text, new, missing = (item for item in items if isinstance(item, Finding))
    assert (changed.kind, changed.file) == (CHANGED_RECORDING, "a.ogg")
    assert recording_digest(clips[0].audio) in changed.found
    assert pins["a"].recording in changed.expected
    assert (text.kind, text.file) == (CHANGED_TEXT, "b.ogg")
    assert "text of b" in text.found
    assert (new.kind, new.file) == (NEW_RECORDING, "c.ogg")
    assert (missing.kind, missing.id) == (MISSING_RECORDING, "d")


def test_a_pin_may_say_why_a_recording_is_not_offered(clips: list[SourceClip], tmp_path: Path) -> None:
    (item,) = pinned(clips[:1], pins_of(clips[:1], "other_text_spoken"), tmp_path)
    assert isinstance(item, Finding)
    assert (item.kind, item.found) == (OTHER_TEXT, "'text of a'")


def test_of_equal_recordings_the_first_is_kept(clips: list[SourceClip], tmp_path: Path) -> None:
    clips[2].audio.write_bytes(clips[0].audio.read_bytes())
    first, second, repeated, last = once(clips, tmp_path)
    assert [first, second, last] == [clips[0], clips[1], clips[3]]
    assert isinstance(repeated, Finding)
    assert (repeated.kind, repeated.file, repeated.found) == (REPEATED, "c.ogg", "the recording of a")


def test_every_voice_and_no_other_is_pinned() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {voice.speaker for voice in VOICES}
    reasons = {"", NO_SPEECH.name, OTHER_PERSON.name, OTHER_TEXT.name}
    ids = set[str]()
    for voice in VOICES:
        pins = read_pins(voice.speaker)
        assert len([pin for pin in pins.values() if not pin.reason]) > 200
        assert {pin.reason for pin in pins.values()} <= reasons
        assert all(id.startswith(f"{voice.language}-") for id in pins)
        assert not ids & pins.keys()
        ids |= pins.keys()
