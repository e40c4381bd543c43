from pathlib import Path

import matplotlib.image
import numpy as np
from matplotlib.figure import Figure

from configs.schema import Audio
from evaluation.listening import Utterance
from evaluation.pictures import alignment_picture, mel_picture, save_figure


def test_mels_share_their_scales(utterances: list[Utterance], audio: Audio) -> None:
    half = utterances[5]
    above, below = mel_picture(half.recording_mel_tm, half.mel_tm, audio, half.id).axes
    assert half.recording is not None
    assert above.get_xlim() == below.get_xlim() == (0, len(half.recording) // 256 * 256 / 16000)
    assert above.images[0].get_clim() == below.images[0].get_clim()
    ticks = {label.get_text(): tick for tick, label in zip(below.get_yticks(), below.get_yticklabels(), strict=True)}
    assert list(ticks) == ["500", "1000", "2000", "4000"]
    assert 0 < ticks["500"] < ticks["4000"] < audio.n_mels


def test_speech_without_recording_has_one_panel(utterances: list[Utterance], audio: Audio) -> None:
    assert len(mel_picture(None, utterances[1].mel_tm, audio, "far").axes) == 1


def test_many_tokens_stay_readable() -> None:
    axes = alignment_picture(np.eye(300, dtype=np.float32), ["ə"] * 300, "long").axes[0]
    assert 30 <= len(axes.get_yticks()) <= 60


def test_equal_figures_have_equal_bytes(tmp_path: Path) -> None:
    def figure() -> Figure:
        return alignment_picture(np.eye(8, dtype=np.float32), list("ˈabcdeʃ$"), "a $ and a _")

    save_figure(figure(), tmp_path / "a.png")
    save_figure(figure(), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert b"Software" not in (tmp_path / "a.png").read_bytes()
    assert matplotlib.image.imread(tmp_path / "a.png").std() > 0.05
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
