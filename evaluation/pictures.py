"""Pictures of log-mels and attention. They hold no date and no version, so that equal data gives equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from common.files import replacing
from configs.schema import Audio

_HERTZ = (500, 1000, 2000, 4000, 8000)
_MOST_LABELS = 60


def mel_picture(
    mel_true_tm: npt.NDArray[np.float32] | None, mel_made_tm: npt.NDArray[np.float32], audio: Audio, title: str
) -> Figure:
    """Log-mels (frames, bands) of a recording, if there is one, and of the speech, on one scale of time and level."""
    panels = [("synthesised", mel_made_tm)]
    if mel_true_tm is not None:
        panels.insert(0, ("recording", mel_true_tm))
    figure = Figure(figsize=(9, 0.6 + 2.2 * len(panels)), dpi=110, layout="constrained")
    figure.suptitle(title, fontsize=10)
    centres = librosa.mel_frequencies(n_mels=audio.n_mels + 2, fmin=audio.fmin, fmax=audio.fmax)[1:-1]
    ticks = [hertz for hertz in _HERTZ if centres[0] <= hertz <= centres[-1]]
    levels = panels[0][1]
    for axes, (name, mel_tm) in zip(
        figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        seconds = len(mel_tm) * audio.hop_length / audio.sample_rate
        axes.imshow(
            mel_tm.T,
            aspect="auto",
            origin="lower",
            extent=(0, seconds, -0.5, audio.n_mels - 0.5),
            vmin=float(levels.min()),
            vmax=float(levels.max()),
            cmap="magma",
        )
        axes.set_yticks(np.interp(ticks, centres, np.arange(audio.n_mels)), [str(hertz) for hertz in ticks])
        axes.set_ylabel("Hz")
        axes.set_title(name, fontsize=9, loc="left")
    longest = max(len(mel_tm) for _, mel_tm in panels)
    axes.set_xlim(0, longest * audio.hop_length / audio.sample_rate)
    axes.set_xlabel("seconds")
    return figure


def alignment_picture(attention_sn: npt.NDArray[np.float32], symbols: Sequence[str], title: str) -> Figure:
    """Which token each decoder step attends to; `symbols` name the n tokens."""
    figure = Figure(figsize=(9, max(3.0, min(len(symbols), _MOST_LABELS) * 0.13)), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.imshow(attention_sn.T, aspect="auto", origin="lower", interpolation="nearest", vmin=0, cmap="magma")
    labelled = range(0, len(symbols), -(-len(symbols) // _MOST_LABELS))
    axes.set_yticks(list(labelled), [symbols[n] for n in labelled], fontsize=7, parse_math=False)
    axes.set_xlabel("decoder step")
    axes.set_ylabel("token")
    axes.set_title(title, fontsize=10)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
