"""Corpora: recorded (or synthetic) speech and its text, brought from one of three sources into one layout.

A corpus folder holds `audio/` (16-bit mono FLAC), `recordings.jsonl` and `supervisions.jsonl` (lhotse manifests with
paths relative to the folder) and `ATTRIBUTION.md`. Equal sources give equal bytes, wherever the folder lies.
"""

from __future__ import annotations

import ctypes
import gzip
import hashlib
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import soundfile as sf

from configs.schema import Data

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Pcm = npt.NDArray[np.int16]

AUDIO_EXTENSIONS = (".wav", ".flac", ".mp3", ".ogg")
DEBIAN_VERSION = "1.6.1-1"
_TONES = {"ascending-2tone", "beep", "beeperr", "confbridge-join", "confbridge-leave", "descending-2tone", "tt-monkeys"}


class CorpusError(ValueError):
    """A corpus cannot be built or read; every reason at once, one a line."""


class AudioError(ValueError):
    """An audio file cannot be decoded to its end."""


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
class _Clip:
    """What a source has to offer: `audio` may be missing or broken, which is for the validation to say."""

    id: str
    text: str
    language: str
    speaker: str
    audio: Path


def build_corpus(data: Data, folder: Path) -> None:
    """Make the corpus that `data` describes in `folder`, replacing what is there; it appears whole or not at all.

    Raises `CorpusError` if the source is missing or its structure is wrong. Single clips with a fault (no audio, no
    text, audio that cannot be decoded) are brought along for `data.validation` to name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        scratch, new = Path(temporary, "scratch"), Path(temporary, "corpus")
        scratch.mkdir()
        clips, attribution = _SOURCES[data.source](data, scratch)
        _write_corpus(_choose(clips, data.max_clips), attribution, new)
        if folder.exists():
            folder.rename(Path(temporary, "old"))
        new.rename(folder)


def read_corpus(folder: Path) -> pd.DataFrame:
    """The clips of a corpus folder: columns id, path (absolute), text, language, speaker, sorted by id.

    Raises `CorpusError` if the folder holds no corpus.
    """
    import pandas as pd
    from lhotse import RecordingSet, SupervisionSet

    manifests = folder / "recordings.jsonl", folder / "supervisions.jsonl"
    missing = [path for path in manifests if not path.is_file()]
    if missing:
        raise CorpusError("\n".join(f"{path}: not found; the folder holds no corpus" for path in missing))
    root = folder.resolve()
    recordings, supervisions = RecordingSet.from_jsonl(manifests[0]), SupervisionSet.from_jsonl(manifests[1])
    paths = {recording.id: root / recording.sources[0].source for recording in recordings}
    rows = [(s.id, paths[s.recording_id], s.text, s.language, s.speaker) for s in supervisions]
    return pd.DataFrame(rows, columns=["id", "path", "text", "language", "speaker"])


def read_pcm(path: Path) -> tuple[Pcm, int]:
    """Decode a whole audio file: 16-bit mono samples (channels are averaged) and the sample rate in Hz.

    Raises `AudioError` if there is no such file, it cannot be decoded, it was cut short or it is empty.
    """
    if not path.is_file():
        raise AudioError("no such file")
    if not path.stat().st_size:
        raise AudioError("empty file")
    missing = _missing_wav_bytes(path)
    if missing:
        raise AudioError(f"truncated: {missing} bytes of audio are missing")
    if path.suffix == ".g722":
        return _read_g722(path), 16000
    try:
        with sf.SoundFile(path) as file:
            announced, rate = file.frames, file.samplerate
            samples = file.read(dtype="float64", always_2d=True)
    except sf.LibsndfileError as error:
        raise AudioError(f"cannot be decoded: {error.error_string}") from None
    if len(samples) < announced:
        raise AudioError(f"truncated: {len(samples)} of {announced} samples can be decoded")
    if not len(samples):
        raise AudioError("holds no samples")
    if not np.isfinite(samples).all():
        raise AudioError("holds samples that are not numbers")
    # libsndfile scales by 2^15 when it reads and by 2^15 - 1 when it writes: integers keep 16-bit audio exact
    mono: Pcm = np.rint(samples.mean(axis=1) * 32768).clip(-32768, 32767).astype(np.int16)
    return mono, rate


def _read_g722(path: Path) -> Pcm:
    import av

    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    samples: Pcm = np.concatenate(frames)
    return samples


def _missing_wav_bytes(path: Path) -> int:
    """How many bytes the data chunk of a WAV file announces but does not have; libsndfile does not complain."""
    size = path.stat().st_size
    with path.open("rb") as file:
        riff = file.read(12)
        if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
            return 0
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                streamed = length == 0xFFFFFFFF  # written to a pipe: the length was not known
                return 0 if streamed else max(0, file.tell() + length - size)
            file.seek(length + length % 2, 1)
    return 0


def _write_corpus(clips: Sequence[_Clip], attribution: str, folder: Path) -> None:
    from lhotse import Recording, RecordingSet, SupervisionSegment, SupervisionSet
    from lhotse.audio import AudioSource

    (folder / "audio").mkdir(parents=True)
    recordings, supervisions = [], []
    for clip in _track(clips, "Writing audio"):
        audio = PurePosixPath("audio", f"{clip.id}.flac")
        try:
            samples, rate = read_pcm(clip.audio)
            sf.write(folder / audio, samples, rate, format="FLAC", subtype="PCM_16")
            n_samples = len(samples)
        except AudioError:
            # the faulty file itself goes into the corpus, so that the validation can say what is wrong with it
            audio, rate, n_samples = audio.with_suffix(clip.audio.suffix), 0, 0
            if clip.audio.is_file():
                shutil.copyfile(clip.audio, folder / audio)
        duration = n_samples / rate if rate else 0.0
        source = AudioSource("file", [0], str(audio))
        recordings.append(Recording(clip.id, [source], rate, n_samples, duration))
        supervisions.append(
            SupervisionSegment(clip.id, clip.id, 0.0, duration, 0, clip.text, clip.language, clip.speaker)
        )
    RecordingSet.from_recordings(recordings).to_jsonl(folder / "recordings.jsonl")
    SupervisionSet.from_segments(supervisions).to_jsonl(folder / "supervisions.jsonl")
    (folder / "ATTRIBUTION.md").write_text(attribution, encoding="utf-8")


def _choose(clips: Iterable[_Clip], max_clips: int | None) -> list[_Clip]:
    """At most `max_clips` of each language, sorted by id: sentences before single words, then by hash of the id."""

    def rank(clip: _Clip) -> tuple[bool, str]:
        return len(clip.text.split()) < 3, hashlib.sha256(clip.id.encode()).hexdigest()

    by_language: dict[str, list[_Clip]] = {}
    for clip in clips:
        by_language.setdefault(clip.language, []).append(clip)
    chosen = [clip for some in by_language.values() for clip in sorted(some, key=rank)[:max_clips]]
    return sorted(chosen, key=lambda clip: clip.id)


def _track(items: Sequence[T], description: str) -> Iterable[T]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description, console=console, transient=True, disable=not console.is_terminal)


def _only_language(data: Data) -> str:
    if len(data.languages) > 1:
        raise CorpusError(f"data.languages = {data.languages}: data.source {data.source} has one language")
    return data.languages[0]


# --- Debian's prompts -------------------------------------------------------------------------------------------------


def _debian_prompts(data: Data, scratch: Path) -> tuple[list[_Clip], str]:
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
            clips.append(_Clip(f"{language}-{name.replace('/', '-')}", text, language, voice, audio))
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


def _ljspeech(data: Data, scratch: Path) -> tuple[list[_Clip], str]:
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
        _Clip(id, text, language, speaker, _find_audio(folder / "wavs", name))
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


def _espeak(data: Data, scratch: Path) -> tuple[list[_Clip], str]:
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
        clips.append(_Clip(f"{language}-line-{number:06d}", text, language, "espeak-ng", audio))
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


_SOURCES = {"debian_prompts": _debian_prompts, "ljspeech": _ljspeech, "espeak": _espeak}
