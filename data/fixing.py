"""A mended copy of recordings and their texts: a plain folder in LJSpeech format, and what was done to each clip.

What is wrong with a clip for good keeps it out; the rest is put right, each time said as a `Finding`. A clip with
nothing to put right is the same to the bit.
"""

from __future__ import annotations

import csv
import hashlib
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ftfy
import librosa
import numpy as np
import numpy.typing as npt
import soundfile as sf

from common.errors import Refused
from common.files import replacing_folder
from common.progress import Report, silent, watched
from configs.outs import source_path
from configs.schema import Data
from data.audio import FULL_SCALE, Pcm, decode
from data.corpus import ATTRIBUTION
from data.problems import Finding, Kind
from data.sources import SOURCES
from data.sources.base import Offer, SourceClip

CHANGES = "changelog.csv"
"""In the copy: a row for everything that was done."""

LOUDNESS = -23.0
"""RMS of what is not silence that every clip is brought to, dBFS."""
PEAK = 0.95
"""Amplitude that no clip is made louder than."""
SILENCE_KEPT = 0.15
"""Silence left at each end, s."""

_FRAME = 0.010  # s
_SILENT_BELOW, _SILENT_UNDER = -60.0, 40.0  # dBFS; dB under the loudest frame
_OFFSET = 0.002  # amplitude that a mean may have
_NEAR = 0.5  # dB by which loudness may differ

LEFT_OUT = "The clip is not in the copy."
NOTHING_TO_HEAR = Kind("nothing_to_hear", "error", LEFT_OUT)
NO_TEXT = Kind("no_text", "error", LEFT_OUT)
SAME_RECORDING = Kind("same_recording", "error", f"{LEFT_OUT} See which of the texts is the right one.")
OFFSET = Kind("offset_removed", "note", "The mean of the samples was taken off.")
TRIMMED = Kind("silence_trimmed", "note", f"Silence at the ends was cut off, all but {SILENCE_KEPT:g} s.")
LEVELLED = Kind("loudness_changed", "note", "Clips were made louder or softer as a whole; nothing is clipped by that.")
RESAMPLED = Kind("resampled", "note", "Clips were brought to the rate that most have; none gets clearer by that.")
TEXT_MENDED = Kind("text_mended", "note", "Read a few: characters of a wrong encoding, breaks and bars were replaced.")


class FixRefused(Refused):
    """There is nothing to make a copy of, or nowhere to put it."""


@dataclass(frozen=True)
class Fixed:
    """What a mended copy has become."""

    offered: int
    """Clips that there were."""
    clips: int
    """Clips in the copy."""
    minutes: float
    """Of the copy."""
    sample_rate: int
    """Of the copy, Hz."""
    findings: Sequence[Finding]
    """What was done."""


@dataclass(frozen=True)
class _Mended:
    clip: SourceClip
    text: str
    sample_rate: int
    seconds: float


def fix(data: Data, folder: Path, report: Report = silent) -> Fixed:
    """Make a mended copy in `folder` of what the source of `data` offers; it appears whole or not at all.

    Raises `FixRefused` if `folder` is there already or no clip is left, and `CorpusError` where the source does.
    """
    if folder.exists():
        raise FixRefused(f"{folder}: is there already; expected a folder that is not, for the copy")
    if data.path and folder.resolve().is_relative_to(source_path(data.path).resolve()):
        raise FixRefused(f"{folder}: lies in {data.path}; expected a folder outside what is copied")
    with tempfile.TemporaryDirectory(prefix="myxtts-") as scratch, replacing_folder(folder) as new:
        offer = SOURCES[data.source](data, Path(scratch), report)
        findings = list(offer.findings)
        (new / "wavs").mkdir()
        clips = _write_recordings(offer.clips, new / "wavs", findings, report)
        if not clips:
            named = "; ".join(f"{kind.name} {count}" for kind, count in Counter(f.kind for f in findings).items())
            raise FixRefused(f"of {len(offer.clips)} clips none can be mended: {named or 'there is none'}")
        rate = _at_one_rate(clips, new / "wavs", findings, report)
        _write_lists(clips, offer, findings, new)
    return Fixed(len(offer.clips), len(clips), sum(clip.seconds for clip in clips) / 60, rate, findings)


def _write_recordings(
    clips: Sequence[SourceClip], folder: Path, findings: list[Finding], report: Report
) -> list[_Mended]:
    """Write what can be mended of the clips, each at its own rate."""
    mended, seen = [], dict[str, str]()
    for clip in watched(clips, "mending", len(clips), report):
        pcm, rate, noticed = decode(clip.audio)
        said = [*noticed, *_about_text(clip.text)]
        digest = hashlib.sha256(f"{rate} ".encode() + pcm.tobytes()).hexdigest()
        if digest in seen and len(pcm):
            said.append(Finding(SAME_RECORDING, f"the same as {seen[digest]}", "a recording of its own"))
        if not any(finding.kind.severity == "error" for finding in said):
            samples = _mend(pcm, rate, said)
            if samples is not None:
                seen[digest] = clip.id
                sf.write(folder / f"{clip.id}.wav", _as_pcm(samples), rate)
                mended.append(_Mended(clip, _mend_text(clip.text), rate, len(samples) / rate))
        findings += [replace(finding, id=clip.id, file=clip.audio.name, row=clip.row) for finding in said]
    return mended


def _mend(pcm: Pcm, rate: int, said: list[Finding]) -> npt.NDArray[np.float64] | None:
    """The samples without offset, without long silence at the ends, at `LOUDNESS`; None if there is nothing to hear."""
    samples = pcm / FULL_SCALE
    offset = float(samples.mean())
    if abs(offset) > _OFFSET:
        said.append(Finding(OFFSET, f"{offset:.3f} of full scale", f"{_OFFSET} at most"))
        samples = samples - offset
    frame = max(1, round(_FRAME * rate))
    power_t = np.square(np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)).mean(axis=1)
    heard_t = power_t > max(power_t.max() * 10 ** (-_SILENT_UNDER / 10), 10 ** (_SILENT_BELOW / 10))
    if not heard_t.any():
        level = _decibels(float(power_t.max()))
        said.append(Finding(NOTHING_TO_HEAR, f"{level:.0f} dBFS at its loudest", f"more than {_SILENT_BELOW:g} dBFS"))
        return None
    first, last = np.flatnonzero(heard_t)[[0, -1]] * frame
    start, stop = max(0, first - round(SILENCE_KEPT * rate)), last + frame + round(SILENCE_KEPT * rate)
    if (cut := len(samples) - len(samples[start:stop])) > frame:
        said.append(Finding(TRIMMED, f"{cut / rate + 2 * SILENCE_KEPT:.2f} s at the ends", f"{2 * SILENCE_KEPT:g} s"))
        samples = samples[start:stop]
    loudness = _decibels(float(power_t[heard_t].mean()))
    gain = min(LOUDNESS - loudness, _decibels((PEAK / float(np.abs(samples).max())) ** 2))
    if abs(gain) > _NEAR:
        said.append(Finding(LEVELLED, f"{loudness:.1f} dBFS", f"{loudness + gain:.1f} dBFS"))
        samples = samples * 10 ** (gain / 20)
    return samples


def _at_one_rate(clips: list[_Mended], folder: Path, findings: list[Finding], report: Report) -> int:
    """Bring recordings to the rate that most of them have, the lower one of two; what it is, Hz."""
    counts = Counter(clip.sample_rate for clip in clips)
    rate = min(counts, key=lambda hertz: (-counts[hertz], hertz))
    others = [mended for mended in clips if mended.sample_rate != rate]
    for mended in watched(others, "resampling", len(others), report):
        path, clip = folder / f"{mended.clip.id}.wav", mended.clip
        samples = librosa.resample(sf.read(path)[0], orig_sr=mended.sample_rate, target_sr=rate)
        sf.write(path, _as_pcm(samples), rate)
        found = Finding(RESAMPLED, f"{mended.sample_rate} Hz", f"{rate} Hz", clip.id, clip.audio.name, clip.row)
        findings.append(found)
    return rate


def _write_lists(clips: Sequence[_Mended], offer: Offer, findings: Sequence[Finding], folder: Path) -> None:
    """Write the list of the copy, whose columns have names if there are more than two, and what was done."""
    columns = {"file_name": [f"wavs/{mended.clip.id}.wav" for mended in clips], "text": [m.text for m in clips]}
    speakers, languages = [m.clip.speaker for m in clips], [m.clip.language for m in clips]
    if len(set(speakers)) > 1:
        columns["speaker_name"] = [_in_a_field(speaker) for speaker in speakers]
    if len(set(languages)) > 1:
        columns["language"] = languages
    rows = list(zip(*columns.values(), strict=True))
    if len(columns) == 2:
        rows = [(mended.clip.id, mended.text) for mended in clips]
    else:
        rows.insert(0, tuple(columns))
    (folder / "metadata.csv").write_text("".join("|".join(row) + "\n" for row in rows), encoding="utf-8")
    kept = {mended.clip.id for mended in clips}
    with open(folder / CHANGES, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "file", "row", "copied", "kind", "found", "expected"])
        for finding in findings:
            copied = {"": ""}.get(finding.id, "yes" if finding.id in kept else "no")
            where = [finding.id, finding.file, finding.row, copied]
            table.writerow([*where, finding.kind.name, finding.found, finding.expected])
    changed = f"\nChanged by `myxtts data fix`; {CHANGES} says what of each clip.\n"
    (folder / ATTRIBUTION).write_text(offer.attribution + changed, encoding="utf-8")


def _about_text(text: str) -> list[Finding]:
    mended = _mend_text(text)
    if not mended:
        return [Finding(NO_TEXT, repr(text[:60]), "what is said")]
    return [] if mended == text else [Finding(TEXT_MENDED, repr(text[:60]), repr(mended[:60]))]


def _mend_text(text: str) -> str:
    """What was read in a wrong encoding as it was before, in composed letters, in a line that can stand in a list."""
    return _in_a_field(unicodedata.normalize("NFC", ftfy.fix_encoding(text)))


def _in_a_field(text: str) -> str:
    return re.sub(r"[\s|\x00]+", " ", text).strip()


def _as_pcm(samples: npt.NDArray[Any]) -> Pcm:
    pcm: Pcm = np.rint(samples * FULL_SCALE).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return pcm


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, 1e-12)))
