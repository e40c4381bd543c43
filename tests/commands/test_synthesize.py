"""`myxtts synthesize`: text to sound files, and what cannot be spoken."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import soundfile as sf

from tests.commands.conftest import Call
from tests.pipelines.clone import Clone
from tests.registry.conftest import make_outs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the checkpoints of a tiny model."""
    return f"{make_outs(tmp_path_factory.mktemp('synthesize'), 1.0, {}).checkpoints}/"


def test_synthesize_speaks_with_the_registered_model(trained: Clone, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("Thank you.\n\nPlease hold. Someone will be with you.\n")
    verb = ("synthesize", "--preset", "smoke")
    spoken = json.loads(trained.myxtts(*verb, "--file", str(lines), "--out", str(tmp_path / "line.wav"), "--json"))
    assert [row["file"] for row in spoken] == [str(tmp_path / "line-001.wav"), str(tmp_path / "line-002.wav")]
    assert all(row["ended"] and not row["error"] for row in spoken)
    again = tmp_path / "again.wav"
    trained.myxtts(*verb, "--model", "checkpoints/smoke", "--text", "Thank you.", "--out", str(again))
    assert again.read_bytes() == (tmp_path / "line-001.wav").read_bytes()


def test_synthesize_obeys_rate_and_reference(myxtts: Call, trained: Clone, tmp_path: Path) -> None:
    once, slow, other = (tmp_path / f"{name}.wav" for name in ("once", "slow", "other"))
    verb = ("synthesize", "--model", str(trained.checkpoint.parent), "--text", "Thank you.")
    assert myxtts(*verb, "--out", str(once)) == f"{once}\n"
    myxtts(*verb, "--out", str(slow), "--rate", "0.5")
    assert sf.info(slow).duration > 1.5 * sf.info(once).duration
    recording = next((trained.folder / "corpora/smoke/audio").glob("*.flac"))
    myxtts(*verb, "--out", str(other), "--reference", str(recording))
    assert other.read_bytes() != once.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--text", "..."], 1, "nothing to say in '...'"),
        (["--text", "  "], 2, "there is no text"),
        (["--text", "Hello.", "--rate", "9"], 1, "speaking_rate is 9, expected 0.5 to 2"),
        (["--text", "Hello.", "--language", "xx"], 1, "language is 'xx', expected a code that espeak-ng knows"),
        (["--text", "Hello.", "--model", "./nowhere/"], 2, "nowhere"),
        (["--text", "Hello.", "--reference", "README.md"], 1, "reference is not audio that can be used"),
        (["--text", "Hello.", "--reference", "no.wav"], 2, "no.wav: no such file"),
        (["--file", "no.txt"], 2, "no.txt: no such file"),
    ],
)
def test_what_cannot_be_synthesized_is_refused(
    myxtts: Call, folder: str, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    out = tmp_path / "out.wav"
    given = () if "--model" in arguments else ("--model", folder)
    assert message in myxtts("synthesize", "--out", str(out), *given, *arguments, code=code)
    assert not out.exists()


def test_synthesize_names_the_line_that_is_not_utf8(
    myxtts: Call, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_bytes("Hello.\nCafé noir.\n".encode("latin-1"))
    verb = ("synthesize", "--model", folder, "--out", str(tmp_path / "out.wav"))
    assert f"{lines}, line 2: not UTF-8: b'\\xe9 noir" in myxtts(*verb, "--file", str(lines), code=2)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.read_bytes())))
    assert "standard input, line 2: not UTF-8" in myxtts(*verb, code=2)


def test_synthesize_speaks_what_it_can_and_says_what_it_cannot(myxtts: Call, folder: str, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("Hello.\n...\n")
    said = myxtts(
        "synthesize", "--model", folder, "--file", str(lines), "--out", str(tmp_path / "out.wav"), "--json", code=1
    )
    assert (tmp_path / "out-001.wav").exists()
    assert "myxtts: nothing to say in '...'" in said
