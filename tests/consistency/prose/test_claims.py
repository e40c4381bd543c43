"""Whether a claim is true, and how the truth is written in its place."""

from __future__ import annotations

from typing import Any

import pytest

from consistency.prose.claims import Claim, agrees, restate


def claim(stated: str, value: Any, fact: str = "decoder_dim") -> Claim:
    return Claim("full", fact, stated, value, 0, len(stated), 1)


@pytest.mark.parametrize(
    ("written", "truth", "new"),
    [
        (claim("1,024", 1024.0), 1536, "1,536"),
        (claim("1024", 1024.0), 768, "768"),
        (claim("۱٬۰۲۴", 1024.0), 1536, "۱٬۵۳۶"),
        (claim("Twelve", 12.0), 16, "Sixteen"),
        (claim("twelve", 12.0), 30, "30"),
        (claim("۰٫۸", 0.8, "voice_similarity_threshold"), 0.75, "۰٫۷۵"),
        (claim("12.5%", 12.5, "text_encoder_capacity_percent"), 3.84, "3.8%"),
        (claim("612.1M", 612.1e6, "decoder_parameters"), 612_789_296, "612.8M"),
        (claim("22k", 22000.0, "sample_rate"), 16000, "16k"),
        (claim("True", True, "use_voice_conditioning"), False, "False"),
        (claim("32", 32.0, "batch_size"), None, None),
    ],
)
def test_a_claim_is_restated_as_it_was_written(written: Claim, truth: Any, new: str | None) -> None:
    assert restate(written, truth) == new


def test_a_claim_of_a_measured_figure_may_be_rounded_and_of_a_setting_may_not() -> None:
    assert agrees(claim("88%", 88.0, "decoder_capacity_percent"), 87.8)
    assert not agrees(claim("87%", 87.0, "decoder_capacity_percent"), 87.8)
    assert agrees(claim("697M", 697e6, "parameters"), 696_673_585)
    assert agrees(claim("22 kHz", 22e3, "sample_rate"), 22050)
    assert not agrees(claim("1", 1.0, "voice_similarity_threshold"), 0.75)
    assert not agrees(claim("32", 32.0, "batch_size"), None)
