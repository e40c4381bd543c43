"""Which preset a passage speaks of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from consistency.prose.passages import Passage
from consistency.prose.sentences import Sentence
from consistency.prose.words import PRESET, PRESET_AFTER

DEFAULT_PRESET = "full"
"""What a text is about that speaks of no preset."""


class Mentions:
    """Presets as a text comes to speak of them, passage by passage."""

    def __init__(self, presets: Sequence[str]) -> None:
        name = rf"({'|'.join(map(re.escape, presets))})"
        self._mention = re.compile(
            rf"`{name}`|\b(?:{PRESET})\W{{1,3}}{name}\b|\b{name}[`\"'»]?\s+(?:{PRESET_AFTER})\b"
            rf"|^\W*{name}\W*:|\bconfigs/{name}\b|\bload_config\(\s*[\"']{name}\b|\bmyxtts run {name}\b",
            re.I,
        )
        self._exact = re.compile(rf"\W*{name}(?: (?:{PRESET_AFTER}))?\s*(?:\(.*\))?\W*", re.I)
        self._last: dict[str, tuple[str, int]] = {}  # kind of passage -> preset and section of its last mention

    def preset(self, sentence: Sentence, passage: Passage) -> tuple[str, str]:
        """The preset that a sentence is about, and a doubt."""
        found = self._in(sentence.text, "said")
        if found:
            return found[-1], "the sentence names several presets" if len(found) > 1 else ""
        for intro in sentence.intros:
            if found := self._in(intro.text, intro.role):
                return found[-1], "what introduces it names several presets" if len(found) > 1 else ""
        is_code = passage.kind == "code"
        preset, section = self._last.get("code" if is_code else "prose", (DEFAULT_PRESET, -1))
        if preset == DEFAULT_PRESET or (section < passage.section and not is_code):
            return DEFAULT_PRESET, ""
        sure = is_code and section == passage.section
        return preset, "" if sure else f"the preset {preset} is spoken of above"

    def note(self, passage: Passage) -> None:
        """Remember what a passage mentions for those that follow."""
        if found := self._in(passage.text, "said"):
            self._last["code" if passage.kind == "code" else "prose"] = found[-1], passage.section

    def _in(self, text: str, role: str) -> list[str]:
        exact = self._exact.fullmatch(text) if role in ("column", "row", "heading", "lead", "parent") else None
        matches = [exact] if exact else self._mention.finditer(text)
        return list(dict.fromkeys(next(filter(None, match.groups())).lower() for match in matches))
