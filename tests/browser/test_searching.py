"""Readers search from the front page: by keyboard, under a sub-path, and nothing that is found is taken for markup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from served import BASE, serve_site
from visits import Visit, visit

from builder.build import Builder
from builder.listing.search import find_program
from builder.site import find_site

pytestmark = pytest.mark.skipif(find_program() is None, reason="the extra `search` is not installed")

ARTICLES = {
    "lens": (
        "The logit lens",
        "Reading a **residual** stream.\n\n## Ranks {#sec-ranks}\n\nA rank of a zebra in a list.",
    ),
    "hostile": (
        'Of `<img src=x onerror="alert(1)">` & zebras',
        "The zebra writes \\<img src=x onerror=alert(1)> and \\<b>bold\\</b>, a \\</mark> & more.",
    ),
    "heads": ("Heads", "What a head looks at."),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A small site, and the address where it is served under a sub-path."""
    root = tmp_path_factory.mktemp("searched")
    (root / "pyproject.toml").write_text('[tool.fanlight]\ntitle = "A site"\n', encoding="utf-8")
    for slug, (title, body) in ARTICLES.items():
        file = root / "content" / slug / "article.md"
        file.parent.mkdir(parents=True)
        file.write_text(f"---\ntitle: '{title}'\ndate: 2026-01-02\n---\n\n{body}\n", encoding="utf-8")
    Builder(find_site(root, base_url=f"https://example.org{BASE}")).build()
    server = serve_site(root / "_site")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def opened(chromium: Browser, host: str) -> Iterator[Visit]:
    """The front page; at the end nothing may have gone wrong, and nothing been asked of another host."""
    found = visit(chromium, host, BASE)
    yield found
    found.context.close()
    assert not found.complaints


def ask(page: Page, words: str) -> list[str]:
    """Search, and return the titles of what is found."""
    page.get_by_label("Search the articles").fill(words)
    page.wait_for_function("/found|Nothing/.test(document.querySelector('.search-status').textContent)")
    return page.locator(".search-title").all_text_contents()


def test_nothing_is_loaded_until_a_reader_wants_to_search(opened: Visit) -> None:
    """The index comes with the focus: who reads the list pays nothing."""
    opened.page.wait_for_load_state("networkidle")
    assert not [response.url for response in opened.responses if "pagefind" in response.url]
    with opened.page.expect_response("**/pagefind/pagefind.js"):
        opened.page.get_by_label("Search the articles").focus()


def test_words_lead_to_articles_and_sections(opened: Visit) -> None:
    """Results have title and excerpt with the words marked, and lead under the site's own path."""
    page = opened.page
    assert ask(page, "rank") == ["The logit lens"]
    assert page.locator(".search-status").text_content() == "1 article found"
    assert page.locator(".search-results mark").first.text_content().strip(" .").lower() in ("rank", "ranks")
    page.locator(".search-place", has_text="Ranks").click()
    page.wait_for_url(f"**{BASE}lens/#sec-ranks")


def test_what_is_found_is_text(opened: Visit) -> None:
    """Titles and excerpts of articles about markup make no elements."""
    page = opened.page
    titles = ask(page, "zebra")
    assert any("<img src=x" in title for title in titles)
    assert page.locator(".search-results img, .search-results b, .search-results script").count() == 0
    assert "<img src=x onerror=alert(1)>" in " ".join(page.locator(".search-results p").all_text_contents())


def test_a_word_that_no_article_has_is_said_to_be_none(opened: Visit) -> None:
    """In a live region, so that it is heard too."""
    assert ask(opened.page, "xylophone") == []
    status = opened.page.locator(".search-status")
    assert (status.text_content(), status.get_attribute("role")) == ("Nothing found.", "status")


def test_the_keyboard_goes_through_what_is_found(opened: Visit) -> None:
    """`/` to the field, arrows to the results and back, Escape to begin anew."""
    page = opened.page
    focused = "document.activeElement.className"
    page.keyboard.press("/")
    assert page.evaluate(focused) == "search-field"
    assert page.get_by_label("Search the articles").input_value() == ""
    ask(page, "zebra")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "search-title"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "search-field"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == "search-field"
    page.wait_for_function("!document.querySelector('.search-results').children.length")
    assert page.get_by_label("Search the articles").input_value() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_search_is_accessible(chromium: Browser, host: str, scheme: str) -> None:
    """With results shown, on a phone."""
    found = visit(chromium, host, BASE, color_scheme=scheme, viewport={"width": 360, "height": 800})
    ask(found.page, "zebra")
    report = Axe().run(found.page)
    assert report.violations_count == 0, report.generate_report()
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 360
    found.context.close()


def test_without_scripts_there_is_no_search(chromium: Browser, host: str) -> None:
    """A field that does nothing would be a promise."""
    found = visit(chromium, host, BASE, java_script_enabled=False)
    assert not found.page.get_by_label("Search the articles").is_visible()
    found.context.close()


def test_an_index_that_does_not_arrive_is_told(chromium: Browser, host: str) -> None:
    """And the rest of the page goes on."""
    found = visit(chromium, host, BASE)
    found.page.route("**/pagefind/*.js", lambda route: route.abort())
    found.page.get_by_label("Search the articles").fill("zebra")
    found.page.wait_for_function("document.querySelector('.search-status').textContent.includes('could not be loaded')")
    found.context.close()


def test_a_site_without_an_index_says_nothing_of_a_search(tmp_path: Path) -> None:
    """Where the setting is off there is no field, no script and no file."""
    (tmp_path / "pyproject.toml").write_text("[tool.fanlight]\nsearch = false\n", encoding="utf-8")
    file = tmp_path / "content" / "a" / "article.md"
    file.parent.mkdir(parents=True)
    file.write_text("---\ntitle: A\n---\n\nWords.\n", encoding="utf-8")
    Builder(find_site(tmp_path)).build()
    index = (tmp_path / "_site" / "index.html").read_text(encoding="utf-8")
    assert "search" not in index
    assert not (tmp_path / "_site" / "pagefind").exists()
