"""A long recording and its text, such as a chapter or a talk, as clips of some seconds with theirs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np
import numpy.typing as npt
import soundfile as sf

from common.progress import Report, silent, watched
from data.audio import FULL_SCALE, AudioError, Pcm, Waveform, read_pcm
from data.cepstra import cepstra, with_differences
from data.long_alignment import Stretch, match
from data.problems import Finding, Kind
from data.sources.base import SourceClip
from data.text import readings, split_sentences
from data.vocabulary import has_sound
from data.voice_activity import RATE, speech_spans

NOT_READ = Kind(
    "not_read",
    "warning",
    "text of a long recording that was not heard in it, or read otherwise: no clip is made of it; "
    "correct the text if it should be one",
)
NOT_IN_TEXT = Kind(
    "not_in_text",
    "warning",
    "speech in a long recording that its text does not have: no clip is made of it; write it down if it should be one",
)

_PER_SECOND = 100  # frames that are aligned
_LONGEST_TEXT = 120  # characters of a sentence that is not cut at its commas
_SHORTEST, _LONGEST = 2.0, 12.0  # s: shorter clips are joined with what follows, up to the longest
_JOINED = 1.5  # longest pause in a clip, s
_KEPT = 0.15  # silence left at the ends of a clip, s
_FEWEST_BYTES = 700  # in which a second of speech is kept, whatever the codec
_UNNOTICED = 1.0  # speech without a text that is too short to be told of, s
_SHOWN = 60  # characters of a text in a finding
_BLOCK, _CONTEXT = 6000, 10  # frames whose cepstra are computed at once, and those before and after them

Spans = Sequence[tuple[float, float]]


class Cut(NamedTuple):
    """What a long recording is made of."""

    clips: list[tuple[SourceClip, Pcm]]
    """In order; ids are that of the recording and a number."""
    findings: list[Finding]


def cut_long_recordings(
    clips: Sequence[SourceClip], above: float, folder: Path, report: Report = silent
) -> tuple[list[SourceClip], list[Finding]]:
    """The clips, those of more than `above` seconds in parts whose audio is written into `folder`, and what was found.

    A recording that cannot be decoded stays as it is, as one of which nothing fits its text, for others to name.
    """
    short, findings = [], []
    for clip in watched(clips, "looking for long recordings", len(clips), report):
        parts = _parts(clip, folder, report) if _lasts_longer(clip.audio, above) else Cut([], [])
        short += [part for part, _ in parts.clips] or [clip]
        findings += parts.findings
    return short, findings


def cut_long(clip: SourceClip, pcm: Pcm, rate: int, report: Report = silent) -> Cut:
    """Cut a recording (mono, at `rate` Hz) that may take an hour into its sentences.

    Most clips last 2 to 12 s: short sentences are joined, a sentence without a pause at a comma stays whole. Sentences
    that were not heard and speech that is not written are no clips but findings.
    """
    sentences = _sentences(clip.text, clip.language)
    samples = librosa.resample(pcm / np.float32(FULL_SCALE), orig_sr=rate, target_sr=RATE)
    spans = speech_spans(samples)
    heard = _heard(samples, spans, sentences, clip.language, report) if spans and sentences else []
    clips = []
    for number, part in enumerate(_joined(heard, spans), start=1):
        start, stop = _edges(part, spans)
        start = max(start - _KEPT, part.start / _PER_SECOND)
        stop = min(stop + _KEPT, part.end / _PER_SECOND)
        text = " ".join(sentences[part.first : part.stop])
        named = replace(clip, id=f"{clip.id}-{number:04}", text=text)
        clips.append((named, pcm[round(start * rate) : round(stop * rate)]))
    return Cut(clips, [*_not_read(clip, heard, sentences), *_not_in_text(clip, heard, spans)])


def _lasts_longer(path: Path, seconds: float) -> bool:
    """Whether a recording lasts so long, by its header where that says so; not if it cannot be decoded."""
    if not path.is_file() or path.stat().st_size < seconds * _FEWEST_BYTES:
        return False
    try:
        return float(sf.info(path).duration) > seconds
    except sf.LibsndfileError:
        pass
    try:
        pcm, rate = read_pcm(path)
    except AudioError:
        return False
    return len(pcm) / rate > seconds


def _parts(clip: SourceClip, folder: Path, report: Report) -> Cut:
    try:
        pcm, rate = read_pcm(clip.audio)
    except AudioError:
        return Cut([], [])
    cut = cut_long(clip, pcm, rate, report)
    written = []
    for part, sound in cut.clips:
        audio = folder / f"{part.id}.flac"
        sf.write(audio, sound, rate, format="FLAC", subtype="PCM_16")
        written.append((replace(part, audio=audio), sound))
    return Cut(written, cut.findings)


def _sentences(text: str, language: str) -> list[str]:
    """The text in sentences; what has no sound, such as a line of stars, goes with the one before."""
    pieces = split_sentences(text, _LONGEST_TEXT)
    sentences: list[str] = []
    for piece, reading in zip(pieces, readings(pieces, language), strict=True):
        if has_sound(reading.tokens):
            sentences.append(piece)
        elif sentences:
            sentences[-1] += f" {piece}"
    return sentences


def _heard(samples: Waveform, spans: Spans, sentences: Sequence[str], language: str, report: Report) -> list[Stretch]:
    frames_tc = _long_cepstra(samples)
    speech_t = np.zeros(len(frames_tc), np.bool_)
    for start, stop in spans:
        speech_t[round(start * _PER_SECOND) : round(stop * _PER_SECOND)] = True
    pauses = [round((a[1] + b[0]) / 2 * _PER_SECOND) for a, b in itertools.pairwise(spans)]
    return match(frames_tc, speech_t, pauses, [r.tokens for r in readings(sentences, language)], report)


def _long_cepstra(samples: Waveform) -> npt.NDArray[np.float32]:
    """The cepstra of a recording in a memory that does not grow with its spectrum."""
    hop = RATE // _PER_SECOND
    blocks = []
    for first in range(0, 1 + len(samples) // hop, _BLOCK):
        before = min(first, _CONTEXT)
        block = cepstra(samples[(first - before) * hop : (first + _BLOCK + _CONTEXT) * hop], RATE, hop)
        blocks.append(block[before : before + _BLOCK])
    return with_differences(np.concatenate(blocks))


def _joined(heard: Sequence[Stretch], spans: Spans) -> Iterator[Stretch]:
    """Neighbours in text and sound become one where either is short, if they are not too long together."""
    waiting: Stretch | None = None
    for part in heard:
        if waiting is not None:
            start, stop = _edges(waiting, spans)
            after, end = _edges(part, spans)
            follows = waiting.stop == part.first and waiting.end == part.start and after - stop <= _JOINED
            short = min(stop - start, end - after) < _SHORTEST
            if follows and short and end - start <= _LONGEST:
                waiting = Stretch(waiting.first, part.stop, waiting.start, part.end)
                continue
            yield waiting
        waiting = part
    if waiting is not None:
        yield waiting


def _edges(part: Stretch, spans: Spans) -> tuple[float, float]:
    """When the speech of a stretch begins and ends, s."""
    inside = [(a, b) for a, b in spans if part.start <= (a + b) / 2 * _PER_SECOND <= part.end]
    return inside[0][0], inside[-1][1]


def _not_read(clip: SourceClip, heard: Sequence[Stretch], sentences: Sequence[str]) -> Iterator[Finding]:
    edges = [0, *(n for part in heard for n in (part.first, part.stop)), len(sentences)]
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        if first < stop:
            text = " ".join(sentences[first:stop])
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN].rsplit(' ', 1)[0]} …"
            found = f"no speech for “{shown}” ({stop - first} of {len(sentences)} parts of the text)"
            yield Finding(NOT_READ, found, "every sentence to be heard", clip.id, str(clip.audio), clip.row)


def _not_in_text(clip: SourceClip, heard: Sequence[Stretch], spans: Spans) -> Iterator[Finding]:
    edges = [0.0, *(frame / _PER_SECOND for part in heard for frame in (part.start, part.end)), float("inf")]
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        inside = [(a, b) for a, b in spans if start <= (a + b) / 2 < stop]
        seconds = sum(b - a for a, b in inside)
        if seconds >= _UNNOTICED:
            found = f"{seconds:.1f} s of speech from {_clock(inside[0][0])} to {_clock(inside[-1][1])} without a text"
            yield Finding(NOT_IN_TEXT, found, "all speech to be written", clip.id, str(clip.audio), clip.row)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{seconds % 60:04.1f}"
