"""Files of every kind that people have: what is read of them, and what is said."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data.audio import AUDIO_EXTENSIONS, AudioError, Pcm, decode, read_pcm
from tests.data.sounds import BY_FFMPEG, BY_LIBSNDFILE, LOSSLESS, OF_WAV, RATE, assert_alike, encode, made, said, wav


def test_every_extension_is_read(pcm: Pcm, tmp_path: Path) -> None:
    for extension in AUDIO_EXTENSIONS:
        if extension == ".amr":  # FFmpeg has no encoder for it here: a second of frames of 12.2 kbit/s
            (tmp_path / "a.amr").write_bytes(b"#!AMR\n" + (b"\x3c" + bytes(31)) * 50)
            assert read_pcm(tmp_path / "a.amr")[1] == 8000
            continue
        path = made(tmp_path / f"A{extension.upper()}", pcm)
        read, sample_rate, findings = decode(path)
        assert not findings, path
        assert_alike(read, pcm, sample_rate)
        if extension in LOSSLESS:
            assert np.array_equal(read, pcm), path
        if extension != ".g722":
            assert np.array_equal(read, read_pcm(path.rename(tmp_path / "named.wav"))[0]), path


@pytest.mark.parametrize("subtype", OF_WAV)
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_wav_of_every_kind_is_read(form: str, subtype: str, pcm: Pcm, tmp_path: Path) -> None:
    if form == "WAVEX" and subtype in ("IMA_ADPCM", "MS_ADPCM", "GSM610"):
        return
    path = tmp_path / "a.wav"
    sf.write(path, pcm / 32768 if subtype in ("FLOAT", "DOUBLE") else pcm, RATE, subtype, format=form)
    read, _, findings = decode(path)
    assert not findings
    assert_alike(read, pcm)
    if subtype not in ("ULAW", "ALAW", "PCM_U8", "IMA_ADPCM", "MS_ADPCM", "GSM610"):
        assert np.array_equal(read, pcm)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFBF, 0x80000000, 0xFFFFFFFF])
def test_wav_of_a_pipe_is_read_to_its_end(size: int, pcm: Pcm, tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    path.write_bytes(wav(pcm, size))
    assert np.array_equal(read_pcm(path)[0], pcm)
    assert not said(path)


@pytest.mark.parametrize("extension", [".wav", ".rf64", ".w64", ".aif", ".caf", ".au"])
def test_header_that_says_less_than_the_file_holds_is_warned_of(extension: str, pcm: Pcm, tmp_path: Path) -> None:
    path = made(tmp_path / f"a{extension}", pcm)
    size = {".w64": 2 * len(pcm) + 24, ".caf": 2 * len(pcm) + 4, ".aif": 2 * len(pcm) + 8}.get(extension, 2 * len(pcm))
    form = {".w64": "<Q", ".rf64": "<Q", ".caf": ">Q", ".aif": ">I", ".au": ">I"}.get(extension, "<I")
    content = path.read_bytes()
    assert content.count(struct.pack(form, size)) == 1
    path.write_bytes(content.replace(struct.pack(form, size), struct.pack(form, size - RATE)))
    read, _, findings = decode(path)
    assert [finding.kind.name for finding in findings] == ["wrong_length"]
    assert findings[0].found == f"{RATE} bytes more than the header says"
    assert len(read) >= len(pcm)
    assert np.array_equal(read[: len(pcm)], pcm)


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf60.16.100\0",
        b"bext" + struct.pack("<I", 7) + b"seven b",  # no byte that makes it even
        b"id3 " + struct.pack("<I", 4) + b"ID3\3" + b"cue " + struct.pack("<I", 4) + bytes(4),
        b"TAG" + b"a song".ljust(125, b"\0"),
        bytes(512),
        b"LIST" + struct.pack("<I", 4) + b"INFO" + b"\xff\xfe\xfdjunk",
    ],
)
def test_what_follows_the_sound_is_no_sound(behind: bytes, pcm: Pcm, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm, behind=behind))
    assert np.array_equal(read_pcm(path)[0], pcm)
    assert not said(path)


def test_flac_of_a_pipe_or_with_a_wrong_length_is_read_to_its_end(pcm: Pcm, tmp_path: Path) -> None:
    path = made(tmp_path / "a.flac", pcm)
    content = bytearray(path.read_bytes())
    assert int.from_bytes(content[21:26], "big") & (2**36 - 1) == len(pcm)
    content[21:26] = (content[21] & 0xF0, 0, 0, 0, 0)
    path.write_bytes(content)
    assert np.array_equal(read_pcm(path)[0], pcm)
    assert not said(path)
    content[22:26] = RATE.to_bytes(4, "big")
    path.write_bytes(content)
    assert np.array_equal(read_pcm(path)[0], pcm)
    assert said(path) == {"wrong_length": f"{len(pcm) - RATE} samples more than the header says"}


def test_header_that_counts_itself_is_no_end_of_a_recording(pcm: Pcm, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm, 2 * len(pcm) + 36))
    assert np.array_equal(read_pcm(path)[0], pcm)
    assert said(path) == {"wrong_length": "36 bytes less than the header says"}


@pytest.mark.parametrize("extension", [*BY_LIBSNDFILE, *(e for e in BY_FFMPEG if e not in (".g722", ".wv", ".mp2"))])
def test_recording_that_is_cut_off_is_refused(extension: str, pcm: Pcm, tmp_path: Path) -> None:
    path = made(tmp_path / f"a{extension}", pcm)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 5 - 1])
    decoded = decode(path)
    assert {finding.kind.name for finding in decoded.findings if finding.kind.severity == "error"} == {"cut_off"}
    assert len(decoded.pcm) < 0.7 * len(pcm) * (decoded.sample_rate / RATE) + 2 * 1152
    with pytest.raises(AudioError, match=r"^cut off"):
        read_pcm(path)


def test_index_of_m4a_may_stand_first(pcm: Pcm, tmp_path: Path) -> None:
    encode(tmp_path / "a.m4a", pcm, "aac", "ipod", movflags="faststart")
    assert_alike(read_pcm(tmp_path / "a.m4a")[0], pcm)
    content = (tmp_path / "a.m4a").read_bytes()
    (tmp_path / "a.m4a").write_bytes(content[: len(content) // 2])
    assert said(tmp_path / "a.m4a")["cut_off"] == f"cut off: {len(content) - len(content) // 2} bytes are missing"


@pytest.mark.parametrize(
    "extension", [e for e in BY_LIBSNDFILE if e not in (".aiff", ".nist", ".sph")] + [".oga", ".m4a", ".mov"]
)
def test_joined_files_are_read_to_the_end(extension: str, pcm: Pcm, tmp_path: Path) -> None:
    path = made(tmp_path / f"a{extension}", pcm)
    alone = read_pcm(path)[0]
    path.write_bytes(2 * path.read_bytes())
    assert said(path) == {"joined_recordings": "2 recordings in one file"}
    assert np.array_equal(read_pcm(path)[0], np.concatenate([alone, alone]))


def test_joined_files_may_differ_in_rate_and_channels(pcm: Pcm, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.ogg", pcm, RATE)
    sf.write(tmp_path / "b.ogg", np.stack([pcm, pcm], axis=1)[::2], RATE // 2)
    (tmp_path / "ab.ogg").write_bytes((tmp_path / "a.ogg").read_bytes() + (tmp_path / "b.ogg").read_bytes())
    read, sample_rate, _ = decode(tmp_path / "ab.ogg")
    assert sample_rate == RATE
    assert len(read) == pytest.approx(2 * len(pcm), abs=2)
    assert said(tmp_path / "ab.ogg")["mixed_rates_in_file"] == "8000 Hz and 16000 Hz"


def id3_with_art() -> bytes:
    """A tag that holds what could be taken for frames."""
    art = np.random.default_rng(0).bytes(40000)
    size = len(art)
    return b"ID3\3\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + art


@pytest.mark.parametrize("quality", [{}, {"q": "2"}])
def test_mp3_without_xing_header_is_read_to_its_end(quality: dict[str, str], pcm: Pcm, tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    encode(path, pcm, "libmp3lame", "mp3", write_xing="0", id3v2_version="0", **quality)
    content = path.read_bytes()
    assert b"Xing" not in content
    assert_alike(read_pcm(path)[0], pcm)
    tagged = id3_with_art() + content + b"TAG".ljust(128, b"\0")
    path.write_bytes(tagged + tagged)
    assert not said(path)
    assert len(read_pcm(path)[0]) == pytest.approx(2 * len(pcm), abs=5 * 1152)
    path.write_bytes(content[:-100])
    assert said(path) == {"cut_off": "cut off inside a frame"}
    path.write_bytes(content[: len(content) // 2] + b"hello there" * 9 + content[len(content) // 2 :])
    assert "damaged_audio" in said(path)


@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".m4a"])
def test_tags_before_a_recording_are_skipped(extension: str, pcm: Pcm, tmp_path: Path) -> None:
    path = made(tmp_path / f"a{extension}", pcm)
    alone = read_pcm(path)[0]
    path.write_bytes(id3_with_art() + path.read_bytes())
    assert np.array_equal(read_pcm(path)[0], alone)
    assert not said(path)


@pytest.mark.parametrize("extension", [".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac"])
def test_recording_with_a_torn_middle_is_refused(extension: str, pcm: Pcm, tmp_path: Path) -> None:
    path = made(tmp_path / f"a{extension}", pcm)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 600] = bytes(600)
    path.write_bytes(content)
    assert said(path).keys() & {"damaged_audio", "cut_off"}


@pytest.mark.parametrize("extension", [".wav", ".w64", ".caf", ".flac", ".ogg", ".mp3", ".m4a", ".aac", ".webm"])
def test_torn_files_are_decoded_or_named(extension: str, pcm: Pcm, tmp_path: Path) -> None:
    path = made(tmp_path / f"a{extension}", pcm[:RATE])
    content = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(40):
        torn = bytearray(content)
        for at in random.integers(0, random.choice([64, len(torn)]), 5):
            torn[at] = random.integers(256)
        start, stop = np.sort(random.integers(0, len(torn), 2))
        path.write_bytes(torn[:start] + torn[stop:] if random.random() < 0.5 else torn)
        decoded = decode(path)
        assert len(decoded.pcm) or any(finding.kind.severity == "error" for finding in decoded.findings)
        assert decoded.sample_rate or not len(decoded.pcm)
