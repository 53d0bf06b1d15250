"""Blocks of an article in a real browser: tabs, code that is copied, what folds, columns, and axe on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from block_site import build_block_site
from playwright.sync_api import Browser, Page, expect
from served import BASE, serve_site
from visits import visit


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site with an article of all blocks, and one of prose: where it is served."""
    server = serve_site(build_block_site(tmp_path_factory.mktemp("blocks")))
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def arrive(chromium: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Open a page for one test, in which nothing may go wrong."""
    visits = []

    def arrive(address: str = "all/", **options: Any) -> Page:
        visits.append(visit(chromium, site, BASE + address, **options))
        visits[-1].page.wait_for_load_state("networkidle")
        return visits[-1].page

    yield arrive
    for opened in visits:
        opened.context.close()
    assert not [complaint for opened in visits for complaint in opened.complaints]


def test_tabs_show_one_panel_and_the_keyboard_chooses_it(arrive: Callable[..., Page]) -> None:
    """As WAI-ARIA has it: one stop for Tab, arrows, Home and End between the tabs, and round the end."""
    page = arrive()
    panels = page.locator(".tabs").first.get_by_role("tabpanel", include_hidden=True)
    tabs = page.get_by_role("tablist").first.get_by_role("tab")
    expect(panels.nth(0)).to_be_visible()
    expect(page.get_by_text("Words of the second.")).not_to_be_visible()
    tabs.nth(0).focus()
    for key, chosen in (("ArrowRight", 1), ("ArrowRight", 0), ("ArrowLeft", 1), ("Home", 0), ("End", 1)):
        page.keyboard.press(key)
        expect(tabs.nth(chosen)).to_be_focused()
        expect(tabs.nth(chosen)).to_have_attribute("aria-selected", "true")
        assert [tab.get_attribute("tabindex") for tab in tabs.all()] == ["0" if n == chosen else "-1" for n in (0, 1)]
    expect(page.get_by_text("Words of the second.")).to_be_visible()
    expect(page.get_by_text("Words of the first.")).not_to_be_visible()


def test_an_arrow_leads_to_the_tab_that_it_points_to(arrive: Callable[..., Page]) -> None:
    """On a page that is written from right to left the second one is left of the first."""
    page = arrive("three/")
    page.evaluate("document.dir = 'rtl'")
    tabs = page.get_by_role("tab")
    boxes = [tab.bounding_box() for tab in tabs.all()]
    assert boxes[2]["x"] < boxes[1]["x"] < boxes[0]["x"]  # type: ignore[index]
    tabs.nth(0).focus()
    page.keyboard.press("ArrowLeft")
    expect(tabs.nth(1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(0)).to_be_focused()


def test_sets_of_one_key_follow_each_other(arrive: Callable[..., Page]) -> None:
    """And the one that was clicked stays where it is, whatever grows above it."""
    page = arrive()
    expect(page.get_by_text("Chosen words.")).to_be_visible()
    tab = page.get_by_role("tablist").nth(1).get_by_role("tab", name="JavaScript")
    tab.scroll_into_view_if_needed()
    before = tab.bounding_box()
    tab.click()
    expect(page.get_by_text("Other words.")).to_be_visible()
    expect(page.get_by_text("Words of the second.")).to_be_visible()
    after = tab.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) <= 1


@pytest.mark.parametrize("address", ["all/#deep", "all/"])
def test_a_link_leads_into_a_panel_that_was_not_shown(arrive: Callable[..., Page], address: str) -> None:
    """From elsewhere and from the page itself; so does a search in the page, where browsers can."""
    page = arrive(address)
    if "#" not in address:
        expect(page.locator("#deep")).not_to_be_visible()
        page.get_by_role("link", name="a link").first.click()
    expect(page.locator("#deep")).to_be_in_viewport()
    expect(page.get_by_role("tab", name="JavaScript").first).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("way", ["no script", "script that never came", "paper"])
def test_all_panels_stand_with_their_titles_where_nobody_can_choose(arrive: Callable[..., Page], way: str) -> None:
    """Without scripts, straight from a disk where modules do not load, and on paper; what folds is open there."""
    page = arrive(java_script_enabled=way != "no script")
    if way == "script that never came":
        page.route("**/tabs.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
        page.reload()
    if way == "paper":
        page.emulate_media(media="print")
        for words in ("Hidden words.", "More hidden words."):
            expect(page.get_by_text(words, exact=True)).to_be_visible()
        expect(page.locator(".code-copy").first).to_be_hidden()
    for words in ("Words of the first.", "Words of the second.", "Other words.", "Chosen words."):
        expect(page.get_by_text(words)).to_be_visible()
    assert page.locator(".tab-title").all_inner_texts() == ["Python", "JavaScript", "JavaScript", "Python"]
    expect(page.get_by_role("tablist")).to_have_count(0)


def test_code_is_copied_by_keyboard_without_numbers_and_said_to_be(arrive: Callable[..., Page]) -> None:
    """A button for each block, whose words change; a screen reader hears it."""
    page = arrive(permissions=["clipboard-read", "clipboard-write"])
    block = page.locator("figure.code-block")
    button = block.get_by_role("button")
    block.locator(".code").focus()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(button).to_have_text("Copied")
    expect(page.get_by_role("status")).to_have_text("Copied")
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.startswith("import torch\n\nloss = ")
    page.evaluate("(code) => getSelection().selectAllChildren(code)", block.locator("code").element_handle())
    assert page.evaluate("getSelection().toString()").strip() == code.strip()
    expect(button).to_have_text("Copy", timeout=5000)


def test_code_can_be_read_and_selected_where_nothing_can_be_copied(arrive: Callable[..., Page]) -> None:
    """A browser that refuses the clipboard leaves the code selected; without scripts there is no button."""
    page = arrive()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    page.locator("figure.code-block").get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("Press Ctrl+C")
    assert "import torch" in page.evaluate("getSelection().toString()")
    expect(arrive(java_script_enabled=False).locator(".code-copy")).to_have_count(0)


def test_marked_lines_are_told_apart_in_any_colours(arrive: Callable[..., Page]) -> None:
    """By a bar at their side where a reader's system chooses the colours; they are as wide as what scrolls."""
    page = arrive(forced_colors="active")
    marked, plain = page.locator(".line-marked").first, page.locator(".line:not(.line-marked)").first
    expect(marked).to_have_css("border-inline-start-width", "4px")
    expect(plain).to_have_css("border-inline-start-width", "0px")
    widths = [line.bounding_box()["width"] for line in page.locator(".line").all()]  # type: ignore[index]
    assert len(set(widths)) == 1
    assert widths[0] > page.locator("figure .code").bounding_box()["width"]  # type: ignore[index]


def test_what_folds_opens_by_keyboard(arrive: Callable[..., Page]) -> None:
    """A callout, and an article's own details."""
    page = arrive(java_script_enabled=False)
    for title, words in (("What opens", "Hidden words."), ("An article's own", "More hidden words.")):
        expect(page.get_by_text(words, exact=True)).not_to_be_visible()
        page.get_by_text(title).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text(words, exact=True)).to_be_visible()


def test_columns_fall_together_on_a_phone(arrive: Callable[..., Page]) -> None:
    """Side by side on a desk, one below the other below 600 px; nothing is wider than the window."""
    page = arrive()
    for width, aside in ((1280, True), (599, False), (360, False)):
        page.set_viewport_size({"width": width, "height": 800})
        left, right = (column.bounding_box() for column in page.locator(".column").all())
        assert left
        assert right
        assert (left["y"] == right["y"]) == aside
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_block(arrive: Callable[..., Page], scheme: str) -> None:
    """With everything open, in both themes."""
    page = arrive(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    page.wait_for_function("document.getAnimations().length === 0")
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["target"] for n in v["nodes"]][:5], v["nodes"][0]["failureSummary"]) for v in found]


def test_prose_loads_no_script_of_blocks(arrive: Callable[..., Page]) -> None:
    """A page pays for what is on it."""
    for address, expected in (("prose/", set()), ("all/", {"code.js", "tabs.js"})):
        scripts = arrive(address).locator("script[src]").all()
        assert {(s.get_attribute("src") or "").rpartition("/")[2] for s in scripts} & {"code.js", "tabs.js"} == expected
