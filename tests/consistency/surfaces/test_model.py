"""A network that is not what its preset says is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from common import ROOT
from configs.schema import load_config, presets
from consistency.surfaces.model import ModelSurface, check_model
from model.network import AudioEncoder, VoiceCloner
from model.sizes import PARTS


def test_the_models_of_all_presets_are_what_these_say() -> None:
    statements = list(ModelSurface(ROOT, presets()).read())
    assert len(statements) > 20 * len(presets())
    assert [statement for statement in statements if not statement.agrees] == []


def _without_last_layer(component: Any) -> None:
    component.layers = component.layers[:-1]


def _with_half_the_heads(component: Any) -> None:
    attention = component.layers[0].attention
    attention.query_key_value = nn.Linear(attention.query_key_value.in_features, 3 * 64 * attention.heads // 2)


def _wider(component: Any) -> None:
    attention = component.layers[0].attention
    attention.query_key_value = nn.Linear(attention.query_key_value.in_features + 64, 3 * 64 * attention.heads)


@pytest.mark.parametrize("component", ["text_encoder", "audio_encoder", "decoder"])
@pytest.mark.parametrize(
    ("size", "spoil"), [("layers", _without_last_layer), ("heads", _with_half_the_heads), ("dim", _wider)]
)
def test_a_network_that_is_not_what_its_preset_says_is_found(
    monkeypatch: pytest.MonkeyPatch, component: str, size: str, spoil: Callable[[Any], None]
) -> None:
    config = load_config("demo")
    build = VoiceCloner.__init__

    def build_wrongly(self: VoiceCloner, *arguments: Any) -> None:
        build(self, *arguments)
        spoil(self.get_submodule(PARTS[component]))

    monkeypatch.setattr(VoiceCloner, "__init__", build_wrongly)
    found = {finding.fact for finding in check_model(config) if not finding.agrees}
    assert f"{component}_{size}" in found


def test_a_network_with_another_speaker_width_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    build = AudioEncoder.__init__

    def build_wrongly(self: AudioEncoder, *arguments: Any) -> None:
        build(self, *arguments)
        self.speaker = nn.Linear(self.speaker.in_features, 64)

    monkeypatch.setattr(AudioEncoder, "__init__", build_wrongly)
    wrong = [finding for finding in check_model(load_config("demo")) if not finding.agrees]
    assert [(f.fact, f.value, f.expected) for f in wrong] == [("speaker_embedding_dim", 64, "128")]
