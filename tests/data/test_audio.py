"""Samples as they are read: their level, their channels, and what is no sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import soundfile as sf

from configs.schema import Config
from data.audio import PEAK, AudioError, Pcm, Waveform, decode, read_audio, read_pcm, trimmed_audio
from data.corpus import read_corpus
from tests.data.sounds import RATE, said, wav


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
