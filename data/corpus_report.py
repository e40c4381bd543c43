"""How much speech a corpus holds, of whom, in which languages and sounds, and what others came to with how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from common.files import replacing
from data.corpus import CorpusClip
from data.text import readings
from data.vocabulary import SILENT, SYMBOLS

RARE = 20
"""A phone that is said less often is not learned well."""

_WORDS = 3  # examples of a rare phone
_BINS = 20
_SHOWN = 10  # speakers and phones in a terminal

_MEASURES = (("duration", "s"), ("speech_rate", "phones a second"), ("loudness", "dBFS"))


class Reached(NamedTuple):
    """What a measured run came to; `benchmarks/README.md` says how it was measured."""

    speech: str
    cer: str
    recordings: str


REACHED = (Reached("23.7 minutes of one English voice, three trainings of the preset demo", "0.170 to 0.182", "0.150"),)
"""Character error rate of speech from held-out texts, and of the recordings."""


@dataclass(frozen=True)
class Share:
    """What one speaker said in one language."""

    speaker: str
    language: str
    clips: int
    minutes: float


@dataclass(frozen=True)
class Phone:
    """How often a phone is said in a language, with words that have it if that is rare."""

    language: str
    phone: str
    count: int
    words: list[str]


@dataclass(frozen=True)
class Histogram:
    """How many clips lie between each two of the edges."""

    measure: str
    unit: str
    median: float
    edges: list[float]
    counts: list[int]


@dataclass(frozen=True)
class CorpusReport:
    """What there is to know of a corpus before it is learned from."""

    clips: int
    minutes: float
    shares: list[Share]
    """Largest first."""
    phones: list[Phone]
    """Rarest first."""
    histograms: list[Histogram]

    @property
    def rare(self) -> list[Phone]:
        """The phones that are said less often than `RARE`."""
        return [phone for phone in self.phones if phone.count < RARE]

    def minutes_by(self, what: str) -> dict[str, float]:
        """Minutes of each `speaker` or each `language`, most first."""
        minutes: dict[str, float] = {}
        for share in self.shares:
            name = getattr(share, what)
            minutes[name] = minutes.get(name, 0.0) + share.minutes
        return dict(sorted(minutes.items(), key=lambda item: -item[1]))

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            **asdict(self),
            "minutes_by_speaker": self.minutes_by("speaker"),
            "minutes_by_language": self.minutes_by("language"),
            "rare_below": RARE,
            "reached": [run._asdict() for run in REACHED],
        }

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        speakers, languages = self.minutes_by("speaker"), self.minutes_by("language")
        yield (
            f"{clock(self.minutes)} in {self.clips:,} clips, speakers: {len(speakers):,}, "
            f"languages: {', '.join(languages)}"
        )
        for share in self.shares[:_SHOWN]:
            yield f"  {share.speaker} ({share.language}): {clock(share.minutes)} in {share.clips:,} clips"
        yield from _more(len(self.shares), "speakers")
        for shape in self.histograms:
            values = f"{shape.edges[0]:.3g} to {shape.edges[-1]:.3g} {shape.unit}, half below {shape.median:.3g}"
            yield f"{_name(shape.measure)}: {values}"
        yield f"phones said less than {RARE} times: {len(self.rare)} of {len(self.phones)}"
        for phone in self.rare[:_SHOWN]:
            words = f", as in {', '.join(phone.words)}" if phone.words else ""
            yield f"  {phone.phone} ({phone.language}): {phone.count}{words}"
        yield from _more(len(self.rare), "phones")
        for run in REACHED:
            yield f"measured: {run.speech}: character error rate {run.cer} (recordings {run.recordings})"


def report_corpus(corpus: Sequence[CorpusClip], measures: pd.DataFrame) -> CorpusReport:
    """What there is to know of a corpus that is not empty and its `data.clip_measures.measure`.

    Clips that cannot be decoded count as no minutes.
    """
    clips = measures[["speaker", "language", *(name for name, _ in _MEASURES)]].copy()
    clips["minutes"] = clips["duration"].fillna(0) / 60
    totals = clips.groupby(["speaker", "language"], sort=True)["minutes"].agg(["size", "sum"])
    shares = [
        Share(str(speaker), str(language), int(size), float(minutes))
        for (speaker, language), size, minutes in totals.itertuples(name=None)
    ]
    return CorpusReport(
        clips=len(clips),
        minutes=float(clips["minutes"].sum()),
        shares=sorted(shares, key=lambda share: (-share.minutes, share.speaker)),
        phones=sorted(_phones(corpus), key=lambda phone: (phone.count, phone.language, phone.phone)),
        histograms=[_histogram(clips[name].dropna(), name, unit) for name, unit in _MEASURES if clips[name].any()],
    )


def write_page(report: CorpusReport, preset: str, path: Path) -> None:
    """A page of the report, self-contained."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.globals |= {"clock": clock, "name": _name}
    html = environment.get_template("corpus_report.html.j2").render(
        report=report, preset=preset, rare_below=RARE, reached=REACHED
    )
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def clock(minutes: float) -> str:
    """Minutes as people say them."""
    return f"{minutes:.1f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"


def _phones(corpus: Sequence[CorpusClip]) -> Iterator[Phone]:
    for language in sorted({clip.language for clip in corpus}):
        texts = [clip.text for clip in corpus if clip.language == language]
        said = [[s for s in reading.tokens.symbols if s not in SILENT] for reading in readings(texts, language)]
        counts = Counter(symbol for symbols in said for symbol in symbols)
        words = _examples(texts, said, {symbol for symbol, count in counts.items() if count < RARE}, language)
        for symbol, count in counts.items():
            yield Phone(language, SYMBOLS[symbol], count, words.get(symbol, []))


def _examples(
    texts: Sequence[str], said: Sequence[Sequence[int]], rare: set[int], language: str
) -> dict[int, list[str]]:
    """Words of the texts that have rare phones, for each phone some."""
    candidates = {
        word: None  # a set that keeps its order
        for text, symbols in zip(texts, said, strict=True)
        if rare.intersection(symbols)
        for word in (part.strip(".,;:!?…\"'()«»“”¡¿ ").lower() for part in text.split())
        if word
    }
    found: dict[int, list[str]] = {symbol: [] for symbol in rare}
    for word, reading in zip(candidates, readings(list(candidates), language), strict=True):
        for symbol in rare.intersection(reading.tokens.symbols):
            found[symbol].append(word)
    return {symbol: words[:_WORDS] for symbol, words in found.items()}


def _histogram(values: pd.Series[float], measure: str, unit: str) -> Histogram:
    counts, edges = np.histogram(values, _BINS)
    return Histogram(measure, unit, float(values.median()), edges.tolist(), counts.tolist())


def _more(count: int, what: str) -> list[str]:
    return [f"  and {count - _SHOWN:,} more {what}"] if count > _SHOWN else []


def _name(measure: str) -> str:
    return measure.replace("_", " ")
