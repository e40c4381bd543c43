"""Sentences of a text file spoken by espeak-ng: a synthetic corpus, for where there are no recordings."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np
import soundfile as sf

from common.progress import Report, watched
from configs.outs import source_path
from configs.schema import Data
from data.audio import Pcm
from data.corpus import CorpusError
from data.languages import traits
from data.sources.base import Offer, SourceClip, only_language


def offer(data: Data, scratch: Path, report: Report) -> Offer:
    """Each line of the text file `data.path`, spoken."""
    language = only_language(data)
    path = source_path(str(data.path))
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: {error}; data.path must be a UTF-8 text file, a sentence a line") from None
    sentences = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not sentences:
        raise CorpusError(f"{path}: empty; expected a sentence a line")
    clips = []
    spoken = _speak([text for _, text in sentences], language, scratch)
    for (number, text), (samples, rate) in zip(
        sentences, watched(spoken, "speaking sentences", len(sentences), report), strict=True
    ):
        audio = scratch / f"{number}.wav"
        sf.write(audio, samples, rate, subtype="PCM_16")
        clips.append(SourceClip(f"{language}-line-{number:06d}", text, language, "espeak-ng", audio))
    attribution = (
        "# Attribution\n\nSynthetic speech: sentences from a text file, spoken by espeak-ng "
        "(https://github.com/espeak-ng/espeak-ng). No person was recorded.\n"
    )
    return Offer(clips, attribution)


def _speak(texts: Sequence[str], language: str, scratch: Path) -> Iterator[tuple[Pcm, int]]:
    """Synthetic speech of each text: mono samples (none if nothing can be said) and their rate in Hz."""
    # espeak-ng varies pitch and timing with a state that it never resets: a library of one's own starts afresh
    library = ctypes.CDLL(str(shutil.copy(espeakng_loader.get_library_path(), scratch)))
    pieces: list[Pcm] = []

    def collect(wav: Any, n_samples: int, _events: Any) -> int:
        if wav and n_samples:
            pieces.append(np.ctypeslib.as_array(wav, (n_samples,)).copy())
        return 0

    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    callback = callback_type(collect)  # kept: the library holds only its address
    synchronous, utf8, by_character = 2, 1, 1
    rate = library.espeak_Initialize(synchronous, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        raise CorpusError(f"espeak-ng cannot start from {espeakng_loader.get_data_path()}")
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(traits(language).voice.encode()):
        raise CorpusError(f"espeak-ng has no voice for {language}")
    for text in texts:
        pieces.clear()
        encoded = text.encode("utf-8")
        size = ctypes.c_size_t(len(encoded) + 1)
        if library.espeak_Synth(encoded, size, 0, by_character, 0, utf8, None, None):
            raise CorpusError(f"espeak-ng cannot speak {text!r}")
        yield np.concatenate([np.empty(0, np.int16), *pieces]), rate
