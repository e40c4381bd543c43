"""A page to judge a model by eye and ear: figures beside their ceilings, examples to hear, every utterance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from common.files import replacing
from configs.schema import Audio
from data.audio import Waveform
from data.corpus import Credit
from evaluation.listening import Utterance
from evaluation.measures import (
    CEILINGS,
    IN_A_LANGUAGE,
    MEASURES,
    WITH_CEILINGS,
    in_a_language,
    languages_of,
    unheard,
    written,
)
from evaluation.pictures import alignment_picture, mel_picture, save_figure


def write_page(
    folder: Path,
    title: str,
    figures: Mapping[str, float],
    table: pd.DataFrame,
    examples: Sequence[Utterance],
    audio: Audio,
    judge: str,
    credits: Sequence[Credit] = (),
) -> Path:
    """Write `index.html`, `audio/` and `pictures/` into `folder` and return the page's path.

    Of the `figures`, those of `MEASURES` stand at the top, each with its ceilings, then those of each language; others
    are listed below them. `examples` are rows of `table` (by id) to hear and see. Ids are used as file names. `judge`
    is the identity of the recogniser; `credits` are the voices'.
    """
    heard = table.set_index("id")
    for example in examples:
        for kind, waveform in _sounds(example).items():
            _write_wav(waveform, audio.sample_rate, folder / f"audio/{example.id}-{kind}.wav")
        mels = mel_picture(example.recording_mel_tm, example.mel_tm, audio, example.id)
        save_figure(mels, folder / f"pictures/{example.id}-mel.png")
        alignment = alignment_picture(example.attention_sn, example.symbols, example.id)
        save_figure(alignment, folder / f"pictures/{example.id}-alignment.png")

    languages = languages_of(figures)
    at_the_top = {f"{far}{name}{kind}" for far in ("", "far_") for name in MEASURES for kind in ("", *CEILINGS)}
    by_language = {in_a_language(name, language) for name in IN_A_LANGUAGE for language in languages}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    html = environment.get_template("page.html.j2").render(
        title=title,
        judge=judge,
        figures=figures,
        measures=MEASURES,
        ceilings=CEILINGS,
        with_ceilings=WITH_CEILINGS,
        written=written,
        languages=languages,
        in_a_language=in_a_language,
        unheard=unheard(figures),
        others={name: figure for name, figure in figures.items() if name not in at_the_top | by_language},
        examples=[(example, list(_sounds(example)), heard.loc[example.id]) for example in examples],
        credits=credits,
        columns=list(table.columns),
        rows=table.to_numpy(dtype=object).tolist(),
    )
    path = folder / "index.html"
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def _sounds(example: Utterance) -> dict[str, Waveform]:
    sounds = {"speech": example.speech, "vocoded": example.vocoded, "recording": example.recording}
    return {kind: waveform for kind, waveform in sounds.items() if waveform is not None}


def _write_wav(waveform: Waveform, sample_rate: int, path: Path) -> None:
    with replacing(path) as temporary:
        sf.write(temporary, waveform.clip(-1.0, 1.0).astype(np.float32), sample_rate, format="WAV", subtype="PCM_16")
