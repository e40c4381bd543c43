"""Languages that lists name, or that texts show."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.schema import Data
from data.sources import SOURCES
from data.sources.recordings.codes import language_code
from data.sources.recordings.guesses import guess_language

TEXTS = {
    "be": ["Сёння добры дзень, і я рады, што прыйшоў.", "Гэта ўсё як ён хацеў."],
    "bg": ["Днес е хубав ден и аз се радвам, че съм тук.", "Но не знам за какво е това."],
    "ca": ["Avui és un bon dia i no sé què fer amb això.", "Però més tard hi haurà una altra cosa."],
    "cs": ["Dnes je krásný den a jsem rád, že jsem tady.", "Ale nevím, proč to tak je."],
    "de": ["Das ist ein schöner Tag und ich bin froh, hier zu sein.", "Aber ich weiß nicht, was das soll."],
    "el": ["Σήμερα είναι μια ωραία μέρα."],
    "en": ["It is a fine day, and I am glad to be here.", "But what they are for is not known."],
    "es": ["Hoy es un buen día y me alegro de estar aquí.", "Pero no sé para qué es esto."],
    "fa": ["امروز روز خوبی است و من از این که اینجا هستم خوشحالم."],
    "fr": ["C'est une belle journée et je suis content d'être ici.", "Mais on ne sait pas ce que c'est."],
    "it": ["Oggi è una bella giornata e sono contento di essere qui.", "Ma non so che cosa sia questo."],
    "nl": ["Het is een mooie dag en ik ben blij dat ik hier ben.", "Maar ik weet niet wat dat is."],
    "ro": ["Azi este o zi frumoasă și sunt bucuros că am venit.", "Nu știu ce să fac cu acest lucru."],
    "ru": ["Сегодня хороший день, и я рад, что мы здесь.", "Но я не знаю, для чего это всё."],
    "uk": ["Сьогодні гарний день, і я радий, що він тут.", "Але я не знаю, як це є."],
}


@pytest.mark.parametrize("language", TEXTS)
def test_texts_show_their_language(language: str) -> None:
    guess = guess_language(TEXTS[language] * 3)
    assert guess is not None
    assert (guess.language, guess.sure) == (language, True)


@pytest.mark.parametrize("language", ["en", "es", "fr", "it", "ru"])
def test_real_transcripts_show_their_language(language: str, tmp_path: Path) -> None:
    data = Data.model_validate({"source": "debian_prompts", "languages": [language], "batch_size": 4})
    clips = SOURCES["debian_prompts"](data, tmp_path, lambda *_: None).clips
    guess = guess_language([clip.text for clip in clips])
    assert guess is not None
    assert (guess.language, guess.sure) == (language, True)
    guesses = [guess_language([clip.text for clip in clips[k : k + 40]]) for k in range(0, len(clips) - 20, 40)]
    assert {guess.language for guess in guesses if guess and guess.sure} == {language}


@pytest.mark.parametrize("texts", [[], ["123"], ["1", "...", ""]])
def test_texts_without_words_show_nothing(texts: list[str]) -> None:
    assert guess_language(texts) is None


@pytest.mark.parametrize("texts", [["Okay."], ["Der er en god dag i det."], ["Stop", "Go"]])
def test_a_few_words_leave_doubt(texts: list[str]) -> None:
    guess = guess_language(texts)
    assert guess is None or not guess.sure


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("zh-CN", "cmn"),
        *(("fr", "fr"), ("FR", "fr"), ("fr-FR", "fr"), ("fr_CA", "fr"), ("fra", "fr"), ("French", "fr")),
        *(
            ("français", "fr"),
            (" en ", "en"),
            ("فارسی", "fa"),
            ("zh-CN", "cmn"),
            ("klingon", None),
            ("", None),
            ("x", None),
        ),
    ],
)
def test_a_language_is_known_however_it_is_written(written: str, code: str | None) -> None:
    assert language_code(written) == code
