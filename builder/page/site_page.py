"""`SitePage`: where a page is, and the addresses of everything else from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from markupsafe import Markup

from ..assets import Assets
from ..site import Site
from ..slug import tag_slug

__all__ = ["FEED", "LostPage", "SitePage", "page_path", "tag_path"]

FEED = "feed.xml"


@dataclass(frozen=True)
class SitePage:
    """A page of the site, as templates see it: where it is, and the addresses of everything else from there."""

    path: str
    """The page's own path in the site, `SLUG/index.html`."""
    site: Site
    theme: jinja2.Environment
    assets: Assets

    def url(self, path: str) -> str:
        """Return the address of a path in the site, relative to this page: it works under any base and in no base."""
        here, there = self.path.split("/")[:-1], path.split("/")
        shared = 0
        while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
            shared += 1
        relative = "../" * (len(here) - shared) + "/".join(there[shared:])
        if there[-1] == "index.html":  # a folder's address is the folder
            relative = relative[: -len("index.html")] or "./"
        return quote(relative)

    def asset(self, name: str) -> str:
        """Return the address of one of the theme's files."""
        return self.url(self.assets.path(name))

    def part(self, name: str, /, **context: Any) -> Markup:
        """Render `theme/parts/NAME.html`."""
        name = name.removesuffix(".html")
        return Markup(self.theme.get_template(f"parts/{name}.html").render(page=self, **context))

    def tag(self, name: str) -> str:
        """Return the address of the page of a tag."""
        return self.url(tag_path(name))

    def full(self, path: str) -> str | None:
        """Return the full address of a path in the site, where its `base_url` is known."""
        base = self.site.base_url
        return f"{base}{quote(path.removesuffix('index.html'))}" if base else None

    @property
    def canonical(self) -> str | None:
        """The page's full address where the site's `base_url` is known."""
        return self.full(self.path)

    @property
    def feed(self) -> str | None:
        """The address of the site's feed, where there is one: what it says needs full addresses."""
        return self.url(FEED) if self.site.base_url and self.site.feed_length else None


@dataclass(frozen=True)
class LostPage(SitePage):
    """The 404 page: servers show it at any depth, so its addresses start at the site's root."""

    def url(self, path: str) -> str:
        """Return the address of a path in the site from the root of the host."""
        return (urlsplit(self.site.base_url).path or "/") + quote(path.removesuffix("index.html"))

    @property
    def canonical(self) -> str | None:
        """It stands for every address that leads nowhere, and has none of its own."""
        return None


def page_path(slug: str) -> str:
    """Return where an article's page lies in the site."""
    return f"{slug}/index.html"


def tag_path(tag: str) -> str:
    """Return where the page of a tag lies in the site."""
    return f"tags/{tag_slug(tag)}/index.html"
