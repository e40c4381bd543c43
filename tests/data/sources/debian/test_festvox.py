from __future__ import annotations

from pathlib import Path

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.festvox import read
from data.sources.debian.left_out import NO_TEXT


def test_prompts_of_festvox_lose_their_marks_of_stress(tmp_path: Path) -> None:
    voice = tmp_path / "usr" / "share" / "festival" / "voices" / "russian" / "msu_ru_nsh_clunits"
    (voice / "etc").mkdir(parents=True)
    (voice / "wav").mkdir()
    (voice / "etc" / "txt.done.data").write_text('( ru_0002 "Прядь вол+ос, «за» ухо." )\n', encoding="utf-8")
    for number in ("0002", "0007"):
        (voice / "wav" / f"ru_{number}.wav").write_bytes(number.encode())
    clip, without = read(tmp_path, "ru", "someone")
    audio = voice / "wav" / "ru_0002.wav"
    assert clip == SourceClip("ru-festvox-0002", "Прядь волос, «за» ухо.", "ru", "someone", audio)
    assert isinstance(without, Finding)
    assert without.kind == NO_TEXT
    assert without.file.endswith("ru_0007.wav")
