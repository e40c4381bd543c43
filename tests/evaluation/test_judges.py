import numpy as np
import pytest
from speechmos import dnsmos as reference_dnsmos

from evaluation.judges import dnsmos, error_rates, lengths
from evaluation.listening import Floats


@pytest.mark.parametrize(
    ("reference", "hypothesis", "cer", "wer"),
    [
        ("Don't stop, forty-two!", "dont stop forty two", 0.0, 0.0),
        ("abcd", "abcx", 0.25, 1.0),
        ("one two three four", "one two four", 6 / 18, 0.25),
        ("one two", "", 1.0, 1.0),
        ("go", "go go go", 3.0, 2.0),
        ("хорошо ещё раз", "Хорошо, еще раз!", 0.0, 0.0),
        ("नमस्ते दुनिया", "नमस्ते, दुनिया।", 0.0, 0.0),
        ("नमस्ते", "नमसत", 2 / 6, 1.0),
        ("می\u200cروم", "ميروم", 0.0, 0.0),
        ("Straße", "STRASSE", 0.0, 0.0),
        ("cafe\u0301 cœur", "café coeur", 0.0, 0.0),
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
