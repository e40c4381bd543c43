from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile as sf

from configs.schema import Config
from data.audio import PEAK, AudioError, Waveform, read_audio, read_pcm, trimmed_audio
from data.corpus import read_corpus


@pytest.fixture
def recording(prompts: Path) -> Path:
    return read_corpus(prompts)[0].path


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_truncated_audio_is_refused(extension: str, recording: Path, tmp_path: Path) -> None:
    samples, rate = sf.read(recording)
    path = tmp_path / f"clip.{extension}"
    sf.write(path, samples, rate)
    assert len(read_pcm(path)[0]) == len(samples)
    cut_short(path)
    with pytest.raises(AudioError, match=r"^(truncated|cannot be decoded)"):
        read_pcm(path)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_audio_of_any_suffix_is_known_by_its_content(kind: str, recording: Path, tmp_path: Path) -> None:
    samples, rate = sf.read(recording)
    path = tmp_path / "reference.audio"
    sf.write(path, samples, rate, format=kind)
    read = read_audio(path, rate)
    assert len(read) == pytest.approx(len(samples), abs=rate // 10)
    assert np.abs(read).max() == pytest.approx(np.abs(samples).max(), rel=0.1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "empty file"),
        (b"RIFF", "cannot be decoded: "),
        (b"no sound at all", "cannot be decoded: "),
    ],
)
def test_what_is_no_audio_is_refused_with_its_name(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "reference.audio"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError) as pcm_error:
        read_pcm(path)
    with pytest.raises(AudioError) as audio_error:
        read_audio(path, 16000)
    assert str(pcm_error.value).startswith(reason)
    assert str(audio_error.value) == f"{path}: {pcm_error.value}"


def test_truncated_audio_is_no_reference(recording: Path, smoke: Config, tmp_path: Path) -> None:
    path = tmp_path / "torn.wav"
    samples, rate = sf.read(recording)
    sf.write(path, samples, rate)
    assert len(trimmed_audio(path, smoke.audio))
    cut_short(path)
    with pytest.raises(AudioError, match=r"torn\.wav: truncated: \d+ bytes of audio are missing"):
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


def test_channels_of_audio_are_averaged_and_floats_are_scaled(recording: Path, tmp_path: Path) -> None:
    samples, rate = sf.read(recording)
    sf.write(tmp_path / "stereo.wav", np.stack([samples, np.zeros_like(samples)], axis=1), rate, subtype="FLOAT")
    mono, _ = read_pcm(tmp_path / "stereo.wav")
    assert np.abs(mono / 32768 - samples / 2).max() <= 1 / 32768
    sf.write(tmp_path / "broken.wav", np.full(8000, np.nan), rate, subtype="FLOAT")
    with pytest.raises(AudioError, match="not numbers"):
        read_pcm(tmp_path / "broken.wav")


def test_audio_is_trimmed_and_scaled_alike(smoke: Config, smoke_corpus: Path) -> None:
    for clip in read_corpus(smoke_corpus)[:5]:
        trimmed = trimmed_audio(clip.path, smoke.audio)
        assert len(trimmed) % smoke.audio.hop_length == 0
        assert len(trimmed) <= len(read_audio(clip.path, smoke.audio.sample_rate))
        assert np.abs(trimmed).max() == pytest.approx(PEAK, abs=0.01)
