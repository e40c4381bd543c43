"""What documents speak of, in whatever language: components, their attributes, and the facts that these make."""

from __future__ import annotations

from collections.abc import Sequence

from model.sizes import PARTS

COMPONENTS = tuple(PARTS)
"""The components that have every one of `SIZES`."""

ENCODERS = tuple(name for name in COMPONENTS if name.endswith("encoder"))

SOME_ENCODER = ("some encoder",)
"""What a text that leaves open which encoder it means is about."""

WHOLE_MODEL = ("model",)

VAGUE = (WHOLE_MODEL, SOME_ENCODER)
"""What counts only where nothing more exact is named.

The other components that texts may name are speaker, prenet, postnet and vocoder. The vocoder is no part of the model,
but its figures must not be taken for ours.
"""

SIZES = (
    *("dim", "layers", "heads", "head_dim"),
    *("feed_forward_dim", "feed_forward_ratio", "parameters", "capacity_percent"),
)
"""Attributes of each of `COMPONENTS`: text_encoder_dim and so on are facts."""

OF_OTHERS = {
    ("prenet", "dim"): "prenet_dim",
    ("postnet", "dim"): "postnet_dim",
    ("speaker", "dim"): "speaker_embedding_dim",
    ("model", "parameters"): "parameters",
    ("model", "feed_forward_ratio"): "feed_forward_ratio",
}
"""The facts that sizes of other components are."""

FITTING = {
    "%": ("capacity_percent", "parameters"),
    "x": ("feed_forward", "feed_forward_ratio", "depth_ratio"),
    "k": ("sample_rate", "batch_frames", "parameters"),
    **dict.fromkeys("mb", ("parameters",)),
}
"""What a number with a suffix can be about."""


def facts_named(components: Sequence[str], attribute: str) -> list[str]:
    """The facts that an attribute of some components is; none if there is no such thing."""
    if attribute not in SIZES:
        foreign = components == ("vocoder",) and attribute in ("batch_size", "warmup_steps")
        return [] if foreign else [attribute]
    components = ENCODERS if components == SOME_ENCODER else components
    facts = [f"{name}_{attribute}" if name in COMPONENTS else OF_OTHERS.get((name, attribute)) for name in components]
    return [fact for fact in facts if fact]
