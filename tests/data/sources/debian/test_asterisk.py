from __future__ import annotations

import gzip
from pathlib import Path

from data.problems import Finding
from data.sources.base import SourceClip
from data.sources.debian.asterisk import read
from data.sources.debian.left_out import NO_TEXT, UNCLEAR_TEXT

TRANSCRIPT = """; a comment: of no clip
hello: Hello there.
beep: [beep]
digits/1: one
press: press * now
hello: the text of another clip
unrecorded: nobody said this
"""


def test_prompts_that_can_be_trusted_are_clips_and_each_other_file_says_why_not(tmp_path: Path) -> None:
    doc = tmp_path / "usr" / "share" / "doc" / "asterisk-core-sounds-en"
    doc.mkdir(parents=True)
    (doc / "core-sounds-en.txt.gz").write_bytes(gzip.compress(TRANSCRIPT.encode("utf-8-sig")))
    folder = tmp_path / "usr" / "share" / "asterisk" / "sounds" / "someone"
    (folder / "digits").mkdir(parents=True)
    for name in ("hello", "beep", "digits/1", "press", "unwritten"):
        (folder / f"{name}.g722").write_bytes(name.encode())
    items = list(read(tmp_path, "en", "someone"))
    assert items[:2] == [
        SourceClip("en-hello", "Hello there.", "en", "someone", folder / "hello.g722"),
        SourceClip("en-digits-1", "one", "en", "someone", folder / "digits" / "1.g722"),
    ]
    left = {item.file.rpartition("/")[2]: item.kind for item in items[2:] if isinstance(item, Finding)}
    assert left == {"beep.g722": UNCLEAR_TEXT, "press.g722": UNCLEAR_TEXT, "unwritten.g722": NO_TEXT}
