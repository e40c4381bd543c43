"""Reading recordings: every file of a user goes through `decode`, which reads it to its end or says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import librosa
import numpy as np
import numpy.typing as npt

from configs.schema import Audio
from data.containers import contained
from data.containers.base import WHOLE, Contained
from data.decoding import Piece, decoded
from data.problems import Finding, Kind

AUDIO_EXTENSIONS = (
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".mp4", ".webm", ".aif", ".aiff", ".oga", ".wma"),
    *(".g722", ".aifc", ".w64", ".rf64", ".caf", ".au", ".nist", ".sph", ".mka", ".mkv", ".mov", ".3gp", ".amr"),
    *(".mp2", ".wv"),
)
"""By which files of sound are found, in any case; what kind of file each is, its content says."""

PEAK = 0.9
"""Amplitude that every clip is scaled to."""

FULL_SCALE = 2**15
"""What the largest amplitude of 16-bit samples is divided by, so that it becomes 1."""

MISSING = Kind("missing_audio", "error", "Put the files where the list says, or correct the list.")
EMPTY = Kind("empty_audio", "error", "Copy the files again, or leave the clips out.")
NOT_NUMBERS = Kind("not_numbers", "error", "Export these again from where they were made: what wrote them failed.")
SCALED = Kind("above_full_scale", "note", "They were scaled down to fit; nothing was cut.")
SILENT_CHANNEL = Kind("silent_channel", "warning", "The other channels were taken; make the files mono to be sure.")
CANCELLING = Kind("cancelling_channels", "warning", "The louder channel was taken; invert one of them to be sure.")
MIXED_RATES = Kind("mixed_rates_in_file", "warning", "All was brought to the first rate; listen to where they meet.")

_LARGEST = 2.0**48
"""Samples from here on, where `FULL_SCALE` is full scale, are no sound in any unit; 32-bit integers stay below."""
_SILENT = 30.0
"""A channel this far below the loudest one adds nothing, dB."""
_CANCELLED = 9.0
"""What the mean of channels loses at most, dB: 3 if they have nothing in common."""
_KEPT_BEFORE, _KEPT_AFTER = 0.050, 0.075  # silence left at the ends of a clip, s

Pcm = npt.NDArray[np.int16]
Waveform = npt.NDArray[np.float32]


class AudioError(ValueError):
    """An audio file cannot be decoded to its end."""


class Decoded(NamedTuple):
    """What an audio file holds; if a finding is an error, only what could be decoded of it. One finding of a kind."""

    pcm: Pcm
    """Mono."""
    sample_rate: int
    """Hz; 0 if nothing could be decoded."""
    findings: Sequence[Finding]


def decode(path: Path) -> Decoded:
    """Decode a whole audio file: 16-bit mono samples, the sample rate and what was noticed; it raises nothing.

    What kind of file it is, its content says; only G.722, which has no header, is known by its suffix. All recordings
    in a file are read, one after another. Channels are averaged, without those that are silent; where they cancel, the
    louder one is taken. What is above full scale is scaled down.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
        return _nothing(Finding(MISSING, "no such file" if missing else f"cannot be read: {error.strerror}", WHOLE))
    if not content:
        return _nothing(Finding(EMPTY, "empty file", WHOLE))
    found = Contained([content], form="g722") if path.suffix.lower() == ".g722" else contained(content)
    findings, pieces = list(found.findings), list[Piece]()
    for recording in found.recordings:
        more = decoded(recording, found.form)
        pieces += more.pieces
        findings += [finding for finding in more.findings if not (_is_error(finding) and any(map(_is_error, findings)))]
    if not any(len(piece.samples) for piece in pieces):
        return _nothing(*(findings if any(map(_is_error, findings)) else [Finding(EMPTY, "holds no samples", WHOLE)]))
    mono, rate = _mono(pieces, findings)
    pcm = _fitted(mono, findings)
    return Decoded(pcm, rate, list({finding.kind: finding for finding in reversed(findings)}.values())[::-1])


def read_pcm(path: Path) -> tuple[Pcm, int]:
    """16-bit mono samples and the sample rate in Hz of a whole audio file, as `decode` has them.

    Raises `AudioError` with what was found first if that is an error: it is not there, cannot be decoded, was cut off.
    """
    pcm, rate, findings = decode(path)
    for finding in findings:
        if _is_error(finding):
            raise AudioError(finding.found)
    return pcm, rate


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


def _mono(pieces: Sequence[Piece], findings: list[Finding]) -> tuple[npt.NDArray[Any], int]:
    """All pieces in one channel at the rate of the first; int16, or floats where `FULL_SCALE` is full scale."""
    rate = pieces[0].sample_rate
    parts = [_channels_as_one(piece.samples, findings) for piece in pieces]
    if len(parts) == 1:
        return parts[0], rate
    if len(rates := {piece.sample_rate for piece in pieces}) > 1:
        findings.append(Finding(MIXED_RATES, " and ".join(f"{hertz} Hz" for hertz in sorted(rates)), "one rate"))
    alike = [
        part if piece.sample_rate == rate else librosa.resample(part * 1.0, orig_sr=piece.sample_rate, target_sr=rate)
        for part, piece in zip(parts, pieces, strict=True)
    ]
    return np.concatenate(alike), rate


def _channels_as_one(samples: npt.NDArray[Any], findings: list[Finding]) -> npt.NDArray[Any]:
    """(n, channels) as (n,): the mean of the channels that are worth it."""
    if samples.dtype.kind == "f":
        samples = samples * FULL_SCALE
        if not (known := np.abs(samples) < _LARGEST).all():
            findings.append(Finding(NOT_NUMBERS, f"holds {(~known).sum()} samples that are not numbers", "numbers"))
            samples = np.where(known, samples, 0.0)
    if samples.shape[1] == 1:
        return samples[:, 0]
    channels = np.ascontiguousarray(samples.T, np.result_type(samples, np.float32))
    power_c = channels.var(axis=1)
    worth = power_c >= power_c.max() * 10 ** (-_SILENT / 10)
    if not worth.all():
        silent = ", ".join(str(1 + channel) for channel in np.flatnonzero(~worth))
        findings.append(Finding(SILENT_CHANNEL, f"silent: channel {silent} of {len(worth)}", "sound in every channel"))
    mean: npt.NDArray[Any] = (channels if worth.all() else channels[worth]).mean(axis=0)
    lost = -10 * np.log10(max(mean.var(), 1e-9) / max(power_c[worth].mean(), 1e-9))
    if lost > _CANCELLED:
        findings.append(Finding(CANCELLING, f"the channels cancel: their mean is {lost:.0f} dB lower", "one recording"))
        mean = channels[power_c.argmax()]
    return mean


def _fitted(mono: npt.NDArray[Any], findings: list[Finding]) -> Pcm:
    """In 16 bits; what is above full scale is scaled down."""
    if mono.dtype == np.int16:
        return np.ascontiguousarray(mono)
    peak = float(np.abs(mono).max())
    if peak > FULL_SCALE + 1:
        findings.append(Finding(SCALED, f"peaks at {peak / FULL_SCALE:.4g} of full scale", "1 at most"))
        mono = mono * ((FULL_SCALE - 1) / peak)
    pcm: Pcm = np.rint(mono).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return pcm


def _nothing(*findings: Finding) -> Decoded:
    return Decoded(np.zeros(0, np.int16), 0, findings)


def _is_error(finding: Finding) -> bool:
    return finding.kind.severity == "error"
