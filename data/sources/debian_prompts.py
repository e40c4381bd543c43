"""Recorded telephone prompts from Debian's packages: one studio voice for each of five languages."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.progress import Report, watched
from configs.schema import Data
from data.corpus import CorpusError
from data.sources.base import Offer, SourceClip
from data.sources.debian_packages import fetch_packages, unpack_package

DEBIAN_VERSION = "1.6.1-1"
_OTHER_SOURCES = (
    "Debian's prompts cannot be used here. Two other sources can be set: data.source=ljspeech with data.path a folder "
    "of your own recordings, or data.source=espeak with data.path a text file (synthetic speech)"
)
_TONES = {"ascending-2tone", "beep", "beeperr", "confbridge-join", "confbridge-leave", "descending-2tone", "tt-monkeys"}


@dataclass(frozen=True)
class PromptPackage:
    """One language of Debian's `asterisk-core-sounds`: who speaks, under which licence, and the packages' SHA-256."""

    name: str
    author: str
    licence: str
    audio_sha256: str
    transcript_sha256: str


VOICES = {
    "en": PromptPackage(
        "en_US_f_Allison",
        "2003-2010 Allison Smith (http://www.theivrvoice.com)",
        "CC-BY-SA-3.0",
        "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806",
        "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
    ),
    "es": PromptPackage(
        "es_MX_f_Allison",
        "2003-2010 Allison Smith (http://www.theivrvoice.com)",
        "CC-BY-SA-3.0",
        "e4e3b4281057d3b81b779298fd6be705f57411513955c518eed1bcaabbd615b8",
        "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74",
    ),
    "fr": PromptPackage(
        "fr_CA_f_June",
        "2006-2008 June Wallack (http://www.junewallack.com)",
        "CC-BY-SA-3.0",
        "7add61d5e42279ecff1bbdf842a5a946ac3644fac9a0fe44384731aa7270c8e0",
        "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
    ),
    "it": PromptPackage(
        "it_IT_m_Carlo",
        "2012 Carlo Flora (http://www.carloflora.com, http://www.segreterietelefoniche.it)",
        "CC-BY-SA-3.0",
        "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016",
        "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
    ),
    "ru": PromptPackage(
        "ru_RU_f_IvrvoiceRU",
        "2010 Maxim Topal (http://www.ivrvoice.ru)",
        "CC-BY-3.0",
        "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b",
        "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
    ),
}


def offer(data: Data, scratch: Path, report: Report) -> Offer:
    """The prompts of the wanted languages."""
    unknown = [language for language in data.languages if language not in VOICES]
    if unknown:
        raise CorpusError(f"data.languages: debian_prompts has no {', '.join(unknown)}; it has {', '.join(VOICES)}")
    try:
        share = _unpack(data.languages, scratch, report) / "usr" / "share"
    except CorpusError as error:
        raise CorpusError(f"{error}\n{_OTHER_SOURCES}") from None
    clips = [clip for language in data.languages for clip in _clips(share, language)]
    return Offer(clips, _attribution(data.languages))


def _unpack(languages: Sequence[str], scratch: Path, report: Report) -> Path:
    """The files of the languages' packages, laid out as on a Debian system."""
    packages = {}
    for language in languages:
        packages[f"asterisk-core-sounds-{language}-g722"] = VOICES[language].audio_sha256
        packages[f"asterisk-core-sounds-{language}"] = VOICES[language].transcript_sha256
    report("downloading packages", 0, len(packages))
    archives = fetch_packages(packages, DEBIAN_VERSION, scratch)
    for archive in watched(archives, "unpacking packages", len(archives), report):
        unpack_package(archive, scratch / "root")
    return scratch / "root"


def _clips(share: Path, language: str) -> Iterator[SourceClip]:
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
        yield SourceClip(f"{language}-{name.replace('/', '-')}", text, language, voice, audio)


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


def _attribution(languages: Sequence[str]) -> str:
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
