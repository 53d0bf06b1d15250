"""A site whose language is written from right to left: so are its pages, but formulas, code and figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from served import BASE, serve_site

from builder.build import Builder
from builder.site import find_site

BODY = """
משפט עם נוסחה $x^2+y$ כאן.

$$
a = b
$$

- [ ] דבר

```python
print(1)
```
"""
FIGURE = '<figure class="figure" data-kind="tokens"><div class="figure-body"></div></figure>'
SHOWN = """() => Object.fromEntries([...document.querySelectorAll(
    ".article-body > p, p .katex, .equation-body, pre, .figure-body, .doi bdi")].map((e) =>
    [e.className || e.tagName, getComputedStyle(e).direction]))"""


@pytest.fixture(scope="module")
def page(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An article in Hebrew."""
    root = tmp_path_factory.mktemp("hebrew")
    (root / "content/a").mkdir(parents=True)
    (root / "content/a/article.md").write_text(
        f"---\ntitle: כותרת\ndoi: 10.5281/zenodo.1234567\n---\n{BODY}", encoding="utf-8"
    )
    (root / "pyproject.toml").write_text('[tool.fanlight]\nlanguage = "he"\nsearch = false\nsocial_cards = false\n')
    Builder(find_site(root)).build()
    server = serve_site(root / "_site")
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"http://127.0.0.1:{server.server_address[1]}{BASE}a/")
    yield page
    page.close()
    server.shutdown()


def test_what_is_not_language_keeps_its_direction(page: Page) -> None:
    """Text runs from right to left; formulas, code, figures and a DOI do not."""
    assert page.get_attribute("html", "dir") == "rtl"
    page.evaluate(f"document.querySelector('.article-body').insertAdjacentHTML('beforeend', '{FIGURE}')")
    found: dict[str, Any] = page.evaluate(SHOWN)
    assert found.pop("P") == "rtl"
    assert {"BDI", "katex", "equation-body", "code", "figure-body"} <= found.keys()
    assert set(found.values()) == {"ltr"}


def test_the_parts_of_a_formula_stand_in_their_order(page: Page) -> None:
    """KaTeX sets it in pieces, which a line of Hebrew would turn round."""
    pieces = page.locator("p .katex-base").evaluate_all("(all) => all.map((e) => e.getBoundingClientRect().left)")
    assert len(pieces) == 2
    assert pieces == sorted(pieces)


def test_the_box_of_a_task_stands_before_its_words(page: Page) -> None:
    """On the right of them."""
    box = page.locator(".task-box").bounding_box()
    item = page.locator(".task").bounding_box()
    assert box
    assert item
    right = item["x"] + item["width"]
    assert right - 24 < box["x"] + box["width"] <= right + 1
