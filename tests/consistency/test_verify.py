from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser

from common import ROOT
from consistency.surfaces import Statement, Surface, documents_surface, model_surface, presets_surface
from consistency.verify import Verdict, lines, verify, write_page


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one preset and one document."""
    (tmp_path / "configs").mkdir()
    shutil.copy(ROOT / "configs/full.yaml", tmp_path / "configs")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/model.md").write_text("The decoder has 16 layers.\n")
    return tmp_path


def surfaces(root: Path) -> list[Surface]:
    return [
        presets_surface(root, ["full"]),
        model_surface(root, ["full"]),
        documents_surface(root, "docs", ["notes/*.md"]),
        documents_surface(root, "notebooks", ["*.ipynb"]),
    ]


def test_what_agrees_is_counted_and_what_is_not_there_is_absent(root: Path) -> None:
    verdict = verify(surfaces(root))
    assert verdict.drifts == verdict.mended == []
    assert verdict.absent == ["notebooks"]
    assert lines(verdict)[-3:] == ["  notebooks  absent", "", "Everything agrees."]


def test_a_wrong_preset_is_mended_before_the_documents_that_are_held_to_it(root: Path) -> None:
    preset = root / "configs/full.yaml"
    preset.write_text(preset.read_text().replace("decoder_layers: 16", "decoder_layers: 12  # too few"))
    found = {(s.surface, s.fact) for s in verify(surfaces(root)).drifts}
    assert {("presets", "model.decoder_layers"), ("docs", "full: decoder_layers")} <= found
    verdict = verify(surfaces(root), fix=True)
    assert verdict.drifts == []
    assert {(s.where, s.stated) for s in verdict.mended} == {("configs/full.yaml:32", "12")}
    assert yaml.safe_load(preset.read_text())["model"]["decoder_layers"] == 16
    assert "# too few" in preset.read_text()
    assert (root / "notes/model.md").read_text() == "The decoder has 16 layers.\n"


def test_what_has_no_single_right_answer_is_left_and_said(root: Path) -> None:
    preset = root / "configs/full.yaml"
    preset.write_text(preset.read_text().replace("fmax: 8000.0", "fmax: 12000.0"))
    verdict = verify(surfaces(root), fix=True)
    assert [(s.where, s.stated, s.true) for s in verdict.drifts] == [
        ("configs/full.yaml:21", "12000.0", "at most 11025 (half of sample_rate)")
    ]
    assert verdict.mended == []


def test_a_broken_preset_and_an_unreadable_notebook_are_drift(root: Path) -> None:
    preset = root / "configs/full.yaml"
    preset.write_text(preset.read_text().replace("prenet_dim:", "prenet_dmi:"))
    (root / "broken.ipynb").write_text("{")
    verdict = verify(surfaces(root), fix=True)
    assert [s.surface for s in verdict.drifts] == ["presets", "notebooks"]
    assert "did you mean 'prenet_dim'?" in verdict.drifts[0].stated


def test_the_page_shows_every_drift_and_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    drift = Statement("docs", f"docs/{hostile}.md:3", "full: decoder_layers", "۱۲", "۱۶", False)
    doubt = Statement("docs", "docs/x.md:4", "full: decoder_heads", "16", "16", True, "several components")
    path = tmp_path / "verdict.html"
    write_page(Verdict({"docs": [drift, doubt], "versions": []}, [drift]), path)
    with browser.new_context() as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(path.as_uri())
        assert page.get_by_role("heading", level=1).inner_text() == "1 statements do not agree. 1 mended."
        assert page.locator("table").count() == 4
        assert page.get_by_text(drift.where, exact=True).count() == 2
        assert page.get_by_text("several components").is_visible()
        assert complaints == []
