"""Reading recordings: every file of a user goes through `read_pcm`, which finds what is torn, empty or no audio."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import librosa
import numpy as np
import numpy.typing as npt
import soundfile as sf

from configs.schema import Audio

PEAK = 0.9
"""Amplitude that every clip is scaled to."""

FULL_SCALE = 2**15
"""What the largest amplitude of 16-bit samples is divided by, so that it becomes 1."""

_KEPT_BEFORE, _KEPT_AFTER = 0.050, 0.075  # silence left at the ends of a clip, s

Pcm = npt.NDArray[np.int16]
Waveform = npt.NDArray[np.float32]


class AudioError(ValueError):
    """An audio file cannot be decoded to its end."""


def read_pcm(path: Path) -> tuple[Pcm, int]:
    """Decode a whole audio file: 16-bit mono samples (channels are averaged) and the sample rate in Hz.

    What kind of file it is, its content says; only G.722, which has no header, is known by its suffix. Raises
    `AudioError` if there is no such file, it cannot be decoded, it was cut short or it is empty.
    """
    if not path.is_file():
        raise AudioError("no such file")
    if not path.stat().st_size:
        raise AudioError("empty file")
    missing = _missing_wav_bytes(path)
    if missing:
        raise AudioError(f"truncated: {missing} bytes of audio are missing")
    if path.suffix == ".g722":
        return _read_g722(path), 16000
    try:
        with sf.SoundFile(path) as file:
            announced, rate = file.frames, file.samplerate
            samples = file.read(dtype="float64", always_2d=True)
    except sf.LibsndfileError as error:
        raise AudioError(f"cannot be decoded: {error.error_string.rstrip('.')}") from None
    if len(samples) < announced:
        raise AudioError(f"truncated: {len(samples)} of {announced} samples can be decoded")
    if not len(samples):
        raise AudioError("holds no samples")
    if not np.isfinite(samples).all():
        raise AudioError("holds samples that are not numbers")
    # libsndfile scales by 2^15 when it reads and by 2^15 - 1 when it writes: integers keep 16-bit audio exact
    mono: Pcm = np.rint(samples.mean(axis=1) * FULL_SCALE).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return mono, rate


def read_audio(path: Path, sample_rate: int) -> Waveform:
    """Mono samples (n,) in [-1, 1] at `sample_rate`, Hz.

    Raises `AudioError` where `read_pcm` does, and names the file.
    """
    try:
        pcm, rate = read_pcm(path)
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from None
    samples = pcm.astype(np.float32) / np.float32(FULL_SCALE)
    if rate != sample_rate:
        samples = librosa.resample(samples, orig_sr=rate, target_sr=sample_rate)
    return np.ascontiguousarray(samples, dtype=np.float32)


def trimmed_audio(path: Path, audio: Audio) -> Waveform:
    """A clip as the model knows it: silence at the ends cut off, scaled to `PEAK`, a whole number of hops.

    Raises `AudioError` as `read_audio` does.
    """
    samples = read_audio(path, audio.sample_rate)
    _, (start, stop) = librosa.effects.trim(samples, top_db=audio.trim_db, frame_length=512, hop_length=128)
    start = max(0, start - int(_KEPT_BEFORE * audio.sample_rate))
    stop = min(len(samples), stop + int(_KEPT_AFTER * audio.sample_rate))
    samples = samples[start : start + (stop - start) // audio.hop_length * audio.hop_length]
    return (samples * (PEAK / max(float(np.abs(samples).max(initial=0.0)), 1e-3))).astype(np.float32)


def _read_g722(path: Path) -> Pcm:
    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    samples: Pcm = np.concatenate(frames)
    return samples


def _missing_wav_bytes(path: Path) -> int:
    """How many bytes the data chunk of a WAV file announces but does not have; libsndfile does not complain."""
    size = path.stat().st_size
    with path.open("rb") as file:
        riff = file.read(12)
        if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
            return 0
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                streamed = length == 0xFFFFFFFF  # written to a pipe: the length was not known
                return 0 if streamed else max(0, file.tell() + length - size)
            file.seek(length + length % 2, 1)
    return 0
