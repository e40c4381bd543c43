"""What is known of the voices in Debian's packages: `python -m benchmarks.debian_voices` pins them anew.

It unpacks the packages, judges every recording, writes `data/sources/debian/pins/` and prints the table of
`benchmarks/README.md`. Asterisk's transcripts are believed.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np

from common.files import replacing
from common.progress import silent
from data.audio import FULL_SCALE, AudioError, read_pcm
from data.sources.base import SourceClip
from data.sources.debian.left_out import NO_SPEECH, OTHER_PERSON, OTHER_TEXT
from data.sources.debian.packages import unpack_packages
from data.sources.debian.pins import FOLDER, once, recording_digest, text_digest
from data.sources.debian.voices import PROMPTS, VOICES, Voice
from data.text import phonemize
from data.vocabulary import SILENT

SHORTEST = 0.2
"""Seconds; no word is shorter."""
USUAL_TIMES = (0.6, 3.0)
"""How long a text may take, over what the voice takes for that many phones. Nothing but the time tells which texts were
changed after they had been recorded."""
TIMES = {
    "be_BY_f_Kseniya": (0.68, 3.0),
    "ca_ES_m_Pere": (0.7, 1.22),
    "el_GR_f_Kiriaki": (0.75, 3.0),
    "fr_FR_m_PaulK": (0.75, 3.0),
}
"""Of voices whose texts were changed a little: many Catalan ones got an article (of 189 recordings that Whisper base
heard, 112 of the 119 between these bounds begin with one, and 8 of the 66 above them), Greek ones an adjective."""
LETTERS_ALONE = ("ca_ES_m_Pere", "el_GR_f_Kiriaki", "fr_FR_m_PaulK")
"""They say "A" where the text is "The letter A."; others say the text."""


class Recording(NamedTuple):
    """A clip and what was measured of it."""

    clip: SourceClip
    rate: int
    """Hz; 0 if it cannot be decoded."""
    seconds: float
    speech: float
    """Seconds between the silence at both ends."""


def main() -> None:
    """Pin every voice and print what it has."""
    FOLDER.mkdir(exist_ok=True)
    print("| voice | clips | minutes | Hz | left out |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        packages = dict.fromkeys(package for voice in VOICES for package in voice.packages)
        unpack_packages(list(packages), root, Path(scratch), silent)
        for voice in VOICES:
            _pin(voice, root)


def _pin(voice: Voice, root: Path) -> None:
    items = list(once(voice.read(root, voice.language, voice.speaker), root))
    recordings = [_measured(item) for item in items if isinstance(item, SourceClip)]
    reasons = [""] * len(recordings) if voice in PROMPTS else list(_reasons(voice, recordings))
    with replacing(FOLDER / f"{voice.speaker}.tsv") as temporary:
        lines = [
            "\t".join((r.clip.id, recording_digest(r.clip.audio), text_digest(r.clip.text), reason))
            for r, reason in zip(recordings, reasons, strict=True)
        ]
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = [r for r, reason in zip(recordings, reasons, strict=True) if not reason]
    rates = "/".join(map(str, sorted({r.rate for r in kept})))
    left = Counter(item.kind.name for item in items if not isinstance(item, SourceClip)) + Counter(
        filter(None, reasons)
    )
    others = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(left.items()))
    print(f"| {voice.speaker} | {len(kept)} | {sum(r.seconds for r in kept) / 60:.1f} | {rates} | {others} |")
    sys.stdout.flush()


def _measured(clip: SourceClip) -> Recording:
    try:
        pcm, rate = read_pcm(clip.audio)
    except AudioError:
        return Recording(clip, 0, 0.0, 0.0)
    samples = pcm.astype(np.float32) / FULL_SCALE
    _, (start, stop) = librosa.effects.trim(samples, top_db=35, frame_length=1024, hop_length=256)
    return Recording(clip, rate, len(samples) / rate, (stop - start) / rate)


def _reasons(voice: Voice, recordings: Sequence[Recording]) -> Iterator[str]:
    """Why each is not offered: too short, another rate than most (so recorded by others), or not the time it takes."""
    usual_rate, _ = Counter(r.rate for r in recordings).most_common(1)[0]
    phones = _phones([r.clip.text for r in recordings], voice.language)
    speech = np.array([r.speech for r in recordings])
    least, most = TIMES.get(voice.speaker, USUAL_TIMES)
    for recording, time in zip(recordings, speech / _expected(phones, speech), strict=True):
        if recording.seconds < SHORTEST:
            yield NO_SPEECH.name
        elif recording.rate != usual_rate:
            yield OTHER_PERSON.name
        elif voice.speaker in LETTERS_ALONE and re.search("-alphabets-(english|german)-", recording.clip.id):
            yield OTHER_TEXT.name
        else:
            yield "" if least <= time <= most else OTHER_TEXT.name


def _phones(texts: Sequence[str], language: str) -> np.ndarray:
    return np.array([sum(symbol not in SILENT for symbol in tokens.symbols) for tokens in phonemize(texts, language)])


def _expected(phones: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Seconds that the voice takes for so many phones: the line that most recordings lie within a fifth of."""
    lines = [a + b * phones for a in np.arange(0.0, 0.9, 0.05) for b in np.arange(0.03, 0.12, 0.0025)]
    return max(lines, key=lambda line: int((np.abs(np.log(np.maximum(speech, 0.01) / line)) < 0.2).sum()))


if __name__ == "__main__":
    main()
