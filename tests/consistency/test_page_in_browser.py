"""The page of the model's components as a browser shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from common import ROOT

PAGE = (ROOT / "docs/model_components.html").as_uri()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The page, opened without a complaint and without asking for any other file."""
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        complaints: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(PAGE, wait_until="networkidle")
        yield page
        assert complaints == []
        assert requests == [PAGE]


def test_persian_is_shown_from_right_to_left_when_asked_for(page: Page) -> None:
    english = page.get_by_role("heading", name="The parts of a voice")
    persian = page.get_by_role("heading", name="اجزای یک صدا", include_hidden=True)
    assert english.is_visible()
    assert not persian.is_visible()
    page.get_by_role("button", name="فارسی").click()
    assert persian.is_visible()
    assert not english.is_visible()
    for element in (persian, page.locator("html"), page.locator("main table:visible")):
        assert element.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator("html").get_attribute("lang") == "fa"
    table = page.locator("main table:visible")
    assert table.locator("th").first.bounding_box()["x"] > table.locator("th").nth(1).bounding_box()["x"]  # type: ignore[index]
    page.get_by_role("button", name="English").click()
    assert english.is_visible()
    assert not persian.is_visible()


@pytest.mark.parametrize("language", ["English", "فارسی"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_runs_over_the_edge(page: Page, width: int, language: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name=language).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    edges = page.evaluate(
        """[...document.querySelectorAll("main *")]
            .filter(element => element.checkVisibility() && !element.closest(".scroll"))
            .map(element => element.getBoundingClientRect())
            .flatMap(box => [box.left, box.right])"""
    )
    assert min(edges) >= 0
    assert max(edges) <= width


@pytest.mark.parametrize("language", ["English", "فارسی"])
def test_components_are_drawn_to_scale(page: Page, language: str) -> None:
    page.get_by_role("button", name=language).click()
    boxes = {
        name: page.locator(f"svg:visible [data-component={name}]").bounding_box()
        for name in ("text_encoder", "audio_encoder", "decoder")
    }
    text, audio, decoder = ((box["width"], box["height"]) for box in boxes.values() if box)
    assert [width / text[0] for width, _ in (text, audio, decoder)] == pytest.approx([1, 1.5, 3], rel=1e-3)
    assert [height / text[1] for _, height in (text, audio, decoder)] == pytest.approx([1, 1, 2], rel=1e-3)


def test_without_scripts_both_languages_stand_side_by_side(browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(PAGE)
        english = page.get_by_role("heading", name="The parts of a voice")
        persian = page.get_by_role("heading", name="اجزای یک صدا")
        assert english.is_visible()
        assert persian.is_visible()
        left, right = english.bounding_box(), persian.bounding_box()
        assert left
        assert right
        assert left["x"] + left["width"] <= right["x"]
        assert left["y"] == pytest.approx(right["y"], abs=12)
        assert not page.get_by_role("button", name="English").is_visible()
