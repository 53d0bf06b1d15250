"""Web fonts: a page loads the letters that it has, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from served import BASE, serve_site
from visits import visit

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
