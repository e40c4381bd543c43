"""Holding synthesised speech against recordings: a row of measures for each utterance, and figures over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import pandas as pd

from common.progress import Report, silent
from data.audio import Waveform
from data.text import normalize
from evaluation.judges import dnsmos, error_rates, lengths
from evaluation.measures import CEILINGS, IN_A_LANGUAGE, in_a_language
from evaluation.recognisers import Recogniser, transcribe

Floats = npt.NDArray[np.float32]

COLUMNS = (
    *("id", "text", "language", "characters", "words", "cer", "wer", "cer_vocoded", "wer_vocoded", "cer_recording"),
    *("wer_recording", "dnsmos", "dnsmos_vocoded", "dnsmos_recording", "mel_l1", "duration_ratio", "diagonality"),
    *("ended", "rtf", "heard", "heard_vocoded", "heard_recording"),
)

_KINDS = ("", *CEILINGS)
_TEXTS = ("id", "text", "language", *(f"heard{kind}" for kind in _KINDS))


@dataclass(frozen=True)
class Utterance:
    """Speech made from a text and, where there is one, the recording it is compared with; silence trimmed alike.

    `vocoded` is the recording's own log-mel through the vocoder: the best that the model could do with it. An
    utterance without a recording (a text from elsewhere) leaves `recording`, `recording_mel_tm` and `vocoded` out.
    """

    id: str
    text: str
    language: str
    speech: Waveform
    mel_tm: Floats
    ended: bool
    """Whether the model stopped by itself, before its limit."""
    seconds_to_make: float
    attention_sn: Floats
    path_s: Floats
    """The token that each decoder step was to speak."""
    symbols: Sequence[str]
    recording: Waveform | None = None
    recording_mel_tm: Floats | None = None
    vocoded: Waveform | None = None


def listen(
    utterances: Sequence[Utterance],
    judge: Recogniser,
    sample_rate: int,
    workers: int,
    report: Report = silent,
    what: str = "listening",
) -> pd.DataFrame:
    """Judge utterances: a row for each, in their order, with the columns `COLUMNS`; `what` is reported as being done.

    Error rates and what was `heard` are given for texts with a word in them in a language that `judge` knows,
    comparisons where there is a recording; elsewhere they are missing. `rtf` is seconds of work for a second of speech,
    `mel_l1` the mean distance of log-mels along the best warping of time, `characters` and `words` are the weights of
    the error rates.
    """
    rows = []
    for utterance in utterances:
        n_characters, n_words = lengths(normalize(utterance.text, utterance.language))
        seconds = max(len(utterance.speech), 1) / sample_rate
        row: dict[str, Any] = {
            "id": utterance.id,
            "text": utterance.text,
            "language": utterance.language,
            "characters": n_characters,
            "words": n_words,
            "diagonality": diagonality(utterance.attention_sn, utterance.path_s),
            "ended": utterance.ended,
            "rtf": utterance.seconds_to_make / seconds,
        }
        if utterance.recording is not None and utterance.recording_mel_tm is not None:
            row["mel_l1"] = mel_distance(utterance.recording_mel_tm, utterance.mel_tm)
            row["duration_ratio"] = len(utterance.speech) / max(len(utterance.recording), 1)
        rows.append(row)
    _ask_judges(rows, utterances, judge, sample_rate, workers, report, what)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_table(path: Path) -> pd.DataFrame:
    """A table of `listen` that was written as CSV; its texts are texts, even `nan` and `007`."""
    table = pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, str), keep_default_na=False, na_values=[""])
    return table.assign(text=table["text"].fillna(""))


def summarize(table: pd.DataFrame) -> dict[str, float]:
    """Figures over all utterances of a table of `listen`, and of each language by itself those of `IN_A_LANGUAGE`.

    Error rates are edits of the whole corpus over its length. `utterances` counts all rows, `utterances_heard…` those
    behind the error rates of the speech and of its ceilings, `utterances_compared` those with a recording. A figure
    that no utterance has is left out.
    """
    figures = _figures(table)
    for language, rows in table.groupby("language"):
        own = _figures(rows)
        figures |= {in_a_language(name, str(language)): own[name] for name in IN_A_LANGUAGE}
    return {name: float(figure) for name, figure in figures.items() if pd.notna(figure)}


def _figures(table: pd.DataFrame) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "utterances": len(table),
        "utterances_compared": table["mel_l1"].notna().sum(),
        "ended_percent": 100 * table["ended"].mean(),
        "rtf": table["rtf"].median(),
        "mel_l1": table["mel_l1"].mean(),
        "diagonality": table["diagonality"].mean(),
        "duration_ratio": table["duration_ratio"].median(),
        "duration_ratio_p5": table["duration_ratio"].quantile(0.05),
        "duration_ratio_p95": table["duration_ratio"].quantile(0.95),
    }
    for kind in _KINDS:
        figures[f"utterances_heard{kind}"] = table[f"cer{kind}"].notna().sum()
        figures[f"cer{kind}"] = _corpus_rate(table, f"cer{kind}", "characters")
        figures[f"wer{kind}"] = _corpus_rate(table, f"wer{kind}", "words")
        figures[f"dnsmos{kind}"] = table[f"dnsmos{kind}"].mean()
    return figures


def _corpus_rate(table: pd.DataFrame, rate: str, weight: str) -> float:
    heard = table[table[rate].notna()]
    return float((heard[rate] * heard[weight]).sum() / max(heard[weight].sum(), 1)) if len(heard) else np.nan


def mel_distance(mel_am: Floats, mel_bm: Floats) -> float:
    """Mean absolute difference of two log-mels, (frames, bands), along their best warping in time."""
    costs, path = librosa.sequence.dtw(mel_am.T, mel_bm.T, metric="cityblock")
    return float(costs[-1, -1] / (len(path) * mel_am.shape[1]))


def diagonality(attention_sn: Floats, path_s: Floats) -> float:
    """Share of the attention that falls within one token of the path, 0 to 1."""
    near_sn = np.abs(np.arange(attention_sn.shape[1]) - path_s[:, None]) <= 1
    return float(attention_sn[near_sn].sum() / attention_sn.sum())


def _ask_judges(
    rows: list[dict[str, Any]],
    utterances: Sequence[Utterance],
    judge: Recogniser,
    sample_rate: int,
    workers: int,
    report: Report,
    what: str,
) -> None:
    """Add what the judges say of every waveform; one call to each, so that its workers start once."""
    sounds = [
        (row, kind, waveform)
        for row, utterance in zip(rows, utterances, strict=True)
        for kind, waveform in zip(_KINDS, (utterance.speech, utterance.vocoded, utterance.recording), strict=True)
        if waveform is not None
    ]
    spoken = [sound for sound in sounds if sound[0]["words"] and judge.hears(sound[0]["language"])]
    total = len(sounds) + len(spoken)
    scores = dnsmos([s[2] for s in sounds], sample_rate, workers, lambda _, done, *__: report(what, done, total))
    for (row, kind, _), score in zip(sounds, scores, strict=True):
        row[f"dnsmos{kind}"] = score
    texts = transcribe(
        judge,
        [waveform for _, _, waveform in spoken],
        [row["language"] for row, _, _ in spoken],
        sample_rate,
        lambda _, done, *__: report(what, len(sounds) + done, total),
        known=[kind in CEILINGS for _, kind, _ in spoken],
    )
    for (row, kind, _), heard in zip(spoken, texts, strict=True):
        reference, said = (normalize(text, row["language"]) for text in (row["text"], heard))
        row[f"heard{kind}"] = heard
        row[f"cer{kind}"], row[f"wer{kind}"] = error_rates(reference, said)
