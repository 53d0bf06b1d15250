"""Pages and parts of pages as the theme's templates make them, and a reader that is as strict as XML."""

from __future__ import annotations

import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from markupsafe import Markup

from builder.article import Affiliation, Author, Meta
from builder.assets import Assets
from builder.figure import Check, Result
from builder.page import SitePage
from builder.site import Site
from builder.templates import make_theme

__all__ = ["META", "RESULT", "SITE", "THEME", "Page", "common", "site_page"]

THEME = Path(__file__).resolve().parent.parent / "theme"

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

LAB = Affiliation("The Lab & Co.", "lab", "https://example.org/lab")
META = Meta(
    title="Ranks < 10 & more",
    slug="ranks",
    subtitle="A subtitle",
    description='It says "what" & why.',
    date=datetime.date(2026, 11, 2),
    updated=datetime.date(2026, 11, 20),
    authors=(
        Author(
            "Ada <Lovelace>", "https://example.org/ada", "0000-0002-1825-0097", None, (LAB,), equal_contributor=True
        ),
        Author("Grace Hopper", affiliations=(LAB, Affiliation("Navy"))),
        Author("Alan Turing"),
    ),
    license="CC-BY-4.0",
    doi="10.5281/zenodo.1",
    draft=True,
)
RESULT = Result(
    "f" * 64,
    "saliency",
    {},
    {"rows sum to 1": Check(2e-5, 1e-4)},
    {
        "model": "org/model",
        "revision": "abc",
        "license": "MIT",
        "class": "LlamaForCausalLM",
        "dtype": "float32",
        "prompt": "1 < 2 &\n3",
        "generation": {"generate": 6, "do_sample": True, "temperature": 0.7, "top_k": 50, "top_p": 1.0, "seed": 0},
        "params": {"detail": False, "contrast": None},
        "versions": {"torch": "2.13.0"},
        "date": "2026-11-21",
    },
)
NAMES = (
    "css/fanlight.css",
    "favicon.svg",
    "js/toc.js",
    "fonts/text-latin.woff2",
    "katex/fonts/KaTeX_Main-Regular.woff2",
)
SITE = Site(
    root=THEME.parent,
    output=THEME.parent / "_site",
    title="A & B",
    description="Of <things>",
    base_url="https://x.org/y/",
)


class Page(HTMLParser):
    """Reads a page as strictly as XML, void elements apart: every tag is closed, in order; ids are unique."""

    def __init__(self, html: str) -> None:
        super().__init__()
        html = str(html)  # not Markup, whose pieces would escape what is joined to them
        self.open: list[str] = []
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        assert len(self.ids) == len(set(self.ids)), f"twice: {self.ids}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        assert len(attrs) == len(dict(attrs)), f"an attribute twice in <{tag}>"
        self.elements.append((tag, dict(attrs)))
        if "id" in dict(attrs):
            self.ids.append(str(dict(attrs)["id"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself, as SVG's do."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data: str) -> None:
        """Collect the text."""
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def site_page(kind: type[SitePage] = SitePage, path: str = "ranks/index.html") -> SitePage:
    """Return a page of a site without articles."""
    return kind(path, SITE, make_theme(SITE), Assets("assets/d", {f"assets/d/{name}": b"" for name in NAMES}))


def common(page: SitePage) -> dict[str, Any]:
    """Return what every template gets."""
    return {
        "page": page,
        "site": page.site,
        "root": page.url("index.html"),
        "version": "0.1",
        "stylesheets": [page.asset("css/fanlight.css")],
        "scripts": [page.asset("js/toc.js")],
        "import_map": Markup('{"imports":{"d3":"../assets/d/d3.js"}}'),
    }
