"""Claims have a place in a file, and mending changes them and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import ROOT
from consistency.generated import GENERATED, render_document
from consistency.presets import facts_of, preset_file
from consistency.prose.claims import Claim, agrees, restate
from consistency.prose.documents import mend, read_document


def truth(claim: Claim) -> Any:
    return facts_of(preset_file(ROOT, claim.preset))[claim.fact]


def wrong(path: Path) -> list[tuple[str, str, str]]:
    claims = [(place, claim) for place, claim in read_document(path) if not agrees(claim, truth(claim))]
    return [(place.removeprefix(str(path)), claim.fact, claim.stated) for place, claim in claims]


def mend_all(path: Path) -> int:
    return len(mend(path, [(claim, truth(claim)) for _, claim in read_document(path)]))


def cell(kind: str, *lines: str, outputs: Any = ()) -> dict[str, Any]:
    code = {"execution_count": 1, "outputs": list(outputs)} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, **code, "source": [*(f"{line}\n" for line in lines[:-1]), lines[-1]]}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {"decoder_layers": 12}, "nbformat": 4, "nbformat_minor": 5}


CELLS = notebook(
    cell("markdown", "# صدا \U0001f600", "", "## AudioEncoder"),
    cell(
        "code",
        'print("\\"ready\\"\\t")',
        "layers = 4  # 4 layers",
        outputs=[
            {"output_type": "stream", "name": "stdout", "text": ["ready\n", "decoder: ۱۲ لایه\n"]},
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {
                    "image/png": "decoder_layers=12",
                    "text/html": ["<table><tr><th></th><th>Heads</th></tr>\n", "<tr><td>Decoder</td><td>16</td></tr>"],
                },
            },
        ],
    ),
    cell("markdown", "The decoder has 16 layers.", "`batch_size: 32`"),
)


@pytest.mark.parametrize("indent", [1, 4, None])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_notebook_is_read_and_mended_without_another_byte_changing(
    tmp_path: Path, indent: int | None, ascii_only: bool
) -> None:
    path = tmp_path / "x.ipynb"
    before = json.dumps(CELLS, indent=indent, ensure_ascii=ascii_only) + "\n"
    path.write_bytes(before.encode())
    assert wrong(path) == [
        (": cell 2, line 2", "audio_encoder_layers", "4"),
        (": cell 2, line 2", "audio_encoder_layers", "4"),
        (": cell 2, output 1, line 2", "decoder_layers", "۱۲"),
        (": cell 2, output 2, line 2", "decoder_heads", "16"),
        (": cell 3, line 2", "batch_size", "32"),
    ]
    assert mend_all(path) == 5
    twelve, sixteen = (json.dumps(digits, ensure_ascii=ascii_only)[1:-1] for digits in ("۱۲", "۱۶"))
    after = before.replace("layers = 4  # 4", "layers = 8  # 8").replace(twelve, sixteen)
    after = after.replace("<td>16<", "<td>24<").replace("batch_size: 32", "batch_size: 56")
    assert path.read_bytes().decode() == after
    assert mend_all(path) == 0
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_documents_keep_their_line_ends_and_mode(tmp_path: Path, newline: str) -> None:
    markdown, html = tmp_path / "x.md", tmp_path / "x.html"
    markdown.write_bytes(newline.join(["# مدل", "", "The decoder has 12 layers", "and 24 heads.", ""]).encode())
    markdown.chmod(0o640)
    html.write_bytes(newline.join(["<p>رمزگشا", "<b>۱۲</b> لایه دارد.", "</p>"]).encode())
    assert wrong(markdown) == [(":3", "decoder_layers", "12")]
    assert wrong(html) == [(":2", "decoder_layers", "۱۲")]
    before = markdown.read_bytes(), html.read_bytes()
    assert mend_all(markdown) == mend_all(html) == 1
    assert markdown.read_bytes() == before[0].replace(b"12", b"16")
    assert html.read_bytes().decode() == before[1].decode().replace("۱۲", "۱۶")
    assert markdown.stat().st_mode & 0o777 == 0o640
    assert {file.name for file in tmp_path.iterdir()} == {"x.md", "x.html"}


def test_a_claim_in_doubt_or_of_two_things_at_once_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("The decoder has 16 layers.\n\nThe encoder has 6 layers.\n\nBoth encoders have 6 heads.\n")
    before = path.stat()
    assert len(wrong(path)) == 4
    assert mend_all(path) == 0
    assert path.stat() == before


def test_a_document_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("The decoder has 12 layers.")
    claims = [(claim, truth(claim)) for _, claim in read_document(path)]
    path.write_text("A decoder of 12 layers it is.")
    with pytest.raises(ValueError, match="has changed"):
        mend(path, claims)
    assert path.read_text() == "A decoder of 12 layers it is."


@pytest.mark.parametrize(("name", "content"), [("x.txt", ""), ("x.ipynb", "no JSON"), ("x.ipynb", '{"cells": 3}')])
def test_a_file_that_is_no_document_is_refused_by_name(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=name):
        read_document(tmp_path / name)


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_document_is_read_as_true(tmp_path: Path, name: str) -> None:
    path = tmp_path / Path(name).name
    path.write_text(render_document(name))
    claims = read_document(path)
    assert len(claims) > 30
    for place, claim in claims:
        assert agrees(claim, truth(claim)), place


@settings(deadline=None)
@given(lines=st.lists(st.text(max_size=12), max_size=4), ascii_only=st.booleans(), indent=st.sampled_from([None, 1, 2]))
def test_claims_of_any_notebook_are_found_where_they_stand(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ascii_only: bool, indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.ipynb"
    cells = notebook(cell("code", "pass", *lines), cell("markdown", "## Sizes", "", "The decoder has 12 layers."))
    path.write_bytes(json.dumps(cells, ensure_ascii=ascii_only, indent=indent).encode())
    raw = path.read_text()
    found = [claim for place, claim in read_document(path) if ": cell 2, line 3" in place]
    assert [(claim.fact, raw[claim.start : claim.end]) for claim in found] == [("decoder_layers", "12")]


FRAGMENTS = [
    *("decoder", "the text encoder", "رمزگذار متن", "AudioEncoder(", "layers", "heads of", "dim", "سر", "capacity"),
    *("12", "۱۲", "1,536", "26.6 M", "88%", "4x", "1.5", "true", "→", "and", "-", "|", "=", ":", ",", "(", ")", "~~"),
    *("<td>", "<tr>", "<li>", "</ul>", "<pre>", "&nbsp;", "&#49;", "`demo`", "preset", ". ", "; ", "<b>"),
    *("\n", "\n\n", "\n- ", "\n# ", "\n```\n", "\r\n"),
]


WRONG = [
    "The decoder has 12 layers.",
    "The text encoder has twelve layers and 6 heads.",
    "رمزگشا ۱۲ لایه دارد.",
    "It has 4 layers.",
    "Both encoders have 6 heads.",
    "The encoder has 6 layers.",
    "`batch_size: 32`",
    "# AudioEncoder",
    "## Preset `demo`",
    "The decoder is 1,024 wide.",
    "| decoder | 12 |",
    "| part | layers |",
    "It holds 500M of 700 million parameters.",
    "Dimensions: 256 (Text) → 512 (Audio) → 1024 (Decoder)",
    "1x → 2x → 4x wide",
    "<p>رمزگشا ۱۶ سر</p>",
]


@settings(deadline=None)
@given(
    parts=st.lists(st.sampled_from(WRONG) | st.sampled_from(FRAGMENTS) | st.characters(codec="utf-8"), max_size=25),
    between=st.sampled_from([" ", "\n\n", "\r\n"]),
    suffix=st.sampled_from([".md", ".html"]),
)
def test_any_document_is_mended_once_and_for_all(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], between: str, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"x{suffix}"
    text = between.join(parts)
    path.write_bytes(text.encode())
    assert all(text[claim.start : claim.end] == claim.stated for _, claim in read_document(path))
    mend_all(path)
    once = path.read_bytes().decode()
    assert mend_all(path) == 0
    assert path.read_bytes().decode() == once
    assert len(once.splitlines()) == len(text.splitlines())
    claims = [claim for _, claim in read_document(path)]
    spans = Counter((claim.start, claim.end) for claim in claims)
    for claim in claims:
        left = claim.doubt or spans[claim.start, claim.end] > 1 or restate(claim, truth(claim)) is None
        assert left or agrees(claim, truth(claim)), claim
