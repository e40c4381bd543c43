"""What is measured of the samples of one clip: levels, silence, noise, hum, bandwidth, flat tops.

All of it comes from three looks at the samples: levels of frames of 10 ms, spectra of 30 ms, and spectra of half a
second below 1 kHz. See `data.clip_measures` for what each measure is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from data.audio import FULL_SCALE, Pcm

SOUND_MEASURES = (
    *("duration", "sample_rate", "peak", "dc_offset", "clipping", "silence", "leading_silence", "trailing_silence"),
    *("loudness", "snr", "bandwidth", "hum"),
)
"""What `measure_sound` measures; see `data.clip_measures`."""

LEVEL_FLOOR = -120.0
"""Level of digital silence, dBFS."""

_SILENT_BELOW_PEAK, _SILENT_BELOW = 40.0, -60.0  # dB below the loudest frame, dBFS
_SPECTRA_AT_A_TIME = 512  # so that memory does not grow with the clip
_FEWEST_FRAMES = 16  # of which one is taken to be quiet in every band
_LOWEST_RATE = 2000  # Hz, of which spectra can be made
_DIGITAL_SILENCE = 1e-10  # mean square of frames that hold no noise either
_FRAME_SECONDS = 0.03
_BAND_HZ = 500.0
_LOWEST_HZ = 60.0
_QUIETEST, _QUIET, _LOUD = 0.02, 0.1, 0.95  # quantiles over time
_FREE = 1 / 1.5  # how many of a window's spectral bins are independent
_IN_BAND = 60.0  # dB below the strongest band
_MAINS_HZ = (50.0, 60.0)
_HARMONICS = 6
_FUNDAMENTAL = 0.05  # least share of the hum at the mains' own frequency; voices have their lines elsewhere
_HUM_RATE = 1500  # Hz, about
_HUM_SECONDS = 0.5  # of a spectrum
_HUM_NEEDS = 1.0  # s; in less, a vowel passes for a steady line

Floats = npt.NDArray[np.floating[Any]]


def measure_sound(pcm: Pcm, rate: int) -> dict[str, float]:
    """The measures of the samples (n,) of a clip at `rate`, Hz."""
    raw = pcm.astype(np.float32) / np.float32(FULL_SCALE)
    offset = raw.mean(dtype=np.float64)
    samples = raw - np.float32(offset)
    frame = max(1, rate // 100)
    power_t = np.square(np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)).mean(axis=1)
    level_t = _decibels(power_t)
    sounding = np.flatnonzero((level_t >= level_t.max() - _SILENT_BELOW_PEAK) & (level_t >= _SILENT_BELOW))
    duration = len(samples) / rate
    first, last = (sounding[0], sounding[-1] + 1) if len(sounding) else (np.nan, np.nan)
    snr, bandwidth = _noise_and_bandwidth(samples, rate)
    return {
        "duration": duration,
        "sample_rate": float(rate),
        "peak": float(np.abs(raw).max()),
        "dc_offset": float(abs(offset)),
        "clipping": _share_of_flat_tops(pcm),
        "silence": 1 - len(sounding) / len(level_t),
        "leading_silence": float(first * frame / rate),
        "trailing_silence": float(np.maximum(0.0, duration - last * frame / rate)),
        "loudness": float(_decibels(power_t[sounding].mean())) if len(sounding) else LEVEL_FLOOR,
        "snr": snr,
        "bandwidth": bandwidth,
        "hum": _hum(samples, rate),
    }


def _decibels(power: Any) -> Any:
    return 10 * np.log10(np.maximum(power, 10 ** (LEVEL_FLOOR / 10)))


def _share_of_flat_tops(pcm: Pcm) -> float:
    """The share of samples in runs at the clip's own extremes: two at full scale, three below it.

    Sound that was cut off and then made quieter keeps its flat tops; the extremes of whole sound are short.
    """
    flat = 0
    for signed in (pcm.astype(np.int32), -pcm.astype(np.int32)):
        top = int(signed.max())
        shortest = 2 if top >= FULL_SCALE - 4 else 3
        if top < FULL_SCALE // 50:  # too faint: its quantisation has flat tops
            continue
        edges = np.diff(np.concatenate([[False], signed >= top - 1, [False]]).astype(np.int8))
        runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
        flat += int(runs[runs >= shortest].sum())
    return flat / len(pcm)


def _noise_and_bandwidth(samples: Floats, rate: int) -> tuple[float, float]:
    """The ratio of speech to noise, dB, and the frequency up to which there is sound, Hz; NaN if there is none.

    The noise of a band is what the band holds in its quietest moments, as in minimum statistics (Martin, 2001): speech
    that never pauses still leaves each band now and then.
    """
    if rate < _LOWEST_RATE:
        return np.nan, np.nan
    size = 2 ** round(np.log2(rate * _FRAME_SECONDS))
    window = np.hanning(size).astype(np.float32)
    bins = max(1, round(_BAND_HZ * size / rate))
    bands = []
    for frames in _frames(samples, size, size // 2):
        power = np.square(np.abs(np.fft.rfft(frames * window, axis=1)))
        power[:, : int(np.ceil(_LOWEST_HZ * size / rate))] = 0
        n_bands = power.shape[1] // bins
        bands.append(power[:, : n_bands * bins].reshape(len(power), n_bands, bins).mean(axis=2))
    power_tb = np.concatenate(bands)
    power_tb = power_tb[power_tb.sum(axis=1) > _DIGITAL_SILENCE * size]
    if not len(power_tb):
        return np.nan, np.nan
    # The energy of noise in a band is distributed as Gamma: its quietest moments lie by a known factor below its mean.
    shape, quantile = bins * _FREE, max(_QUIETEST, 0.5 / len(power_tb))
    quiet_b = np.quantile(power_tb, _QUIETEST, axis=0) * shape / gammaincinv(shape, quantile)
    level_t = power_tb.sum(axis=1)
    total = float(level_t[level_t > level_t.max() / 10 ** (_SILENT_BELOW_PEAK / 10)].mean())
    noise = float(quiet_b.sum())
    snr = float(_decibels(max(total - noise, total / 1000) / max(noise, total * 1e-10)))
    snr = snr if len(power_tb) >= _FEWEST_FRAMES else np.nan
    loud_b = _decibels(np.quantile(power_tb, _LOUD, axis=0))
    heard = np.flatnonzero(loud_b > loud_b.max() - _IN_BAND)
    return snr, min(rate / 2, float((heard[-1] + 1) * bins * rate / size))


def _hum(samples: Floats, rate: int) -> float:
    """The level of mains hum over that of everything else, dB; NaN for less than a second.

    Hum is a steady line at 50 or 60 Hz and at its multiples: what each holds in its quietest moments, above what lies
    beside it.
    """
    if rate < _LOWEST_RATE or len(samples) < _HUM_NEEDS * rate:
        return np.nan
    step = max(1, rate // _HUM_RATE)
    low = samples[: len(samples) // step * step].reshape(-1, step).mean(axis=1)  # which lets little fold back
    size = round(_HUM_SECONDS * rate / step)
    window = np.hanning(size)
    spectra = [np.square(np.abs(np.fft.rfft(f * window, axis=1))) for f in _frames(low, size, size // 8)]
    quiet_f = np.quantile(np.concatenate(spectra), _QUIET, axis=0)
    hum = max(_steady_lines(quiet_f, mains * size * step / rate) for mains in _MAINS_HZ)
    # A sine of amplitude a has the power a² · sum(window)² / 4 at its bin, and Hann's window half of that beside it.
    power = hum / (0.75 * window.sum() ** 2)
    rest = float(np.square(samples).mean()) - power
    return float(_decibels(power / max(rest, 1e-12)))


def _steady_lines(power_f: Floats, fundamental: float) -> float:
    """The power of a line at the bin `fundamental` and at its multiples, above what lies beside them."""
    lines, around = [], round(0.24 * fundamental)
    for multiple in range(1, _HARMONICS + 1):
        at = round(multiple * fundamental)
        beside = np.concatenate([power_f[at - around : at - 2], power_f[at + 3 : at + around + 1]])
        lines.append(max(0.0, float(power_f[at - 1 : at + 2].sum() - 9 * np.median(beside))))
    return sum(lines) if lines[0] >= _FUNDAMENTAL * sum(lines) else 0.0


def _frames(samples: Floats, size: int, hop: int) -> Iterator[Floats]:
    """Overlapping frames (t, size), some at a time; at least one, which is filled up with zeros."""
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    for start in range(0, len(frames), _SPECTRA_AT_A_TIME):
        yield frames[start : start + _SPECTRA_AT_A_TIME]
