import librosa
import numpy as np
import pytest
from speechmos import dnsmos as reference_dnsmos

from data.corpus import CorpusClip
from data.text import normalize
from evaluation import judges
from evaluation.judges import asr_identity, dnsmos, error_rates, lengths, transcribe
from evaluation.listening import Floats


@pytest.fixture(scope="module")
def heard(recordings: list[Floats]) -> list[str]:
    return transcribe(recordings, 16000, workers=1)


def test_recordings_are_transcribed_so_that_they_are_understood(clips: list[CorpusClip], heard: list[str]) -> None:
    references = [normalize(clip.text, "en") for clip in clips]
    right = np.mean([error_rates(text, words)[0] for text, words in zip(references, heard, strict=True)])
    wrong = np.mean(
        [error_rates(text, words)[0] for text, words in zip(references[1:] + references[:1], heard, strict=True)]
    )
    assert right < 0.35
    assert wrong > 2 * right


def test_order_and_workers_change_no_transcript(recordings: list[Floats], heard: list[str]) -> None:
    assert transcribe(recordings[::-1], 16000, workers=2)[::-1] == heard


def test_nothing_is_transcribed_of_silence() -> None:
    assert transcribe([np.zeros(n, np.float32) for n in (0, 1, 100)], 16000, workers=1) == ["", "", ""]


def test_other_sample_rates_are_understood(clips: list[CorpusClip], recordings: list[Floats], heard: list[str]) -> None:
    finer = librosa.resample(recordings[0], orig_sr=16000, target_sr=22050)
    text = normalize(clips[0].text, "en")
    again = transcribe([finer], 22050, workers=1)[0]
    assert error_rates(text, again)[0] == pytest.approx(error_rates(text, heard[0])[0], abs=0.1)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "cer", "wer"),
    [
        ("Don't stop, forty-two!", "dont stop forty two", 0.0, 0.0),
        ("abcd", "abcx", 0.25, 1.0),
        ("one two three four", "one two four", 6 / 18, 0.25),
        ("one two", "", 1.0, 1.0),
        ("go", "go go go", 3.0, 2.0),
    ],
)
def test_error_rates(reference: str, hypothesis: str, cer: float, wer: float) -> None:
    assert error_rates(reference, hypothesis) == pytest.approx((cer, wer))


def test_error_rates_are_edits_over_lengths() -> None:
    assert lengths("It's  seven, o-clock.") == (len("its seven o clock"), 4)
    with pytest.raises(ValueError, match="at least one word"):
        error_rates("…", "hello")


def test_dnsmos_is_that_of_speechmos(recordings: list[Floats]) -> None:
    long = np.concatenate(recordings[:4])[: 16000 * 11]
    expected = [reference_dnsmos.run(sound, 16000)["ovrl_mos"] for sound in (recordings[0], long)]
    short_score, long_score = dnsmos([recordings[0], long], 16000, workers=2)
    assert long_score == pytest.approx(expected[1], abs=1e-4)
    assert short_score == pytest.approx(expected[0], abs=0.1)  # repeated to fill one window, not several


def test_dnsmos_prefers_speech_without_noise(recordings: list[Floats]) -> None:
    noise = np.random.default_rng(0).normal(scale=0.02, size=recordings[0].size).astype(np.float32)
    clean, noisy, nothing = dnsmos([recordings[0], recordings[0] + noise, recordings[0][:0]], 16000, workers=1)
    assert 2.5 < clean < 4
    assert max(noisy, nothing) < clean - 0.3


def test_the_identity_of_the_recogniser_changes_with_what_it_hears_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = asr_identity()
    monkeypatch.setitem(judges._SETTINGS, "maxhmmpf", 100)
    other_settings = asr_identity()
    monkeypatch.setattr(judges, "version", lambda package: f"99 of {package}")
    other_version = asr_identity()
    assert len({usual, other_settings, other_version}) == 3
    assert "99 of pocketsphinx" in other_version
