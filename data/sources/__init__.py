"""Where speech comes from. A source is a module with a function `offer`, listed here under its name in presets."""

from collections.abc import Mapping

from configs.schema import Source
from data.sources import espeak
from data.sources.base import OfferOf
from data.sources.debian import voices
from data.sources.recordings import offers as recordings

SOURCES: Mapping[Source, OfferOf] = {
    "debian_prompts": voices.offer_prompts,
    "debian_voices": voices.offer,
    "recordings": recordings.offer,
    "espeak": espeak.offer,
}
