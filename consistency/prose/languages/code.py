"""The names of settings, as presets and programs write them. Read beside every language."""

from __future__ import annotations

from consistency.prose.language import Language
from consistency.prose.vocabulary import COMPONENTS, SIZES

_SETTINGS = (
    *(f"{name}_{size}" for name in COMPONENTS for size in SIZES),
    *("batch_size", "batch_frames", "sample_rate", "n_fft", "hop_length", "n_mels", "fmin", "fmax", "trim_db"),
    *("text_vocab_size", "feed_forward_ratio", "speaker_embedding_dim", "prenet_dim", "postnet_dim", "path_width"),
    *("reduction_factor", "use_voice_conditioning", "voice_conditioning_layers", "voice_similarity_threshold"),
    *("reference_frames", "prenet_dropout", "warmup_steps"),
)

CODE = Language(
    attributes=(
        *((name, name) for name in _SETTINGS),
        # under the names that other programs give them
        ("speaker_embedding_dim", r"speaker_dim"),
        ("audio_encoder_dim", r"audio_features"),
        ("n_mels", r"num_mels"),
        ("hop_length", r"hop_size"),
        ("n_fft", r"fft_size"),
        ("head_dim", r"hd|d_head|d_k"),
        ("feed_forward", r"d_ff"),
        ("layers", r"(?:num|n|encoder|transformer)_(?:layers?|blocks?)"),
        ("heads", r"(?:num|n)_(?:attention_)?heads"),
        ("dim", r"d_model"),
    ),
    supposed=r"\b(?:model_copy|_replace|dataloader)\b|\b(?:update=|replace\()|(?:^|\s)(?:--set|-S)\s",
)
