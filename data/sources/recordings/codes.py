"""What people write for a language in their lists."""

from __future__ import annotations

import re
from collections.abc import Sequence

from configs.languages import voices

_WRITTEN = """
    ar:arabic,ara  be:belarusian,bel  bg:bulgarian,bul  ca:catalan,català,cat  cmn:chinese,zho,zh
    cs:czech,čeština,ces,cze  da:danish,dansk,dan  nl:dutch,nederlands,nld,dut  en:english,eng
    fa:farsi,persian,فارسی,fas,per  fi:finnish,fin  fr:french,français,fra,fre  de:german,deutsch,deu,ger
    el:greek,ελληνικά,ell,gre  hi:hindi,hin  hu:hungarian,hun  it:italian,italiano,ita  ja:japanese,jpn
    ko:korean,kor  nb:norwegian,nor,no  pl:polish,pol  pt:portuguese,português,por  ro:romanian,română,ron,rum
    ru:russian,русский,rus  es:spanish,español,spa  sv:swedish,swe  tr:turkish,tur  uk:ukrainian,ukr
"""
_CODES = {
    name: code for entry in _WRITTEN.split() for code, _, names in [entry.partition(":")] for name in names.split(",")
}


def language_code(written: str, wanted: Sequence[str] = ()) -> str | None:
    """The code of a language that is written as `fr`, `fr-FR`, `fr_CA`, `fra` or by its name; None if it is none.

    A dialect, such as `pt-BR`, is one of its own only if it is among the `wanted` codes.
    """
    plain = written.strip().casefold().replace("_", "-")
    if plain in wanted:
        return plain
    base = re.split(r"[-.]", plain, maxsplit=1)[0]
    return _CODES.get(plain) or _CODES.get(base) or (base if base in voices() else None)
