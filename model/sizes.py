"""What the shapes of a voice cloner's tensors say about its size, whether it was built or read from a file."""

from __future__ import annotations

from collections.abc import Mapping

from model import HEAD_DIM

PARTS = {"text_encoder": "text_encoder", "audio_encoder": "audio_encoder", "decoder": "mel_decoder"}
"""Components by the name that settings give them, and the module of each."""


def sizes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Settings that shapes give away, by name in `configs.schema.Model`; what cannot be read is left out."""
    found: dict[str, int] = {}

    def read(setting: str, tensor: str, axis: int, unit: int = 1) -> None:
        if tensor in shapes and axis < len(shapes[tensor]):
            found[setting] = shapes[tensor][axis] // unit

    for name, module in PARTS.items():
        attention = f"{module}.layers.0.attention.query_key_value.weight"
        read(f"{name}_dim", attention, 1)
        found[f"{name}_layers"] = _depth(shapes, f"{module}.layers.", ".attention.query_key_value.weight")
        read(f"{name}_heads", attention, 0, 3 * HEAD_DIM)
        read(f"{name}_feed_forward_dim", f"{module}.layers.0.feed_forward.up.weight", 0)
    read("text_vocab_size", "text_encoder.symbol.weight", 0)
    read("speaker_embedding_dim", "audio_encoder.speaker.weight", 0)
    read("n_mels", "mel_mean_m", 0)
    read("prenet_dim", "mel_decoder.prenet.0.weight", 0)
    read("postnet_dim", "mel_decoder.postnet.0.weight", 0)
    read("reduction_factor", "mel_decoder.out.weight", 0, found.get("n_mels", 1))
    read("reference_frames", "default_reference_tm", 0)
    found["voice_conditioning_layers"] = _depth(shapes, "mel_decoder.layers.", ".reference_attention.query.weight")
    return found


def _depth(shapes: Mapping[str, tuple[int, ...]], before: str, after: str) -> int:
    return sum(name.startswith(before) and name.endswith(after) for name in shapes)
