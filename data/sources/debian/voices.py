"""The people whose speech is in Debian's packages, and what is offered of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.progress import Report, watched
from configs.schema import Data
from data.corpus import CorpusError, Credit
from data.problems import Finding
from data.sources.base import Offer, SourceClip
from data.sources.debian import asterisk, festvox, fillets, tuxpaint
from data.sources.debian.left_out import Reader
from data.sources.debian.packages import unpack_packages
from data.sources.debian.pins import once, pinned, read_pins

_OTHER_SOURCES = (
    "Debian's recordings cannot be used here. Two other sources can be set: data.source=recordings with data.path a "
    "folder of your own recordings, or data.source=espeak with data.path a text file (synthetic speech)"
)


@dataclass(frozen=True)
class Voice:
    """One person in one language."""

    speaker: str
    """Language, country, f or m, name."""
    language: str
    person: str
    """As the package names who speaks."""
    copyright: str
    licence: str
    packages: tuple[str, ...]
    read: Reader

    @property
    def credit(self) -> Credit:
        """What the corpus says of it."""
        origin = f"Debian's {', '.join(self.packages)}"
        return Credit(self.speaker, self.language, self.person, self.copyright, self.licence, origin)


def _asterisk(speaker: str, person: str, copyright: str, licence: str) -> Voice:
    language = speaker[:2]
    packages = (f"asterisk-core-sounds-{language}-g722", f"asterisk-core-sounds-{language}")
    return Voice(speaker, language, person, copyright, licence, packages, asterisk.read)


def _fillets(speaker: str, person: str, read: Reader) -> Voice:
    language = speaker[:2]
    packages = ("fillets-ng-data", f"fillets-ng-data-{language}")
    copyright = "Ivo Danihelka, Pavel Danihelka, ALTAR interactive, Ronny Standtke and others"
    return Voice(speaker, language, person, copyright, "GPL-2", packages, read)


def _tuxpaint(speaker: str, person: str) -> Voice:
    copyright = "2002-2022 Bill Kendrick and contributors"
    return Voice(speaker, speaker[:2], person, copyright, "GPL-2", ("tuxpaint-stamps-default",), tuxpaint.read)


_ALLISON = "2003-2010 Allison Smith (http://www.theivrvoice.com)"
_NOT_NAMED = "an actor whom the package does not name"

VOICES: Sequence[Voice] = (
    _asterisk(
        "en_US_f_Allison", "Allison Smith", "2003-2010 Allison Smith (http://www.theivrvoice.com)", "CC-BY-SA-3.0"
    ),
    _asterisk(
        "es_MX_f_Allison", "Allison Smith", "2003-2010 Allison Smith (http://www.theivrvoice.com)", "CC-BY-SA-3.0"
    ),
    _asterisk("fr_CA_f_June", "June Wallack", "2006-2008 June Wallack (http://www.junewallack.com)", "CC-BY-SA-3.0"),
    _asterisk(
        "it_IT_m_Carlo",
        "Carlo Flora",
        "2012 Carlo Flora (http://www.carloflora.com, http://www.segreterietelefoniche.it)",
        "CC-BY-SA-3.0",
    ),
    _asterisk("ru_RU_f_IvrvoiceRU", "IvrvoiceRU", "2010 Maxim Topal (http://www.ivrvoice.ru)", "CC-BY-3.0"),
    Voice(
        "ru_RU_m_nsh",
        "ru",
        "the voice msu_ru_nsh",
        "2005 Nickolay V. Shmyrev",
        "BSD-like",
        ("festvox-ru",),
        festvox.read,
    ),
    _fillets("cs_CZ_m_BigFish", _NOT_NAMED, fillets.read_man),
    _fillets("cs_CZ_f_SmallFish", _NOT_NAMED, fillets.read_woman),
    _fillets("nl_NL_m_BigFish", _NOT_NAMED, fillets.read_man),
    _fillets("nl_NL_f_SmallFish", _NOT_NAMED, fillets.read_woman),
    _tuxpaint("be_BY_f_Kseniya", "Kseniya Buraya"),
    _tuxpaint("bg_BG_m_Krasimir", "Krasimir Petkov"),
    _tuxpaint("ca_ES_m_Pere", "Pere Pujal i Carabantes"),
    _tuxpaint("da_DK_m_Joe", "Joe Dalton"),
    _tuxpaint("el_GR_f_Kiriaki", "Kiriaki Serafeim"),
    _tuxpaint("es_ES_f_Estefania", "Estefanía Ortiz"),
    _tuxpaint("fr_FR_m_PaulK", "PaulK"),
    _tuxpaint("ro_RO_f_Tabbytha", "Tabbytha"),
    _tuxpaint("ru_RU_m_Edwin", "Edwin Veber"),
)

PROMPTS = tuple(voice for voice in VOICES if voice.read is asterisk.read)
"""Asterisk's."""


def offer(data: Data, scratch: Path, report: Report) -> Offer:
    """The wanted people in the wanted languages."""
    return _offer(VOICES, data, scratch, report)


def offer_prompts(data: Data, scratch: Path, report: Report) -> Offer:
    """Asterisk's prompts in the wanted languages."""
    return _offer(PROMPTS, data, scratch, report)


def _offer(voices: Sequence[Voice], data: Data, scratch: Path, report: Report) -> Offer:
    chosen = _chosen(voices, data)
    root = scratch / "root"
    packages = dict.fromkeys(package for voice in chosen for package in voice.packages)
    try:
        unpack_packages(list(packages), root, scratch, report)
    except CorpusError as error:
        raise CorpusError(f"{error}\n{_OTHER_SOURCES}") from None
    clips: list[SourceClip] = []
    findings: dict[Finding, None] = {}  # the minor characters of a game are named by each voice that is read in it
    for voice in watched(chosen, "checking recordings", len(chosen), report):
        for item in pinned(once(voice.read(root, voice.language, voice.speaker), root), read_pins(voice.speaker), root):
            if isinstance(item, Finding):
                findings[item] = None
            else:
                clips.append(item)
    credits = [voice.credit for voice in chosen]
    return Offer(clips, _attribution(credits), list(findings), credits)


def _chosen(voices: Sequence[Voice], data: Data) -> list[Voice]:
    """Raises `CorpusError` for languages and people that are not there."""
    spoken: list[str] = sorted({voice.language for voice in voices})
    silent = [language for language in data.languages if language not in spoken]
    if silent:
        raise CorpusError(f"data.languages: {data.source} has no {', '.join(silent)}; it has {', '.join(spoken)}")
    there = [voice for voice in voices if voice.language in data.languages]
    if data.speakers is None:
        return there
    speakers = [voice.speaker for voice in there]
    unknown = [speaker for speaker in data.speakers if speaker not in speakers]
    if unknown:
        raise CorpusError(
            f"data.speakers: {data.source} has no {', '.join(unknown)} in {', '.join(data.languages)}; "
            f"it has {', '.join(speakers)}"
        )
    return [voice for voice in there if voice.speaker in data.speakers]


def _attribution(credits: Sequence[Credit]) -> str:
    rows = [f"| {c.language} | {c.speaker} | {c.person} | {c.copyright} | {c.licence} | {c.origin} |" for c in credits]
    return "\n".join(
        [
            "# Attribution",
            "",
            "Recordings out of Debian's packages (https://packages.debian.org): telephone prompts of the Asterisk",
            "project, descriptions of Tux Paint's stamps, dialogues of Fish Fillets NG, and what Festival's Russian",
            "voice is cut from; here are these voices:",
            "",
            "| language | voice | speaker | copyright | licence | from |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "Licences: CC-BY-SA-3.0 is https://creativecommons.org/licenses/by-sa/3.0/, CC-BY-3.0 is",
            "https://creativecommons.org/licenses/by/3.0/, GPL-2 is",
            "https://www.gnu.org/licenses/old-licenses/gpl-2.0.html; the BSD-like one asks to keep its notice",
            "(usr/share/doc/festvox-ru/copyright in the package), to mark changes, to keep the authors' names, and not",
            "to endorse anything with them.",
            "",
            "Changes: the recordings were decoded and stored as 16-bit mono FLAC at the sample rate of each file.",
            "Tones, silence, repeated recordings and recordings whose text is not spoken in them were left out.",
            "",
        ]
    )
