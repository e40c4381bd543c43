"""espeak-ng in a process of its own: some texts end it by a signal, and it takes nobody with it.

Run as a script, this file is that process: it reads a line of JSON `[voice, text]` and answers with a line, the phones.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import json
import os
import re
import select
import subprocess
import sys
import threading
import unicodedata
from typing import IO, NamedTuple

import espeakng_loader

_PATIENCE = 20.0  # s that a text may take; the longest of a sensible length takes a thousandth
_TURN = threading.Lock()
_UTF8, _OWN_NOTATION, _IPA = 1, 0, 2
_STALE = "(base)"
"""In what a voice says of a sign without a name, such as ©: what follows may be left over from a text before."""
_TONE = re.compile(r"(?<=[^_\sˈˌ])[1-7ɜ]$|(?<=[^_\sˈˌ])[1-7ɜ](?=[_\s])")
"""A tone's first digit after its vowel; 3 is written as ɜ."""


class _Child(NamedTuple):
    process: subprocess.Popen[str]
    ask: IO[str]
    answer: IO[str]


def phones(text: str, voice: str) -> str:
    """What espeak-ng's `voice` (a file of its data's `lang/`) says: IPA, `_` between phones and spaces between words.

    A text at which espeak-ng breaks off is read in halves; what remains unreadable is left out.
    """
    with _TURN:
        return _read(text, voice)


def _read(text: str, voice: str) -> str:
    for _ in range(2):  # a process can also be ended from outside
        if (answer := _ask(text, voice)) is not None:
            return answer
    if len(text) < 2:
        return ""
    middle = len(text) // 2
    cut = text.rfind(" ", 1, middle) if " " in text[1:middle] else middle
    return f"{_read(text[:cut], voice)} {_read(text[cut:], voice)}"


def _ask(text: str, voice: str) -> str | None:
    """The child's answer; None if it broke off."""
    child = _child(os.getpid())
    try:
        child.ask.write(json.dumps([voice, text]) + "\n")
        child.ask.flush()
        if select.select([child.answer], [], [], _PATIENCE)[0] and (line := child.answer.readline()):
            return str(json.loads(line))
    except BrokenPipeError:
        pass
    except BaseException:  # interrupted: the answer to this text would be taken for the next one's
        child.process.kill()
        _child.cache_clear()
        raise
    child.process.kill()
    code = child.process.wait()
    _child.cache_clear()
    if code > 0:  # it ended by itself, with a reason on standard error
        raise RuntimeError(f"espeak-ng cannot be started from {espeakng_loader.get_data_path()}: exit code {code}")
    return None


@functools.cache
def _child(_process: int) -> _Child:
    """The child of this process: a fork gets one of its own."""
    command = [sys.executable, "-P", __file__]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="ascii")
    assert child.stdin is not None
    assert child.stdout is not None
    atexit.register(child.kill)
    return _Child(child, child.stdin, child.stdout)


def _serve() -> None:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    synchronous = 2
    if library.espeak_Initialize(synchronous, 0, espeakng_loader.get_data_path().encode(), 0) <= 0:
        raise SystemExit(1)
    current = None
    for line in sys.stdin:
        voice, text = json.loads(line)
        if voice != current and library.espeak_SetVoiceByName(voice.encode()):
            raise SystemExit(2)
        current = voice
        answer = _say(library, text, _IPA)
        if _TONE.search(answer):
            answer = _with_tones(answer, _say(library, text, _OWN_NOTATION))
        print(json.dumps(answer), flush=True)


def _say(library: ctypes.CDLL, text: str, notation: int) -> str:
    encoded = text.replace("\0", " ").encode(errors="replace")
    rest, found = ctypes.pointer(ctypes.c_char_p(encoded)), []
    while rest.contents.value is not None:
        found.append((library.espeak_TextToPhonemes(rest, _UTF8, notation | ord("_") << 8) or b"").decode())
    said = " ".join(found)
    plain = "".join(" " if unicodedata.category(character) == "So" else character for character in text)
    return _say(library, plain, notation) if _STALE in said and plain != text else said


def _with_tones(phones: str, own: str) -> str:
    """Phones with their tones whole: of 55, 51 and 214, IPA has the first digit only, and takes 3 for a vowel."""
    native = re.sub(r"\(.+?\).*?\(.+?\)|\|", "", own)  # without what is read in another language
    tones = re.findall(r"(?<=[^_\s'%,=])([1-7]+)(?=[_\s]|$)", native)
    return _TONE.sub(lambda _: tones.pop(0), phones) if len(tones) == len(_TONE.findall(phones)) else phones


if __name__ == "__main__":
    _serve()
