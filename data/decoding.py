"""Decoding one recording: by libsndfile what it knows, by PyAV (FFmpeg) everything else."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf

from data.containers.base import CUT_OFF, DAMAGED, WHOLE, WRONG_LENGTH, Form
from data.problems import Finding, Kind

NO_AUDIO = Kind("no_audio", "error", "Export these as WAV or FLAC, or leave the clips out.")

_DEMUXERS = "aac,ac3,aiff,amr,ape,asf,avi,caf,flac,flv,loas,matroska,mov,mp3,mpeg,mpegts,"
_DEMUXERS += "nistsphere,ogg,tta,voc,w64,wav,wv"
"""What PyAV may take a file for: no playlists, which could name other files."""

_MOST_PLANES = 8
"""PyAV reads beyond the memory of a frame that has more; torn AAC can seem to."""

_EXACT: Mapping[str, Literal["int16", "float32"]] = {
    "PCM_16": "int16",
    **dict.fromkeys(("FLOAT", "VORBIS", "OPUS"), "float32"),
}
"""What holds the samples of an encoding of libsndfile's as they are; float64 holds all others."""

_MOST_SAMPLES = 2**32
"""A header that says more was written to a pipe."""

_SHORTER = 0.1
"""A recording may be this much shorter than announced, s: encoders count their padding."""


class Piece(NamedTuple):
    """Samples of one rate and number of channels."""

    samples: npt.NDArray[Any]
    """(n, channels): int16 as it is, or floats with full scale 1."""
    sample_rate: int


class Pieces(NamedTuple):
    """A recording, and what was noticed while it was decoded."""

    pieces: list[Piece]
    findings: list[Finding]


class _Content(io.BytesIO):
    """What libsndfile may also ask to seek before its begin, which it does for torn headers."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """As files do; -1 if there is no such place."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return -1


def decoded(recording: bytes, form: Form) -> Pieces:
    """Decode a recording that was found by `data.containers`."""
    if form != "libsndfile":
        return _by_av(recording, form)
    content = _Content(recording)
    try:
        with sf.SoundFile(content) as file:
            if not file.seekable() or file.frames > _MOST_SAMPLES:
                return _by_av(recording, "other")
            dtype = _EXACT.get(file.subtype, "float64")
            try:
                samples = file.read(dtype=dtype, always_2d=True)
            except sf.LibsndfileError as error:
                partly = _by_av(recording, "other")
                return partly if partly.findings else Pieces(partly.pieces, [_damaged(error.error_string)])
    except sf.LibsndfileError:
        return _by_av(recording, "other")
    findings = []
    if len(samples) < file.frames:
        findings.append(_damaged(f"{file.frames - len(samples)} of {file.frames} samples cannot be decoded"))
    if file.format == "FLAC" and content.tell() < len(recording):  # libsndfile stops where the header says
        whole = _by_av(recording, "other")
        more = sum(len(piece.samples) for piece in whole.pieces) - len(samples)
        if more > 0:
            found = Finding(WRONG_LENGTH, f"{more} samples more than the header says", WHOLE)
            return Pieces(whole.pieces, [found, *whole.findings])
    return Pieces([Piece(samples, file.samplerate)], findings)


def _by_av(recording: bytes, form: Form) -> Pieces:
    told = None if form == "other" else form
    try:
        with av.open(
            io.BytesIO(recording),
            format=told,
            mode="r",
            options={"format_whitelist": told or _DEMUXERS},
            metadata_errors="replace",
        ) as container:
            stream = next((stream for stream in container.streams.audio if stream.codec_context), None)
            if stream is None:
                found = "sound of an unknown kind" if container.streams.audio else "no sound"
                return Pieces([], [Finding(NO_AUDIO, f"holds {found}", "a recording")])
            stream.codec_context.thread_count = 1  # clips are decoded side by side
            frames, failed, packets = list[av.AudioFrame](), list[int](), 0
            for packets, packet in enumerate(container.demux(stream), start=1):
                try:
                    made = packet.decode()
                except av.FFmpegError:
                    failed.append(packets)
                    continue
                if any(frame.format.is_planar and frame.layout.nb_channels > _MOST_PLANES for frame in made):
                    failed.append(packets)
                else:
                    frames += made
            announced = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    except av.FFmpegError as error:
        return Pieces([], [Finding(NO_AUDIO, f"cannot be decoded: {error.strerror}", "a recording")])
    pieces = _joined(frames)
    seconds = sum(len(piece.samples) / piece.sample_rate for piece in pieces)
    if failed and failed[0] < packets - 1 and seconds:
        return Pieces(pieces, [_damaged(f"{len(failed)} of {packets} packets cannot be decoded")])
    if failed or (told is None and seconds < announced - _SHORTER):
        return Pieces(pieces, [Finding(CUT_OFF, f"cut off after {seconds:.2f} s", WHOLE)])
    return Pieces(pieces, [])


def _joined(frames: Iterable[av.AudioFrame]) -> list[Piece]:
    """Frames of the same rate and channels in one piece."""
    runs: list[tuple[int, list[npt.NDArray[Any]]]] = []
    for frame in frames:
        samples = frame.to_ndarray()
        if not frame.format.is_planar:
            samples = samples.reshape(-1, frame.layout.nb_channels).T
        if not runs or runs[-1][0] != frame.sample_rate or len(runs[-1][1][0]) != len(samples):
            runs.append((frame.sample_rate, []))
        runs[-1][1].append(samples)
    return [Piece(_scaled(np.concatenate(blocks, axis=1).T), rate) for rate, blocks in runs]


def _scaled(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if samples.dtype in (np.int16, np.float32):
        return samples
    if samples.dtype == np.uint8:
        return (samples.astype(np.float64) - 128) / 128
    if samples.dtype.kind == "i":
        return samples / -float(np.iinfo(samples.dtype).min)
    return samples.astype(np.float64)


def _damaged(what: str) -> Finding:
    return Finding(DAMAGED, f"damaged: {what.removeprefix('Error : ').rstrip('.')}", WHOLE)
