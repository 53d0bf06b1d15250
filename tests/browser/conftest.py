"""A real Chromium, and pages with one figure of every kind found in `figures/`: a new folder brings its tests along."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from borrowed import PATIENCE, Pages, faults, listen, strangers
from chromium import ARGUMENTS, find_chromium
from harness import Harness, serve_harness
from kinds import SITE, example
from model_views import PAINTED
from playwright.sync_api import Browser, Page, expect, sync_playwright
from served import BASE, serve_site

from builder.build import Builder

OWN_CACHE = os.environ.get("FANLIGHT_CACHE")  # before the tests get one of their own

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The folder and its server."""
    with serve_harness(tmp_path_factory.mktemp("harness")) as harness:
        yield harness


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of this process."""
    path = find_chromium()
    assert path, "missing Chromium: run python tests/browser/chromium.py"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(chromium: Browser) -> Pages:
    """The pages of this process."""
    return Pages(chromium)


@pytest.fixture
def open_page(pages: Pages, harness: Harness) -> Iterator[Callable[..., Page]]:
    """Open an address in a page that nothing else has at the time; at the end, nothing may have gone wrong.

    `broken=True` for tests in which something goes wrong on purpose; `without` is a pattern of addresses to refuse.
    `own=True` where what other tests had loaded must not be there yet, or where what is done cannot be undone.
    """
    complaints: list[str] = []
    ours, quiet = strangers(complaints.append, harness.url, "file:"), faults(complaints.append)

    def open_page(
        address: str,
        *,
        width: int = 1000,
        height: int = 800,
        broken: bool = False,
        without: str | None = None,
        own: bool = False,
        **options: Any,
    ) -> Page:
        page = pages.lend(width, height, own=own or broken or without is not None, **options)
        if without:
            page.route(without, lambda route: route.abort())
        listen(page, ours)
        if not broken and not without:
            listen(page, quiet)
        page.goto(address)
        return page

    yield open_page
    pages.take_back({**ours, **quiet})
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def open_figure(open_page: Callable[..., Page], harness: Harness) -> Callable[..., Page]:
    """Open a page with one figure, `fig-it`, and wait until its view is drawn."""

    def open_figure(result: str | Mapping[str, Any], *, query: str = "", wait: bool = True, **options: Any) -> Page:
        result = example(result) if isinstance(result, str) else result
        address = harness.write(f"page-{len(list(harness.folder.glob('page-*.html')))}", {"fig-it": result})
        page = open_page(address + query, **options)
        if wait:
            page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        return page

    return open_figure


@pytest.fixture
def open_painted(open_figure: Callable[..., Page]) -> Callable[..., Page]:
    """Open a page with one figure, and wait until its heads are painted."""

    def open_painted(result: Any, **options: Any) -> Page:
        page = open_figure(result, **options)
        page.wait_for_function(PAINTED)
        return page

    return open_painted


@pytest.fixture(scope="session")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The site of this repository, with what smollm2 answers: its folder, and the address where it is served."""
    folder = tmp_path_factory.mktemp("site") / "built"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FANLIGHT_CACHE")
        if OWN_CACHE is not None:
            patch.setenv("FANLIGHT_CACHE", OWN_CACHE)
        Builder(replace(SITE, output=folder, base_url=f"https://example.org{BASE}")).build()
    server = serve_site(folder)
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
