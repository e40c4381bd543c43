"""Facts about a model, read off the network that a preset builds."""

from __future__ import annotations

from typing import Any

import torch

from configs.schema import Model
from model.layers import EncoderLayer
from model.network import DecoderLayer, VoiceCloner


def model_facts(config: Model) -> dict[str, Any]:
    """Widths, depths, heads, parameter counts and capacity shares (%) of each component, by its weights.

    The model is built on the meta device, so that even the largest costs neither memory nor time.
    """
    with torch.device("meta"):
        model = VoiceCloner(config)
    text, audio, decoder = model.text_encoder, model.audio_encoder, model.mel_decoder
    facts: dict[str, Any] = {}
    total = sum(p.numel() for p in model.parameters())
    for name, part in (("text_encoder", text), ("audio_encoder", audio), ("decoder", decoder)):
        layers: list[EncoderLayer | DecoderLayer] = list(part.layers)
        query = layers[0].attention.query.weight  # (heads * head width, dim)
        heads = {layer.attention.heads for layer in layers}
        parameters = sum(p.numel() for p in part.parameters())
        facts |= {
            f"{name}_dim": query.shape[1],
            f"{name}_layers": len(layers),
            f"{name}_heads": heads.pop() if len(heads) == 1 else sorted(heads),
            f"{name}_head_dim": query.shape[0] // layers[0].attention.heads,
            f"{name}_feed_forward_dim": layers[0].feed_forward.up.weight.shape[0],
            f"{name}_parameters": parameters,
            f"{name}_capacity_percent": round(100 * parameters / total, 1),
        }
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    return facts | {
        "parameters": total,
        "text_vocab_size": text.symbol.weight.shape[0],
        "speaker_embedding_dim": audio.speaker.weight.shape[0],
        "n_mels": shapes["mel_mean_m"][0],
        "prenet_dim": shapes["mel_decoder.prenet.0.weight"][0],
        "postnet_dim": shapes["mel_decoder.postnet.0.weight"][0],
        "voice_conditioning_layers": sum(layer.reference_attention is not None for layer in decoder.layers),
    }
