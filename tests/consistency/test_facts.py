from __future__ import annotations

import pytest

from configs.schema import load_config
from consistency.facts import model_facts


def test_facts_of_the_full_model_are_those_of_its_weights() -> None:
    facts = model_facts(load_config("full").model)
    assert (facts["text_encoder_dim"], facts["text_encoder_layers"], facts["text_encoder_heads"]) == (512, 8, 8)
    assert (facts["audio_encoder_dim"], facts["audio_encoder_layers"], facts["audio_encoder_heads"]) == (768, 8, 12)
    assert (facts["decoder_dim"], facts["decoder_layers"], facts["decoder_heads"]) == (1536, 16, 24)
    assert {facts[f"{name}_head_dim"] for name in ("text_encoder", "audio_encoder", "decoder")} == {64}
    shares = [facts[f"{name}_capacity_percent"] for name in ("text_encoder", "audio_encoder", "decoder")]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert shares[2] > 80
