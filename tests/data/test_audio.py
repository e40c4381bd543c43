"""Files of every kind that people have, made of a real recording: what is read of them, and what is said."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import soundfile as sf

from configs.schema import Config
from data.audio import AUDIO_EXTENSIONS, PEAK, AudioError, Pcm, Waveform, decode, read_audio, read_pcm, trimmed_audio
from data.corpus import read_corpus

RATE = 16000


@pytest.fixture
def recording(prompts: Path) -> Path:
    return read_corpus(prompts)[0].path


@pytest.fixture
def pcm(recording: Path) -> Pcm:
    return read_pcm(recording)[0]


def encode(path: Path, pcm: Pcm, codec: str, form: str, **options: str) -> None:
    """Write a file by FFmpeg."""
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 64000
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format.name, "mono", RATE, stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux([packet for packet in stream.encode(part) if packet.size])


BY_FFMPEG = {  # codec and container by extension
    ".m4a": ("aac", "ipod"),
    ".aac": ("aac", "adts"),
    ".mp4": ("alac", "mp4"),
    ".mov": ("aac", "mov"),
    ".3gp": ("aac", "3gp"),
    ".webm": ("libopus", "webm"),
    ".mka": ("flac", "matroska"),
    ".mkv": ("aac", "matroska"),
    ".oga": ("flac", "ogg"),
    ".wma": ("wmav2", "asf"),
    ".wv": ("wavpack", "wv"),
    ".mp2": ("mp2", "mp2"),
    ".g722": ("g722", "g722"),
}
BY_LIBSNDFILE = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".aif": ("AIFF", "PCM_16"),
    ".aiff": ("AIFF", "FLOAT"),
    ".w64": ("W64", "PCM_16"),
    ".rf64": ("RF64", "PCM_16"),
    ".caf": ("CAF", "PCM_16"),
    ".au": ("AU", "PCM_16"),
    ".aifc": ("AIFF", "ULAW"),
    ".nist": ("NIST", "PCM_16"),
    ".sph": ("NIST", "PCM_16"),
}
OF_WAV = ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"]
LOSSLESS = {".wav", ".flac", ".aif", ".aiff", ".w64", ".rf64", ".caf", ".au", ".nist", ".sph", ".mp4", ".mka", ".oga"}


def made(path: Path, pcm: Pcm) -> Path:
    """A file of the kind that its extension says."""
    extension = path.suffix.lower()
    if extension in BY_LIBSNDFILE:
        form, subtype = BY_LIBSNDFILE[extension]
        sf.write(path, pcm / 32768 if subtype in ("FLOAT", "DOUBLE") else pcm, RATE, subtype, format=form)
    else:
        encode(path, pcm, *BY_FFMPEG[extension])
    return path


def wav(pcm: Pcm, size: int | None = None, behind: bytes = b"") -> bytes:
    """A WAV file whose header says that `size` bytes of sound follow."""
    sound = pcm.tobytes()
    size = len(sound) if size is None else size
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36, b"WAVE") + form + struct.pack("<4sI", b"data", size) + sound + behind


def assert_alike(read: Pcm, pcm: Pcm, sample_rate: int = RATE) -> None:
    """All of the recording is there, behind no more than an encoder's padding."""
    samples = read / np.float32(32768)
    if sample_rate != RATE:
        samples = librosa.resample(samples, orig_sr=sample_rate, target_sr=RATE)
    assert len(samples) == pytest.approx(len(pcm), abs=0.14 * RATE)
    size = 1 << int(np.ceil(np.log2(len(samples) + len(pcm))))
    product = np.fft.irfft(np.fft.rfft(samples, size) * np.conj(np.fft.rfft(pcm / 32768, size)))
    norm = np.linalg.norm(samples) * np.linalg.norm(pcm / 32768)
    assert product.max() / norm > 0.97


def said(path: Path) -> dict[str, str]:
    """What was found, by kind."""
    return {finding.kind.name: finding.found for finding in decode(path).findings}


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


@pytest.mark.parametrize("subtype", ["FLOAT", "VORBIS", "MPEG_LAYER_III"])
def test_what_is_above_full_scale_is_scaled_and_not_cut(subtype: str, pcm: Pcm, tmp_path: Path) -> None:
    path = tmp_path / "loud.audio"
    loud = pcm / np.abs(pcm).max() * (1.7 if subtype == "FLOAT" else 1.0)
    if subtype != "FLOAT":
        loud = np.sign(loud) * np.abs(loud) ** 0.3  # what was limited to full scale rings above it
    sf.write(path, loud, RATE, subtype, format={"FLOAT": "WAV", "VORBIS": "OGG"}.get(subtype, "MP3"))
    read, _, findings = decode(path)
    assert np.abs(read.astype(int)).max() == 32767
    assert (np.abs(read.astype(int)) > 32760).sum() < 10
    assert [(finding.kind.name, finding.kind.severity) for finding in findings] == [("above_full_scale", "note")]
    if subtype == "FLOAT":
        assert findings[0].found == "peaks at 1.7 of full scale"
        assert np.corrcoef(read, loud)[0, 1] > 0.999999


@pytest.mark.parametrize(
    ("right", "kind"),
    [
        (lambda pcm: pcm, None),
        (lambda pcm: pcm // 4, None),
        (lambda pcm: -pcm, "cancelling_channels"),
        (lambda pcm: -(pcm // 10 * 9), "cancelling_channels"),
        (lambda pcm: pcm * 0, "silent_channel"),
        (lambda pcm: pcm * 0 + 9000, "silent_channel"),
    ],
)
def test_channels_are_averaged_where_they_are_worth_it(
    right: Callable[[Pcm], Pcm], kind: str | None, pcm: Pcm, tmp_path: Path
) -> None:
    path = tmp_path / "stereo.flac"
    channels = np.stack([right(pcm), pcm], axis=1)
    sf.write(path, channels, RATE)
    read, _, findings = decode(path)
    assert [finding.kind.name for finding in findings] == ([kind] if kind else [])
    assert np.array_equal(np.abs(read), np.abs(pcm if kind else np.rint(channels.mean(axis=1))))


def test_samples_that_are_not_numbers_are_refused(pcm: Pcm, tmp_path: Path) -> None:
    for number in (np.nan, np.inf, -np.inf, 1e30):
        samples = pcm / 32768
        samples[100:103] = number
        sf.write(tmp_path / "broken.wav", samples, RATE, "FLOAT")
        with pytest.raises(AudioError, match=r"^holds 3 samples that are not numbers$"):
            read_pcm(tmp_path / "broken.wav")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "empty file"),
        (b"RIFF", "cannot be decoded: "),
        (b"no sound at all", "cannot be decoded: "),
        ("kein Ton".encode("utf-16"), "cannot be decoded: "),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "cannot be decoded: "),
        (b"<!DOCTYPE html><title>404 Not Found</title>" * 9, "cannot be decoded: "),
        (np.random.default_rng(0).bytes(9000), "cannot be decoded: "),
        (b"ID3\3\0\0\0\0\x7f\x7f", "cut off: 16383 bytes are missing"),
        (wav(np.zeros(0, np.int16)), "holds no samples"),
        (wav(np.zeros(0, np.int16), behind=b"LIST\4\0\0\0INFO"), "holds no samples"),
    ],
)
def test_what_is_no_audio_is_refused_with_its_name(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "reference.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError) as pcm_error:
        read_pcm(path)
    with pytest.raises(AudioError) as audio_error:
        read_audio(path, 16000)
    assert str(pcm_error.value).startswith(reason)
    assert str(audio_error.value) == f"{path}: {pcm_error.value}"


def test_film_without_sound_is_named(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert said(path) == {"no_audio": "holds no sound"}


def test_truncated_audio_is_no_reference(recording: Path, smoke: Config, tmp_path: Path) -> None:
    path = tmp_path / "torn.wav"
    samples, rate = sf.read(recording)
    sf.write(path, samples, rate)
    assert len(trimmed_audio(path, smoke.audio))
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(AudioError, match=r"torn\.wav: cut off: \d+ of \d+ bytes of sound are missing"):
        trimmed_audio(path, smoke.audio)


def by_soundfile(path: Path, sample_rate: int) -> Waveform:
    """Audio as libsndfile scales it to floats."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    mono: Waveform = samples.mean(axis=1)
    if rate != sample_rate:
        mono = librosa.resample(mono, orig_sr=rate, target_sr=sample_rate)
    return mono


@pytest.mark.parametrize("sample_rate", [16000, 22050])
def test_audio_of_a_corpus_is_exact_to_the_bit(sample_rate: int, prompts: Path) -> None:
    for clip in read_corpus(prompts):
        read = read_audio(clip.path, sample_rate)
        assert read.dtype == np.float32
        assert np.array_equal(read, by_soundfile(clip.path, sample_rate))


def test_audio_at_full_scale_is_exact_to_the_bit(tmp_path: Path) -> None:
    extremes = np.array([-32768, -32767, -1, 0, 1, 32766, 32767], np.int16)
    sf.write(tmp_path / "extremes.flac", extremes, 16000)
    assert np.array_equal(read_pcm(tmp_path / "extremes.flac")[0], extremes)
    assert np.array_equal(
        read_audio(tmp_path / "extremes.flac", 16000), by_soundfile(tmp_path / "extremes.flac", 16000)
    )


def test_audio_is_trimmed_and_scaled_alike(smoke: Config, smoke_corpus: Path) -> None:
    for clip in read_corpus(smoke_corpus)[:5]:
        trimmed = trimmed_audio(clip.path, smoke.audio)
        assert len(trimmed) % smoke.audio.hop_length == 0
        assert len(trimmed) <= len(read_audio(clip.path, smoke.audio.sample_rate))
        assert np.abs(trimmed).max() == pytest.approx(PEAK, abs=0.01)
