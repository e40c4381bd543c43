from pathlib import Path

import numpy as np
import pytest
import torch

from configs.schema import Audio, Data
from configs.schema import Vocoder as Settings
from data.audio import trimmed_audio
from data.building import build_corpus
from data.corpus import read_corpus
from data.mel import log_mel
from model import vocoder as vocoder_module
from model.vocoder import SourceFilterVocoder, griffin_lim, vocode
from model.vocoder_training import Clip, measure, pitch_errors, pitch_labels, stft_distance, train_vocoder

AUDIO = Audio(sample_rate=16000, n_fft=1024, hop_length=256, n_mels=80)
WIDER = AUDIO.model_copy(update={"sample_rate": 22050})
SETTINGS = Settings(griffin_lim_iterations=10, pitch_steps=15, filter_steps=60, batch_size=4, segment_frames=24)


def clip(path: Path, audio: Audio) -> Clip:
    samples = trimmed_audio(path, audio)
    return samples, log_mel(torch.from_numpy(samples)[None], audio)[0].numpy()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four recorded English prompts."""
    folder = tmp_path_factory.mktemp("prompts") / "corpus"
    build_corpus(Data(source="debian_prompts", languages=["en"], max_clips=4, batch_size=4), folder)
    return [clip.path for clip in read_corpus(folder)]


@pytest.fixture(scope="module")
def clips(paths: list[Path]) -> list[Clip]:
    return [clip(path, AUDIO) for path in paths]


@pytest.fixture(scope="module")
def mel_tm(clips: list[Clip]) -> torch.Tensor:
    return torch.from_numpy(clips[0][1])


@pytest.fixture(scope="module")
def untrained() -> SourceFilterVocoder:
    """Its filters are the mel's envelope, and its pitch is whatever it is given."""
    torch.manual_seed(0)
    return SourceFilterVocoder(AUDIO)


def white_noise(samples: int) -> torch.Tensor:
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(0))


def test_griffin_lim_makes_a_waveform_with_that_mel(mel_tm: torch.Tensor) -> None:
    def error(iterations: int) -> float:
        waveform_s = griffin_lim(mel_tm, AUDIO, iterations)
        assert len(waveform_s) == len(mel_tm) * AUDIO.hop_length and waveform_s.abs().max() <= 1
        return float((log_mel(waveform_s[None], AUDIO)[0] - mel_tm).abs().mean())

    assert error(40) < 0.18 < error(2)


def test_the_neural_vocoder_makes_a_waveform_with_that_mel(
    clips: list[Clip], mel_tm: torch.Tensor, untrained: SourceFilterVocoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pitch_bh, noise_bs = torch.from_numpy(pitch_labels(clips[0][0], AUDIO))[None], white_noise(len(clips[0][0]))

    def error() -> float:
        with torch.inference_mode():
            waveform_bs = untrained(mel_tm[None], pitch_bh, noise_bs)
        return float((log_mel(waveform_bs, AUDIO)[0] - mel_tm).abs().mean())

    matched = error()
    monkeypatch.setattr(vocoder_module, "LARGEST_CORRECTION", 0.0)
    assert matched < 0.7 * error()


@pytest.mark.parametrize("neural", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_mels_are_spoken(
    mel_tm: torch.Tensor, untrained: SourceFilterVocoder, frames: int, neural: bool
) -> None:
    waveform_s = vocode(mel_tm[:frames], AUDIO, untrained if neural else None, 2)
    assert len(waveform_s) == frames * AUDIO.hop_length and waveform_s.isfinite().all()


@pytest.mark.parametrize("neural", [False, True])
def test_the_seed_decides_the_waveform(mel_tm: torch.Tensor, untrained: SourceFilterVocoder, neural: bool) -> None:
    first, again, other = (vocode(mel_tm, AUDIO, untrained if neural else None, 3, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.allclose(first, other, atol=1e-3)


@pytest.mark.parametrize("neural", [False, True])
def test_a_loud_mel_does_not_clip(mel_tm: torch.Tensor, untrained: SourceFilterVocoder, neural: bool) -> None:
    waveform_s = vocode(mel_tm + 1.0, AUDIO, untrained if neural else None, 3)
    assert waveform_s.abs().max() <= 1
    assert (waveform_s.abs() > 0.999).float().mean() < 0.01, "the gain falls, the peaks are not cut off"


@pytest.mark.parametrize("audio", [AUDIO, WIDER], ids=["16000 Hz", "22050 Hz"])
def test_the_neural_vocoder_fits_any_sample_rate(paths: list[Path], audio: Audio) -> None:
    samples, mel = clip(paths[0], audio)
    torch.manual_seed(0)
    vocoder = SourceFilterVocoder(audio)
    waveform_s = vocode(torch.from_numpy(mel), audio, vocoder, 1)
    assert waveform_s.dtype == torch.float32 and len(waveform_s) == len(samples)
    with torch.inference_mode():
        pitch_bh = torch.from_numpy(pitch_labels(samples, audio))[None]
        waveform_bs = vocoder(torch.from_numpy(mel)[None], pitch_bh, white_noise(len(samples)))
    assert 0.7 < waveform_bs.norm() / np.linalg.norm(samples) < 1.4, "untrained, it has the mel's loudness"


def test_what_follows_a_mel_changes_only_its_end(mel_tm: torch.Tensor, untrained: SourceFilterVocoder) -> None:
    padded_tm = torch.cat([mel_tm, mel_tm.new_full((30, AUDIO.n_mels), -9.2)])
    unchanged = (len(mel_tm) - 32) * AUDIO.hop_length
    alone, padded = (vocode(mel, AUDIO, untrained, 1)[:unchanged] for mel in (mel_tm, padded_tm))
    torch.testing.assert_close(alone, padded, atol=1e-3, rtol=0)


def test_mels_in_a_batch_do_not_hear_each_other(clips: list[Clip], untrained: SourceFilterVocoder) -> None:
    mel_btm = torch.stack([torch.from_numpy(mel[:40]) for _, mel in clips])
    pitch_bh = torch.stack([torch.from_numpy(pitch_labels(samples, AUDIO)[:80]) for samples, _ in clips])
    noise_bs = white_noise(40 * AUDIO.hop_length).expand(len(clips), -1)
    with torch.inference_mode():
        together = untrained(mel_btm, pitch_bh, noise_bs)
        one_by_one = zip(mel_btm.split(1), pitch_bh.split(1), noise_bs.split(1), strict=True)
        alone = torch.cat([untrained(*one) for one in one_by_one])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)


def test_the_pitch_it_is_given_is_the_pitch_that_is_heard(untrained: SourceFilterVocoder) -> None:
    """A glide from 90 to 350 Hz, silence in the middle, through an even mel."""
    pitch_h = np.geomspace(90, 350, 400).astype(np.float32)
    pitch_h[180:220] = 0
    samples = 200 * AUDIO.hop_length
    with torch.inference_mode():
        made_bs = untrained(torch.full((1, 200, 80), -3.0), torch.from_numpy(pitch_h)[None], white_noise(samples))
    errors = pitch_errors(pitch_labels(made_bs[0].numpy(), AUDIO), pitch_h)
    assert errors["gross_pitch_error"] == 0 and errors["pitch_cents"] < 10 and errors["voicing_error"] < 0.03


def test_the_pitch_of_a_recording_is_a_voice(clips: list[Clip]) -> None:
    for samples, mel in clips:
        pitch_h = pitch_labels(samples, AUDIO)
        voiced_h = pitch_h[pitch_h > 0]
        assert len(pitch_h) == 2 * len(mel) and 0.4 < len(voiced_h) / len(pitch_h) < 0.95
        assert 150 < np.median(voiced_h) < 260, "the speaker is a woman"


def test_stft_distance_ranks_a_recording_its_griffin_lim_and_noise(clips: list[Clip]) -> None:
    samples, mel = clips[0]
    true_bs = torch.from_numpy(samples)[None]
    classic_bs = griffin_lim(torch.from_numpy(mel), AUDIO, 20)[None]
    noise_bs = white_noise(len(samples)) * true_bs.std()
    same, classic, noise = (float(stft_distance(x, true_bs, AUDIO)) for x in (true_bs, classic_bs, noise_bs))
    assert same == 0 and 0.5 < classic < 1.5 < noise


def test_pitch_errors_of_a_track_known_by_heart() -> None:
    true_h = np.array([0, 0, 100, 100, 100, 200], np.float32)
    made_h = np.array([0, 90, 0, 100, 200, 200 * 2 ** (30 / 1200)], np.float32)
    errors = pitch_errors(made_h, true_h)
    assert errors == pytest.approx({"voicing_error": 2 / 6, "gross_pitch_error": 1 / 3, "pitch_cents": 15}, rel=1e-4)


def test_a_short_training_helps_and_repeats_to_the_byte(clips: list[Clip]) -> None:
    def train() -> tuple[dict[str, bytes], dict[str, float], list[dict[str, float]]]:
        history: list[dict[str, float]] = []
        vocoder, figures = train_vocoder(
            clips[1:], clips[:1], AUDIO, SETTINGS, seed=3, threads=1, on_step=lambda _, losses: history.append(losses)
        )
        figures.pop("real_time_factor")  # the clock's
        return {name: x.numpy().tobytes() for name, x in vocoder.state_dict().items()}, figures, history

    weights, figures, history = train()
    torch.manual_seed(3)
    before = measure(SourceFilterVocoder(AUDIO), clips[:1], AUDIO, SETTINGS, seed=3)
    assert figures["stft_distance"] < before["stft_distance"] - 0.02
    assert [*history[0]] == ["pitch_loss"] and [*history[-1]] == ["filter_loss"] and len(history) == 75
    assert history[14]["pitch_loss"] < history[0]["pitch_loss"]

    torch.rand(7)  # what others draw does not matter
    assert train() == (weights, figures, history)


def test_training_without_clips_to_measure_by_is_refused(clips: list[Clip]) -> None:
    with pytest.raises(ValueError, match="no held-out clips"):
        train_vocoder(clips, [], AUDIO, SETTINGS, seed=3, threads=1, on_step=lambda _, losses: None)
