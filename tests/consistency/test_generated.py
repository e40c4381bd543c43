"""Documents made from facts: the committed ones agree, what is changed is found, what is written leaves prose alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from common import ROOT
from configs.schema import load_config, presets
from consistency.generated import (
    GENERATED,
    PRESETS,
    Difference,
    band_edges,
    differences,
    read_blocks,
    regenerate,
    render_block,
    render_document,
)
from data.mel import mel_filters


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    """A document with prose around a block that nobody has written yet."""
    path = tmp_path / "README.md"
    path.write_text("Before, 512.\n\n<!-- facts:rules -->\n<!-- /facts:rules -->\n\nAfter, without a line's end: 64.")
    return path


@pytest.mark.parametrize("name", GENERATED)
def test_committed_documents_say_what_the_facts_say(name: str) -> None:
    assert differences(ROOT / name) == []
    stated, all_of_them = (
        [block.name for block in read_blocks(text)] for text in ((ROOT / name).read_text(), render_document(name))
    )
    assert sorted(stated) == sorted(all_of_them)


def test_a_block_has_a_name_of_its_own() -> None:
    names = [block.name for name in GENERATED for block in read_blocks(render_document(name))]
    assert len(set(names)) == len(names)


def test_documents_show_presets_that_there_are() -> None:
    assert set(PRESETS) <= set(presets())
    table = render_block("presets")
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(PRESETS)
    assert "| 512 · 8 · 8 | 768 · 8 · 12 | 1536 · 16 · 24 | 22050 Hz | 696.7 M | 3.8 / 8.2 / 88.0 % |" in table


@pytest.mark.parametrize("name", GENERATED)
def test_a_missing_document_is_written_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert regenerate(path)
    assert path.read_text() == render_document(name)
    assert differences(path) == []
    assert not regenerate(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", GENERATED)
def test_a_changed_number_is_found_on_its_line_and_mended(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    regenerate(path)
    right = path.read_text()
    wrong = right.replace("612.8", "612.9", 1)
    path.write_text(wrong)
    (found,) = differences(path)
    assert wrong.splitlines()[found.line - 1] == found.stated
    assert right.splitlines()[found.line - 1] == found.true
    assert found.stated.replace("612.9", "612.8") == found.true
    assert regenerate(path)
    assert path.read_text() == right


def test_lines_too_many_and_missing_in_a_block_are_found(readme: Path) -> None:
    regenerate(readme)
    lines = readme.read_text().splitlines(keepends=True)
    removed = lines.pop(4)
    lines.insert(6, "- decoders have 16 layers.\n")
    readme.write_text("".join(lines))
    assert differences(readme) == [Difference(5, "", removed.strip()), Difference(7, "- decoders have 16 layers.", "")]


def test_only_blocks_of_a_document_are_written(readme: Path) -> None:
    prose = readme.read_text().replace("\n", "\r\n").encode()
    readme.write_bytes(prose)
    assert regenerate(readme)
    first = readme.read_bytes()
    opening, closing = b"<!-- facts:rules -->\r\n", b"<!-- /facts:rules -->"
    before, after = prose.split(opening + closing)
    assert first == before + opening + render_block("rules").encode() + closing + after
    assert not regenerate(readme)
    assert readme.read_bytes() == first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n<!-- facts:rules -->\n", "line 2: facts:rules is never closed"),
        ("<!-- /facts:rules -->\n", "line 1: facts:rules is closed but not open"),
        ("<!-- facts:rules -->\n<!-- facts:rules -->\n", "line 2: facts:rules is opened inside of facts:rules"),
        ("<!-- facts:rules -->\n\n<!-- /facts:mel -->\n", "line 3: facts:mel is closed but not open"),
        ("<!-- facts:rulse -->\n<!-- /facts:rulse -->\n", "line 1: no block is called 'rulse'; there are diagram, "),
    ],
)
def test_markers_of_blocks_that_do_not_match_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(text)
    for act in (differences, regenerate):
        with pytest.raises(ValueError, match=re.escape(f"{path}: {message}")):
            act(path)
    assert path.read_text() == text


def test_a_marker_of_a_block_within_a_sentence_is_prose() -> None:
    assert read_blocks("Write `<!-- facts:NAME -->` on a line of its own.\n") == []


def test_a_missing_document_without_a_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"README\.md is missing and has no template"):
        regenerate(tmp_path / "README.md")


def test_the_generated_page_writes_persian_numbers_in_persian() -> None:
    page = render_document("docs/model_components.html")
    rows = re.findall(r'<dl class="facts decoder" lang="fa" dir="rtl">(.*?)</dl>', page, re.DOTALL)
    assert len(rows) == 1
    assert re.findall(r"<dd>(.*?)</dd>", rows[0]) == ["۱۵۳۶", "۱۶", "۲۴", "۶۴", "۶۱۴۴", "۶۱۲٫۸ میلیون"]


@pytest.mark.parametrize("preset", presets())
def test_band_edges_are_those_of_the_mel_filters(preset: str) -> None:
    audio = load_config(preset).audio
    edges = band_edges(audio.model_dump())
    hertz_f = torch.arange(audio.n_fft // 2 + 1) * audio.sample_rate / audio.n_fft
    filters_mf = mel_filters(audio)
    distance_f = torch.stack([(hertz_f - edge).abs() for edge in edges]).amin(0)
    for filter_f, low, high in zip(filters_mf, edges, edges[2:], strict=False):
        within_f = (low < hertz_f) & (hertz_f < high)
        assert torch.equal((filter_f > 0)[distance_f > 0.1], within_f[distance_f > 0.1])
    assert (edges[0], edges[-1]) == (audio.fmin, audio.fmax)
