"""A page to judge a model by eye and ear: figures beside their ceilings, examples to hear, every utterance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.files import replacing
from configs.schema import Audio
from data.audio import Waveform
from evaluation.judges import asr_identity
from evaluation.listening import Utterance
from evaluation.pictures import alignment_picture, mel_picture, save_figure

if TYPE_CHECKING:
    import pandas as pd

HEADLINES = {
    "cer": ("Character error rate", "{:.1%}", "lower is better"),
    "wer": ("Word error rate", "{:.1%}", "lower is better"),
    "dnsmos": ("Overall quality (DNSMOS)", "{:.2f}", "1 to 5, higher is better"),
    "mel_l1": ("Log-mel distance", "{:.3f}", "lower is better"),
    "duration_ratio": ("Duration, speech : recording", "{:.2f}", "near 1 is better"),
    "diagonality": ("Attention on the path", "{:.1%}", "higher is better"),
    "ended_percent": ("Sentences that end", "{:.1f}%", "higher is better"),
    "rtf": ("Seconds of work for a second of speech", "{:.2f}", "lower is better"),
}
"""The figures at the top of the page: title, number format and how to read it."""


def write_page(
    folder: Path,
    title: str,
    metrics: Mapping[str, float],
    table: pd.DataFrame,
    examples: Sequence[Utterance],
    audio: Audio,
) -> Path:
    """Write `index.html`, `audio/` and `pictures/` into `folder` and return the page's path.

    `metrics` are those of `listening.summarize`, whose keys with `_vocoded` and `_recording` are the ceilings; others
    are listed below them. `examples` are rows of `table` (by id) to hear and see. Ids are used as file names.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    heard = table.set_index("id")
    for example in examples:
        for kind, waveform in _sounds(example).items():
            _write_wav(waveform, audio.sample_rate, folder / f"audio/{example.id}-{kind}.wav")
        mels = mel_picture(example.recording_mel_tm, example.mel_tm, audio, example.id)
        save_figure(mels, folder / f"pictures/{example.id}-mel.png")
        alignment = alignment_picture(example.attention_sn, example.symbols, example.id)
        save_figure(alignment, folder / f"pictures/{example.id}-alignment.png")

    shown = {key for name in HEADLINES for key in (name, f"{name}_vocoded", f"{name}_recording")}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    html = environment.get_template("page.html.j2").render(
        title=title,
        judge=asr_identity(),
        headlines=[
            (name, *labels, [(kind, metrics[key]) for kind, key in _ceilings(name) if key in metrics], metrics[name])
            for name, labels in HEADLINES.items()
            if name in metrics
        ],
        others={name: figure for name, figure in metrics.items() if name not in shown},
        examples=[(example, list(_sounds(example)), heard.loc[example.id]) for example in examples],
        columns=list(table.columns),
        rows=table.to_numpy(dtype=object).tolist(),
    )
    path = folder / "index.html"
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def _ceilings(name: str) -> list[tuple[str, str]]:
    return [("vocoded recording", f"{name}_vocoded"), ("recording", f"{name}_recording")]


def _sounds(example: Utterance) -> dict[str, Waveform]:
    sounds = {"speech": example.speech, "vocoded": example.vocoded, "recording": example.recording}
    return {kind: waveform for kind, waveform in sounds.items() if waveform is not None}


def _write_wav(waveform: Waveform, sample_rate: int, path: Path) -> None:
    import soundfile as sf

    with replacing(path) as temporary:
        sf.write(temporary, waveform.clip(-1.0, 1.0).astype(np.float32), sample_rate, format="WAV", subtype="PCM_16")
