"""`make_feed`: the newest articles in full, as an Atom feed that needs neither our style sheets nor our scripts."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jinja2

from .. import __version__
from ..assets import Assets
from ..cache import write_atomically
from ..folders import cache_folder
from ..page import FEED, SitePage
from ..site import Site
from ..summary import Summary
from . import content, shades

__all__ = ["make_feed"]

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def make_feed(
    articles: Sequence[Summary],
    site: Site,
    theme: jinja2.Environment,
    assets: Assets,
    read_page: Callable[[Summary], str],
) -> str:
    """Return the feed. An article without a date has no place in it: a feed tells what is new.

    What an entry holds is kept in the user's cache by the digest of its page: after an edit one is made.
    """
    page = SitePage(FEED, site, theme, assets)
    dated = [article for article in articles if article.date or article.updated]
    newest = sorted(dated, key=_updated, reverse=True)[: site.feed_length]
    colours = shades.read_colours(assets.files.get(assets.path("css/fanlight.css"), b"").decode())
    store = _Store(site, colours)
    entries = [
        {
            "article": article,
            "url": page.full(article.page),
            "published": article.date or article.updated,
            "updated": _updated(article),
            "content": store.content(article, page.full(article.page) or "", read_page),
        }
        for article in newest
    ]
    store.prune()
    # a feed of nothing has been like that for ever; the clock would say something else each time
    updated = max(map(_updated, newest), default=datetime.date(1970, 1, 1))
    feed = theme.get_template(FEED).render(page=page, site=site, version=__version__, updated=updated, entries=entries)
    return _UNFIT.sub("\ufffd", feed)


def _updated(article: Summary) -> datetime.date:
    days = [day for day in (article.date, article.updated) if day]
    return max(days)


class _Store:
    """Contents in the user's cache, a folder a site; a cache that cannot be written is done without."""

    def __init__(self, site: Site, colours: Mapping[str, str]) -> None:
        name = hashlib.sha256(f"{site.root}\0{site.base_url}".encode()).hexdigest()[:16]
        self.folder = cache_folder() / "feed" / name
        self.colours = colours
        code = [Path(module.__file__ or "").read_bytes() for module in (content, shades)]
        self.ground = hashlib.sha256(b"".join(code) + repr(sorted(colours.items())).encode()).hexdigest()
        self.used: set[str] = set()

    def content(self, article: Summary, url: str, read_page: Callable[[Summary], str]) -> str:
        """Return what an entry holds."""
        digest = hashlib.sha256(f"{self.ground} {article.digest} {url}".encode())
        file = self.folder / f"{digest.hexdigest()}.html"
        self.used.add(file.name)
        if article.digest:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                return file.read_bytes().decode()
        made = content.make_content(read_page(article), url, self.colours)
        if article.digest:
            with contextlib.suppress(OSError):
                write_atomically(file, made.encode("utf-8", "replace"))
        return made

    def prune(self) -> None:
        """Remove what no entry needs any more."""
        with contextlib.suppress(OSError):
            for file in list(self.folder.iterdir()):
                if file.suffix == ".html" and file.name not in self.used:
                    file.unlink()
