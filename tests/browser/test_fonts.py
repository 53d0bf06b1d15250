"""Web fonts: a page loads the letters that it has, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route
from served import BASE, serve_site
from test_pages import ARTICLES, PHONE
from visits import SHIFTS, visit

from builder.build import Builder
from builder.site import find_site

TEXTS = {
    "english": "Plain words: “quotes” – and 3 × 4 − 12…",
    "french": "Un mot, déjà.",
    "czech": "Jeden člověk.",
    "others": "Γνῶθι σεαυτόν. Привет. 東京.",
    "mathematics": "A sum $a + b$.",
}
FACES = {"text-latin", "display-latin", "ui-latin"}  # text, the title, what surrounds them
LOADED = {
    "english": FACES,
    "french": FACES | {"text-latin-rest"},
    "czech": FACES | {"text-latin-ext"},
    "others": FACES,
    "mathematics": FACES | {"KaTeX_Main-Regular", "KaTeX_Math-Italic"},
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site with an article for each text."""
    root: Path = tmp_path_factory.mktemp("fonts")
    (root / "pyproject.toml").write_text('[tool.fanlight]\ntitle = "Fonts"\nsearch = false\n')
    for slug, text in TEXTS.items():
        (root / "content" / slug).mkdir(parents=True)
        front = "---\ntitle: A page\ncitation: false\n---\n\n"
        (root / "content" / slug / "article.md").write_text(front + text, encoding="utf-8")
    Builder(find_site(root)).build()
    server = serve_site(root / "_site")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("slug", TEXTS)
def test_a_page_loads_the_fonts_of_its_letters(chromium: Browser, host: str, slug: str) -> None:
    """Accents and other Latin alphabets are files of their own; what no font of ours has is the system's."""
    opened = visit(chromium, host, f"{BASE}{slug}/")
    opened.page.wait_for_load_state("networkidle")
    opened.page.evaluate("document.fonts.ready.then(() => 0)")
    opened.context.close()
    names = [response.url.rpartition("/")[2] for response in opened.responses]
    assert {name.removesuffix(".woff2") for name in names if name.endswith(".woff2")} == LOADED[slug]
    assert not opened.complaints


@pytest.mark.weights
@pytest.mark.parametrize("slug", ARTICLES)
def test_letters_that_come_late_move_little(chromium: Browser, real_site: tuple[Path, str], slug: str) -> None:
    """On a phone with a slow network, one face after the other: stand-ins break titles into as many lines."""
    context = chromium.new_context(**PHONE)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    held: list[Route] = []
    page.route("**/fonts/*.woff2", lambda route: held.append(route))  # of `append` itself Playwright takes none
    page.goto(f"{real_site[1]}{BASE}{slug}/", wait_until="commit")
    page.locator(".byline").first.wait_for()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")  # painted without them
    assert page.evaluate(
        "[...document.fonts].every((face) => !/Fanlight/.test(face.family) || face.status !== 'loaded')"
    )
    for name in ("text-latin", "text-italic", "display", ""):
        for route in [route for route in held if name in route.request.url]:
            held.remove(route)
            route.continue_()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150)))")
    shifts = page.evaluate("window.shifts")
    assert page.evaluate("[...document.fonts].some((face) => /Display/.test(face.family) && face.status === 'loaded')")
    context.close()
    assert sum(value for value, *_ in shifts) < 0.05, shifts
