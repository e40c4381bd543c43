"""Files of every kind that people have, made of a real recording."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import soundfile as sf

from data.audio import Pcm, decode

RATE = 16000


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
