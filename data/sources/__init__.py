"""Where speech comes from. A source is a module with a function `offer`, listed here under its name in presets."""

from collections.abc import Mapping

from configs.schema import Source
from data.sources import debian_prompts, espeak, ljspeech
from data.sources.base import OfferOf

SOURCES: Mapping[Source, OfferOf] = {
    "debian_prompts": debian_prompts.offer,
    "ljspeech": ljspeech.offer,
    "espeak": espeak.offer,
}
