"""Tests of what the preview does in the page: a real browser on a real preview server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from previewed import hear, write_site

TESTS = Path(__file__).parents[1]
IN_THE_WAY = '<p style="position: fixed; bottom: 0; z-index: 9">in the way</p>'
LONG = IN_THE_WAY + "".join(f'<h2 id="h{i}">{i}</h2>' + "<p>words</p>" * 8 for i in range(30))
MARK = "window.sameDocument = true"
IS_SAME = "window.sameDocument === true"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site of a long article and a short one."""
    return write_site(tmp_path / "site", {"a": LONG, "b": "<p>short</p>"}, "p { color: rgb(1, 1, 1) }")


@pytest.fixture
def show(site: Path, chromium: Browser) -> Iterator[Callable[[str], Page]]:
    """Start a server for the site and show a page of it; nothing may go wrong in the page."""
    env = {**os.environ, "PYTHONPATH": str(TESTS.parent), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, TESTS / "fixtures/preview/server.py", site]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = hear(process).split()[0]
    context = chromium.new_context(viewport={"width": 800, "height": 600})
    complaints: list[str] = []

    def show(path: str) -> Page:
        if "!!error" not in (site / "content/a/article.md").read_text():
            hear(process, "built in")
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url + path)
        page.evaluate(MARK)
        page.locator("fanlight-preview").wait_for(state="attached")  # it has heard from the server
        return page

    yield show
    context.close()
    process.kill()
    process.communicate(timeout=10)
    assert not complaints


def top(page: Page, anchor: str) -> float:
    """Return how far an element is from the top of the window."""
    return page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", anchor)


def test_a_prose_edit_shows_the_reader_the_same_place(site: Path, show: Callable[[str], Page]) -> None:
    """The heading stays where it was on the screen though text above it grew."""
    page = show("a/")
    page.evaluate("scrollTo(0, document.getElementById('h20').offsetTop - 60)")
    before, scrolled = top(page, "h20"), page.evaluate("scrollY")
    (site / "content/a/article.md").write_text("<p>more</p>" * 40 + LONG.replace("words", "new words"))
    page.wait_for_function("document.body.textContent.includes('new words')")
    page.wait_for_load_state("load")
    assert not page.evaluate(IS_SAME)
    assert abs(top(page, "h20") - before) <= 1
    assert page.evaluate("scrollY") > scrolled + 500
    page.mouse.wheel(0, -300)  # and then the page is the reader's again
    page.wait_for_function("history.scrollRestoration === 'auto'")
    page.wait_for_timeout(300)
    assert top(page, "h20") > before + 100


def test_a_style_edit_keeps_the_document(site: Path, show: Callable[[str], Page]) -> None:
    """What is pinned, open or half-typed in the page stays; one style sheet takes the other's place."""
    page = show("a/")
    for shade in (2, 3):
        (site / "theme/css/main.css").write_text(f"p {{ color: rgb({shade}, 1, 1) }}")
        expect(page.locator("p").first).to_have_css("color", f"rgb({shade}, 1, 1)")
        expect(page.locator("link[rel=stylesheet]:not([href*=__fanlight__])")).to_have_count(1)
    assert page.evaluate(IS_SAME)


def test_an_edit_elsewhere_leaves_the_page_alone(site: Path, show: Callable[[str], Page]) -> None:
    """Only readers of the article that changed see a reload, and they do also after other news."""
    page = show("a/")
    (site / "content/b/article.md").write_text("<p>longer</p>")
    page.wait_for_timeout(600)
    assert page.evaluate(IS_SAME)
    (site / "content/a/article.md").write_text("<p>at last</p>")
    page.get_by_text("at last").wait_for()


def test_errors_lie_over_a_page_that_stays_usable(site: Path, show: Callable[[str], Page]) -> None:
    """They are listed with their place as text, can be hidden, and go when they are mended, without a reload."""
    page = show("a/")
    article = site / "content/a/article.md"
    article.write_text("!!error")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("content/a/article.md:3:7")
    expect(alert).to_contain_text("unknown citation: <x>")
    expect(page.locator("#h1")).to_be_visible()
    assert page.evaluate("document.elementFromPoint(40, 595).localName") == "fanlight-preview"  # and not under it
    article.write_text(LONG)
    expect(alert).to_have_count(0)
    article.write_text("!!error")
    alert.get_by_role("button", name="Hide").click()
    expect(alert).to_have_count(0)
    assert page.evaluate(IS_SAME)


def test_a_site_that_cannot_be_built_yet_appears_when_it_can(site: Path, show: Callable[[str], Page]) -> None:
    """The preview's own page lists the errors, and gives way to the article."""
    article = site / "content/a/article.md"
    article.write_text("!!error")
    page = show("a/")
    expect(page.locator("ol.problems")).to_contain_text("unknown citation: <x>")
    article.write_text("<p>mended</p>")
    page.get_by_text("mended").wait_for()


def test_what_is_computed_is_said_in_the_page(site: Path, show: Callable[[str], Page]) -> None:
    """While a model works there is a line of text, and then the new page."""
    page = show("b/")
    (site / "content/b/article.md").write_text("<p>!!slow</p>")
    page.get_by_text("saliency for eu (0 of 1 done)").wait_for()
    page.get_by_text("!!slow").wait_for()
    expect(page.locator(".building")).to_have_count(0)
