"""Surfaces held to the facts together: what is told, what is mended, and the page of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser

from common import ROOT
from consistency.surfaces.documents import DocumentsSurface
from consistency.surfaces.model import ModelSurface
from consistency.surfaces.presets import PresetsSurface
from consistency.surfaces.surface import Statement, Surface
from consistency.verify import Agreement, lines, verify, write_page


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
        PresetsSurface(root, ["full"]),
        ModelSurface(root, ["full"]),
        DocumentsSurface(root, "docs", ["notes/*.md"]),
        DocumentsSurface(root, "notebooks", ["*.ipynb"]),
    ]


def test_verify_counts_what_agrees_and_names_what_is_absent(root: Path) -> None:
    agreement = verify(surfaces(root))
    assert agreement.drifts == agreement.mended == []
    assert agreement.absent == ["notebooks"]
    assert lines(agreement)[-3:] == ["  notebooks  absent", "", "Everything agrees."]


def test_verify_mends_a_wrong_preset_before_the_documents_that_are_held_to_it(root: Path) -> None:
    preset = root / "configs/full.yaml"
    preset.write_text(preset.read_text().replace("decoder_layers: 16", "decoder_layers: 12  # too few"))
    found = {(s.surface, s.fact) for s in verify(surfaces(root)).drifts}
    assert {("presets", "model.decoder_layers"), ("docs", "full: decoder_layers")} <= found
    agreement = verify(surfaces(root), fix=True)
    assert agreement.drifts == []
    assert {(s.where, s.stated) for s in agreement.mended} == {("configs/full.yaml:35", "12")}
    assert yaml.safe_load(preset.read_text())["model"]["decoder_layers"] == 16
    assert "# too few" in preset.read_text()
    assert (root / "notes/model.md").read_text() == "The decoder has 16 layers.\n"


def test_verify_leaves_and_tells_what_has_no_single_right_answer(root: Path) -> None:
    preset = root / "configs/full.yaml"
    preset.write_text(preset.read_text().replace("fmax: 8000.0", "fmax: 12000.0"))
    agreement = verify(surfaces(root), fix=True)
    assert [(s.where, s.stated, s.true) for s in agreement.drifts] == [
        ("configs/full.yaml:24", "12000.0", "at most 11025 (half of sample_rate)")
    ]
    assert agreement.mended == []


def test_verify_takes_a_broken_preset_and_an_unreadable_notebook_for_drift(root: Path) -> None:
    preset = root / "configs/full.yaml"
    preset.write_text(preset.read_text().replace("prenet_dim:", "prenet_dmi:"))
    (root / "broken.ipynb").write_text("{")
    agreement = verify(surfaces(root), fix=True)
    assert [s.surface for s in agreement.drifts] == ["presets", "notebooks"]
    assert "did you mean 'prenet_dim'?" in agreement.drifts[0].stated


def test_the_page_of_verify_shows_every_drift_and_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    drift = Statement("docs", f"docs/{hostile}.md:3", "full: decoder_layers", "۱۲", "۱۶", False)
    doubt = Statement("docs", "docs/x.md:4", "full: decoder_heads", "16", "16", True, "several components")
    path = tmp_path / "agreement.html"
    write_page(Agreement({"docs": [drift, doubt], "versions": []}, [drift]), path)
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
