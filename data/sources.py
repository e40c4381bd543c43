"""Where speech comes from: Debian's recorded prompts, a folder in LJSpeech format, or espeak-ng reading sentences."""

from __future__ import annotations

import ctypes
import gzip
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import soundfile as sf

from configs.schema import Data

T = TypeVar("T")
Pcm = npt.NDArray[np.int16]

AUDIO_EXTENSIONS = (".wav", ".flac", ".mp3", ".ogg")
DEBIAN_VERSION = "1.6.1-1"
_TONES = {"ascending-2tone", "beep", "beeperr", "confbridge-join", "confbridge-leave", "descending-2tone", "tt-monkeys"}


class CorpusError(ValueError):
    """A corpus cannot be built or read; every reason at once, one a line."""


@dataclass(frozen=True)
class Voice:
    """One language of Debian's `asterisk-core-sounds`: who speaks, under which licence, and the packages' SHA-256."""

    name: str
    author: str
    licence: str
    audio_sha256: str
    transcript_sha256: str


VOICES = {
    "en": Voice(
        "en_US_f_Allison",
        "2003-2010 Allison Smith (http://www.theivrvoice.com)",
        "CC-BY-SA-3.0",
        "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806",
        "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
    ),
    "es": Voice(
        "es_MX_f_Allison",
        "2003-2010 Allison Smith (http://www.theivrvoice.com)",
        "CC-BY-SA-3.0",
        "e4e3b4281057d3b81b779298fd6be705f57411513955c518eed1bcaabbd615b8",
        "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74",
    ),
    "fr": Voice(
        "fr_CA_f_June",
        "2006-2008 June Wallack (http://www.junewallack.com)",
        "CC-BY-SA-3.0",
        "7add61d5e42279ecff1bbdf842a5a946ac3644fac9a0fe44384731aa7270c8e0",
        "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
    ),
    "it": Voice(
        "it_IT_m_Carlo",
        "2012 Carlo Flora (http://www.carloflora.com, http://www.segreterietelefoniche.it)",
        "CC-BY-SA-3.0",
        "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016",
        "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
    ),
    "ru": Voice(
        "ru_RU_f_IvrvoiceRU",
        "2010 Maxim Topal (http://www.ivrvoice.ru)",
        "CC-BY-3.0",
        "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b",
        "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
    ),
}


@dataclass(frozen=True)
class Clip:
    """What a source has to offer: `audio` may be missing or broken, which is for the validation to say."""

    id: str
    text: str
    language: str
    speaker: str
    audio: Path


def track(items: Sequence[T], description: str) -> Iterable[T]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description, console=console, transient=True, disable=not console.is_terminal)


def _only_language(data: Data) -> str:
    if len(data.languages) > 1:
        raise CorpusError(f"data.languages = {data.languages}: data.source {data.source} has one language")
    return data.languages[0]


# --- Debian's prompts -------------------------------------------------------------------------------------------------


def _debian_prompts(data: Data, scratch: Path) -> tuple[list[Clip], str]:
    from rich.console import Console

    unknown = [language for language in data.languages if language not in VOICES]
    if unknown:
        raise CorpusError(f"data.languages: debian_prompts has no {', '.join(unknown)}; it has {', '.join(VOICES)}")
    packages = {}
    for language in data.languages:
        packages[f"asterisk-core-sounds-{language}-g722"] = VOICES[language].audio_sha256
        packages[f"asterisk-core-sounds-{language}"] = VOICES[language].transcript_sha256
    with Console(stderr=True).status("Downloading Debian's prompts"):
        archives = download_packages(packages, scratch)
    for archive in archives:
        _call(["dpkg-deb", "-x", str(archive), str(scratch / "root")])

    share = scratch / "root" / "usr" / "share"
    clips = []
    for language in data.languages:
        voice = VOICES[language].name
        transcript = share / "doc" / f"asterisk-core-sounds-{language}" / f"core-sounds-{language}.txt.gz"
        texts = _spoken_texts(gzip.decompress(transcript.read_bytes()).decode("utf-8-sig"))
        seen: set[bytes] = set()
        for name, text in texts.items():
            audio = share / "asterisk" / "sounds" / voice / f"{name}.g722"
            content = audio.read_bytes() if audio.is_file() else b""
            if not content or content in seen:  # some texts have no recording, some share one
                continue
            seen.add(content)
            clips.append(Clip(f"{language}-{name.replace('/', '-')}", text, language, voice, audio))
    return clips, _debian_attribution(data.languages)


def download_packages(packages: Mapping[str, str], folder: Path) -> list[Path]:
    """Download Debian packages, given as name → SHA-256, with apt into `folder`; root is not needed.

    Raises `CorpusError` if apt is not there, cannot download, or gives other bytes than expected.
    """
    lacking = [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)]
    if lacking:
        raise _no_prompts(f"{' and '.join(lacking)} not found: the prompts are in Debian's packages")
    download = ["download", *(f"{name}={DEBIAN_VERSION}" for name in packages)]
    apt = ["apt-get", "--quiet", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]
    try:
        _call([*apt, *download], folder)
    except CorpusError:  # a slim image has no package lists, or old ones: fetch them for this download only
        state, cache = folder / "apt" / "state", folder / "apt" / "cache"
        (state / "lists" / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        apt += ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}"]
        apt += ["-o", "Dir::State::status=/var/lib/dpkg/status"]
        try:
            _call([*apt, "update"], folder)
            _call([*apt, *download], folder)
        except CorpusError as error:
            raise _no_prompts(str(error)) from None
    archives = [folder / f"{name}_{DEBIAN_VERSION}_all.deb" for name in packages]
    problems = []
    for archive, expected in zip(archives, packages.values(), strict=True):
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != expected:
            problems.append(f"{archive.name}: SHA-256 is {found}, expected {expected}")
    if problems:
        raise _no_prompts("\n".join(problems))
    return archives


def _no_prompts(reason: str) -> CorpusError:
    return CorpusError(
        f"{reason}\nDebian's prompts cannot be used here. Two other sources can be set: data.source=ljspeech with "
        "data.path a folder of your own recordings, or data.source=espeak with data.path a text file (synthetic speech)"
    )


def _call(command: list[str], folder: Path | None = None) -> None:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if result.returncode:
        output = (result.stderr or result.stdout).strip().splitlines()
        raise CorpusError(f"{command[0]} failed ({result.returncode}): " + "; ".join(output[-3:]))


def _spoken_texts(transcript: str) -> dict[str, str]:
    """Name → text of what the transcript says is spoken, as far as it can be trusted."""
    texts: dict[str, str] = {}
    for line in transcript.splitlines():
        name, colon, text = line.partition(":")
        name, text = name.strip(), text.strip()
        is_comment, is_sound = line.startswith(";"), name in _TONES or name.startswith("silence/")
        if colon and not is_comment and not is_sound and _is_spoken(text):
            texts.setdefault(name, text)  # where a name is there twice, the second line is meant for another clip
    return texts


def _is_spoken(text: str) -> bool:
    stage_directions = re.search(r"[\[\]()<>]", text)  # tones, noises, silence, remarks to the speaker
    unread_signs = re.search(r"[*#/]", text)  # the voice says "star" or "pound", the transcript does not say which
    after_question = re.search(r"\?\s*([^\W\d_])", text)
    lost_letters = after_question and after_question[1].islower()  # "pu? essere": lost when it was re-encoded
    several_lines = re.search(r"\b[a-z]+-[a-z-]+:", text)  # the transcripts of several clips run together
    has_word = any(c.isalnum() for c in text)
    return has_word and not (stage_directions or unread_signs or lost_letters or several_lines)


def _debian_attribution(languages: Sequence[str]) -> str:
    rows = [
        f"| {language} | {voice.name} | {voice.author} | {voice.licence} "
        f"| asterisk-core-sounds-{language}-g722, asterisk-core-sounds-{language} |"
        for language, voice in VOICES.items()
        if language in languages
    ]
    return "\n".join(
        [
            "# Attribution",
            "",
            "Telephone prompts of the Asterisk project (core sounds 1.6.1), as packaged by Debian in the source",
            f"package `asterisk-core-sounds`, version {DEBIAN_VERSION}",
            "(https://packages.debian.org/source/asterisk-core-sounds).",
            "",
            "| language | voice | copyright | licence | packages |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Licences: CC-BY-SA-3.0 is https://creativecommons.org/licenses/by-sa/3.0/, CC-BY-3.0 is",
            "https://creativecommons.org/licenses/by/3.0/.",
            "",
            "Changes: the recordings were decoded from G.722 (16 kHz) to 16-bit FLAC. Tones, silence, repeated",
            "recordings and recordings without a usable transcript were left out.",
            "",
        ]
    )


# --- A folder in LJSpeech format --------------------------------------------------------------------------------------


def _ljspeech(data: Data, scratch: Path) -> tuple[list[Clip], str]:
    language = _only_language(data)
    folder = Path(str(data.path))
    metadata = folder / "metadata.csv"
    if not metadata.is_file():
        raise CorpusError(
            f"{metadata}: not found; data.path must be a folder with metadata.csv (lines id|text or "
            "id|text|normalised text) and the audio in wavs/"
        )
    rows = _metadata_rows(metadata)
    speaker = folder.resolve().name
    ids = _unique([name.replace("/", "-") for name, _ in rows])
    clips = [
        Clip(id, text, language, speaker, _find_audio(folder / "wavs", name))
        for id, (name, text) in zip(ids, rows, strict=True)
    ]
    attribution = (
        f"# Attribution\n\nFrom the folder `{speaker}`, in LJSpeech format, of whoever built this corpus: its rights "
        "and licence are theirs to know.\n\nChanges: re-encoded to 16-bit mono FLAC at the sample rate of each file.\n"
    )
    return clips, attribution


def _metadata_rows(metadata: Path) -> list[tuple[str, str]]:
    """Name of the audio (without extension) and text of each row; `CorpusError` lists every line that is malformed."""
    rows, problems = [], []
    for number, line in enumerate(metadata.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        where = f"{metadata}, line {number}"
        try:
            name, *texts = (field.strip() for field in line.decode("utf-8").split("|"))
        except UnicodeDecodeError as error:
            problems.append(f"{where}: not UTF-8 at byte {error.start}: {line[error.start : error.start + 8]!r}")
            continue
        if not name and not texts:
            continue
        path = PurePosixPath(name)
        if len(texts) not in (1, 2):
            problems.append(f"{where}: {1 + len(texts)} columns, expected id|text or id|text|normalised text")
        elif not name or path.is_absolute() or ".." in path.parts or "\0" in name:
            problems.append(f"{where}: {name!r} is not a file name inside wavs/")
        else:
            rows.append((str(path.with_suffix("")) if path.suffix in AUDIO_EXTENSIONS else name, texts[-1]))
    if not rows and not problems:
        problems.append(f"{metadata}: empty; expected a line id|text for each clip")
    if problems:
        raise CorpusError("\n".join(problems))
    return rows


def _find_audio(wavs: Path, name: str) -> Path:
    candidates = [wavs / f"{name}{extension}" for extension in AUDIO_EXTENSIONS]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _unique(ids: Sequence[str]) -> list[str]:
    """Give repeated ids a suffix: a, a → a, a-2."""
    taken, used, unique = set(ids), set(), []
    for id in ids:
        candidate, n = id, 1
        while candidate in used or (n > 1 and candidate in taken):
            n += 1
            candidate = f"{id}-{n}"
        used.add(candidate)
        unique.append(candidate)
    return unique


# --- Sentences spoken by espeak-ng ------------------------------------------------------------------------------------


def _espeak(data: Data, scratch: Path) -> tuple[list[Clip], str]:
    language = _only_language(data)
    path = Path(str(data.path))
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: {error}; data.path must be a UTF-8 text file, a sentence a line") from None
    sentences = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not sentences:
        raise CorpusError(f"{path}: empty; expected a sentence a line")
    clips = []
    spoken = _speak([text for _, text in sentences], language, scratch)
    for (number, text), (samples, rate) in zip(sentences, spoken, strict=True):
        audio = scratch / f"{number}.wav"
        sf.write(audio, samples, rate, subtype="PCM_16")
        clips.append(Clip(f"{language}-line-{number:06d}", text, language, "espeak-ng", audio))
    attribution = (
        "# Attribution\n\nSynthetic speech: sentences from a text file, spoken by espeak-ng "
        "(https://github.com/espeak-ng/espeak-ng). No person was recorded.\n"
    )
    return clips, attribution


def _speak(texts: Sequence[str], language: str, scratch: Path) -> Iterator[tuple[Pcm, int]]:
    """Synthetic speech of each text: mono samples (none if nothing can be said) and their rate in Hz."""
    import espeakng_loader

    # espeak-ng varies pitch and timing with a state that it never resets: a library of one's own starts afresh
    library = ctypes.CDLL(str(shutil.copy(espeakng_loader.get_library_path(), scratch)))
    pieces: list[Pcm] = []

    def collect(wav: Any, n_samples: int, events: Any) -> int:
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
    if library.espeak_SetVoiceByName({"en": "en-us"}.get(language, language).encode()):
        raise CorpusError(f"espeak-ng has no voice for {language}")
    for text in texts:
        pieces.clear()
        encoded = text.encode("utf-8")
        size = ctypes.c_size_t(len(encoded) + 1)
        if library.espeak_Synth(encoded, size, 0, by_character, 0, utf8, None, None):
            raise CorpusError(f"espeak-ng cannot speak {text!r}")
        yield np.concatenate([np.empty(0, np.int16), *pieces]), rate


SOURCES = {"debian_prompts": _debian_prompts, "ljspeech": _ljspeech, "espeak": _espeak}
