"""Where speech comes from. A source is a module with a function `offer`, listed here under its name in presets."""

from data.sources import debian_prompts, espeak, ljspeech

SOURCES = {"debian_prompts": debian_prompts.offer, "ljspeech": ljspeech.offer, "espeak": espeak.offer}
