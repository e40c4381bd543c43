"""What people write for a language in their lists."""

from __future__ import annotations

import re

_WRITTEN = """
    ar:arabic,ara  be:belarusian,bel  bg:bulgarian,bul  ca:catalan,català,cat  zh:chinese,zho,cmn
    cs:czech,čeština,ces,cze  da:danish,dansk,dan  nl:dutch,nederlands,nld,dut  en:english,eng
    fa:farsi,persian,فارسی,fas,per  fi:finnish,fin  fr:french,français,fra,fre  de:german,deutsch,deu,ger
    el:greek,ελληνικά,ell,gre  hi:hindi,hin  hu:hungarian,hun  it:italian,italiano,ita  ja:japanese,jpn
    ko:korean,kor  no:norwegian,nor  pl:polish,pol  pt:portuguese,português,por  ro:romanian,română,ron,rum
    ru:russian,русский,rus  es:spanish,español,spa  sv:swedish,swe  tr:turkish,tur  uk:ukrainian,ukr
"""
_TWO_LETTERS = """
    af am an ar as az ba be bg bn bs ca cs cv cy da de el en eo es et eu fa fi fr ga gd gl gn gu ha he hi hr ht hu
    hy ia id io is it ja ka kk kl kn ko ku ky la lb lt lv mi mk ml mr ms mt my nb ne nl nn no om or pa pl ps pt qu
    ro ru rw sd si sk sl so sq sr sv sw ta te th tk tn tr tt ug uk ur uz vi xh yo yue zh zu
"""
_CODES = {
    **{code: code for code in _TWO_LETTERS.split()},
    **{
        name: code
        for entry in _WRITTEN.split()
        for code, _, names in [entry.partition(":")]
        for name in names.split(",")
    },
}


def language_code(written: str) -> str | None:
    """The code of a language that is written as `fr`, `fr-FR`, `fr_CA`, `fra` or by its name; None if it is none."""
    plain = written.strip().casefold()
    return _CODES.get(plain) or _CODES.get(re.split(r"[-_.]", plain, maxsplit=1)[0])
