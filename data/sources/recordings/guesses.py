"""Which language texts are in, by script, letters and small words, where no list says it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_SMALL_WORDS = """
    be: і не на што я з у да як ён гэта яго але яны для быў была вы мы яна так калі бы толькі каб ці вельмі няма ёсць
    bg: и на да се не за от е с са като но това във със че ще му ги той при си бе би има беше тя те тази този когато
      както
    ca: i de la el que a en els les un una per és amb no del al se més són aquest però hi em et li ja si quan dels
      seva seu molt tot fa ha està
    cs: a je se v na že to s z do i o pro jsem jsou ale by tak jako když podle není byl která který si už jen při nebo
      také byla mu ji její jeho může mě
    da: og i at det er en til på som for af den med de ikke jeg har var vi et han der men om hun kan så nu ud vil skal
      mig dig her hvor
    de: und die der das ist nicht ein eine zu den mit sie von es ich auf dem im für sich wir war wie nur noch nach bei
      aus so wenn wird oder kann haben hat dass sind als auch an um am bitte ihr mir
    en: the and of to is that it in you for was with this on are as be have not at he please your from can will if an
      or by one no we all do my so what has had been were there their which when who would about into then than out up
      now here how me our but his her they she its one more after before only
    es: de la que el y en los se del las por un para con no una su al lo más pero es está usted ha hay como si este
      esta son fue sus le ya o cuando muy sin sobre también me hasta donde quien desde todo nos ser
    fa: و در به از که این را با است آن یک برای می بود ها او تا بر هم
    fi: ja on ei se että oli hän ovat mutta kun niin tämä myös ole
    fr: de la le et les des en un une que est du pour dans qui pas au sur il vous ne ce je votre nous on avec plus par
      se mais ou si son sa ses aux cette ont fait tout bien être sont sans leur deux était
    hu: a az és hogy nem is egy van ez volt meg de csak mint
    it: di e che la il un a per è non una in sono con del le i si da al come più lo della ha ma anche se gli nel alla
      dei delle ho io lei questo questa stato essere o ed quando ci tutto suo loro mi ti cosa
    nl: de het een en van is dat in te niet ik op zijn met voor er maar je die aan hij we wat bij om dan nog wel uw
      heeft wij zo hier kan moet als door of worden wordt
    nb: og i det er en til på som for av den med de ikke jeg har var vi et å
    pl: i w nie na się z do to że jest jak o po ale tak od za są
    pt: de a o que e do da em um para é com não uma os no se na por mais as dos mas são
    ro: de și în a la cu nu o că un pe este din se mai pentru care ce sunt fi dar am ai fost ca mă te vă lui ei îi
      după când foarte acest această prin doar mă
    ru: и в не на что он я с это как по но за то из у же бы вы мы был она так для вас если или при нет есть его до мне
      еще ещё только ее её может когда уже ни чтобы будет были очень под после этот эта пожалуйста
    sk: a je sa v na že to s z do i o pre som sú ale by tak ako keď
    sv: och i att det är en till på som för av den med de inte jag har var vi ett
    tr: ve bir bu da de için ile çok ne o ben gibi var daha
    uk: і в не на що він я з це як до але за та із у ж би ви ми був
"""
_WORDS = {
    language: frozenset(words.split()) for language, words in re.findall(r"(\w\w):([^:]*)(?=\s\w\w:|$)", _SMALL_WORDS)
}
_LETTERS = {
    "be": "абвгдеёжзійклмнопрстуўфхцчшыьэюя", "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "fa": "آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیئءأؤ", "ca": "àçèéíïòóúü", "cs": "áčďéěíňóřšťúůýž", "da": "æøåé",
    "de": "äöüß", "en": "", "es": "áéíñóúü", "fi": "äö", "fr": "àâæçèéêëîïôœùûü", "hu": "áéíóöőúüű", "it": "àèéìíòùú",
    "nl": "éëïóö", "nb": "æøåéòô", "pl": "ąćęłńóśźż", "pt": "áâãàçéêíóôõú", "ro": "ăâîșțşţ", "sk": "áäčďéíĺľňóôŕšťúýž",
    "sv": "åäöé", "tr": "çğıöşüâî",
}  # fmt: skip
"""Those that it needs beside a to z."""
_SHARED = Counter(word for words in _WORDS.values() for word in words)
_SCRIPTS = {
    "GREEK": "el", "HEBREW": "he", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "cmn", "DEVANAGARI": "hi",
    "BENGALI": "bn", "TAMIL": "ta", "TELUGU": "te", "GEORGIAN": "ka", "ARMENIAN": "hy",
}  # fmt: skip
_ENOUGH_WORDS = 3
_LEAD = 1.4
_SAMPLE = 2000  # texts that are looked at, spread over all


class Guess(NamedTuple):
    """A language, and whether there is much doubt about it."""

    language: str
    sure: bool


def guess_language(texts: Sequence[str]) -> Guess | None:
    """The language that most of the texts are in; None if nothing shows it."""
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    words = Counter(
        word for text in sample for word in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text).lower())
    )
    letters = Counter(character for word, count in words.items() for character in word for _ in range(min(count, 50)))
    if not letters:
        return None
    scripts: Counter[str] = Counter()
    for character, count in letters.items():
        scripts[unicodedata.name(character, "?").split()[0]] += count
    for script, language in _SCRIPTS.items():
        if 2 * scripts[script] > scripts.total() or (language == "ja" and 10 * scripts[script] > scripts.total()):
            return Guess(language, True)
    votes = {language: _vote(words, letters, language) for language in _WORDS}
    best, second = sorted(votes, key=lambda language: -votes[language])[:2]
    if votes[best] <= 0:
        return None
    return Guess(best, votes[best] >= _ENOUGH_WORDS and votes[best] >= _LEAD * votes[second])


def _vote(words: Counter[str], letters: Counter[str], language: str) -> float:
    """How many small words of a language there are, those that it shares counting less, and how few foreign letters."""
    small = sum(words[word] / _SHARED[word] for word in _WORDS[language])
    own = frozenset(_LETTERS[language])
    beyond = {letter: count for letter, count in letters.items() if not letter.isascii()}
    known = sum(count for letter, count in beyond.items() if letter in own)
    foreign = sum(count for letter, count in beyond.items() if letter not in own)
    return small + 0.1 * known - foreign
