"""Citations of real works in a browser, by number and by author and year: each leads somewhere, and each card fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from served import BASE, serve_site
from visits import Visit, visit

from builder.build import Builder
from builder.site import find_site

BIB = Path(__file__).parents[1] / "fixtures" / "bib"
STYLES = ("numbered", "author-year")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site with the same citations in each style: one of each work, and groups of up to four."""
    root = tmp_path_factory.mktemp("citations")
    (root / "bib").mkdir()
    works = []
    for name in ("real", "hostile"):
        text = (BIB / f"{name}.bib").read_text(encoding="utf-8")
        (root / "bib" / f"{name}.bib").write_text(text, encoding="utf-8")
        works += re.findall(
            r"^[ \t]*@(?!string|comment|xdata)\w+[{(]\s*([^\s,]+)\s*,", text, re.MULTILINE | re.IGNORECASE
        )
    groups = [works[first : first + n] for first, n in zip(range(0, 70, 5), (1, 2, 3, 4) * 4, strict=False)]
    body = "\n\n".join(
        "Some words of a sentence that goes on, so that citations stand where they may: "
        + " ".join(f"[@{{{key}}}]" for key in group)
        + f" and [see {'; '.join(f'@{{{key}}}, p. 3' for key in group)}]; @{{{group[0]}}} says so."
        for group in [*groups, *([key] for key in works)]
    )
    for style in STYLES:
        (root / "content" / style).mkdir(parents=True)
        (root / "content" / style / "article.md").write_text(
            f"---\ntitle: Citations\ncitation_style: {style}\n---\n\n{body}\n", encoding="utf-8"
        )
    (root / "pyproject.toml").write_text("[tool.fanlight]\nsearch = false\nsocial_cards = false\n")
    Builder(find_site(root)).build()
    server = serve_site(root / "_site")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def arrive(chromium: Browser, host: str) -> Iterator[Callable[..., Page]]:
    """Open an article for one test, in which nothing may go wrong."""
    visits: list[Visit] = []

    def arrive(style: str, width: int, **options: Any) -> Page:
        visits.append(visit(chromium, host, f"{BASE}{style}/", viewport={"width": width, "height": 700}, **options))
        visits[-1].page.wait_for_load_state("networkidle")
        return visits[-1].page

    yield arrive
    for opened in visits:
        opened.context.close()
    assert not [complaint for opened in visits for complaint in opened.complaints]


@pytest.mark.parametrize("style", STYLES)
def test_every_citation_leads_to_its_work_and_back(arrive: Callable[..., Page], style: str) -> None:
    """And to its card, whatever characters are in its key; no id is there twice."""
    page = arrive(style, 1280)
    lost = page.evaluate(
        """() => [...document.querySelectorAll("a[href^='#']")]
          .filter((a) => !document.getElementById(decodeURIComponent(a.getAttribute("href").slice(1)))
            || (a.dataset.card && !document.getElementById(a.dataset.card))).map((a) => a.outerHTML)"""
    )
    assert lost == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert page.locator(".citation-unknown").count() == 0
    works = page.locator(".references li").count()
    assert works > 70
    assert page.locator(".reference-backlinks").count() == works


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("width", [320, 1280])
def test_every_card_fits_the_window(arrive: Callable[..., Page], style: str, width: int) -> None:
    """Beside its link, above or below, with all works in it; and no page is wider than its window."""
    page = arrive(style, width)
    page.hover("h1")  # which loads the script of cards
    page.wait_for_selector("a[data-card][aria-haspopup]")
    outside = page.evaluate(
        """async () => {
          const found = [];
          const seen = new Set();
          for (const link of document.querySelectorAll(".article-body a[data-card]")) {
            if (seen.has(link.dataset.card)) continue;
            seen.add(link.dataset.card);
            link.scrollIntoView({ block: "center", behavior: "instant" });
            link.click();
            await new Promise(requestAnimationFrame);
            const card = document.getElementById(link.dataset.card);
            const box = card.getBoundingClientRect();
            const fits = box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight;
            const shown = card.matches(":popover-open") && fits && box.width >= 100;
            if (!shown) found.push([card.id, box.left, box.right, box.top, box.bottom]);
            link.click();
          }
          return [seen.size, found];
        }"""
    )
    assert outside[0] > 70
    assert outside[1] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_citations_by_author_and_year_are_for_everybody(arrive: Callable[..., Page], scheme: str) -> None:
    """The page with a card open has nothing that axe finds fault with."""
    page = arrive("author-year", 1280, color_scheme=scheme)
    page.locator(".article-body a[data-card*='+']").first.click()
    page.wait_for_timeout(300)  # it has appeared
    assert Axe().run(page).response["violations"] == []
