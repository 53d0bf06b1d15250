"""`list_articles` and `list_contents`: all files of a site that are no article and no asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import jinja2

from ..assets import Assets
from ..page import FEED, SitePage, tag_path
from ..site import Site
from ..summary import Summary, in_order
from ..thumbnails.cards import find_site_card
from .feed import make_feed
from .order import by_tag
from .pages import Lists
from .search import can_search, search_files

__all__ = ["list_articles", "list_contents"]

SITEMAP = "sitemap.xml"


def list_articles(
    summaries: Iterable[Summary], site: Site, theme: jinja2.Environment, assets: Assets
) -> dict[str, bytes | Path]:
    """Return the files that name articles, by their path in the site: index, tags, sitemap, and robots, 404 with them.

    Drafts are listed, for who asks for drafts wants to see them, but the sitemap does not have them. It needs full
    addresses: without `base_url` there is none, nor a card for links to these pages.

    Raises `BuildError` if the card cannot be drawn.
    """
    articles = in_order(summaries)
    image, card = find_site_card(theme, site)
    files = Lists(articles, site, theme, assets, can_search(site) and bool(articles), image).render()
    if site.base_url:
        published = [article for article in articles if not article.draft]
        files[SITEMAP] = _sitemap(published, SitePage(SITEMAP, site, theme, assets))
    page = SitePage("robots.txt", site, theme, assets)
    files["robots.txt"] = theme.get_template("robots.txt").render(sitemap=page.full(SITEMAP))
    return {**{path: text.encode("utf-8", "replace") for path, text in files.items()}, **card}


def list_contents(
    summaries: Iterable[Summary],
    site: Site,
    theme: jinja2.Environment,
    assets: Assets,
    read_page: Callable[[Summary], str],
    *,
    old_search: bool = False,
) -> dict[str, bytes | Path]:
    """Return the files that hold what articles say: the feed, if the site has a `base_url`, and the search's index.

    `read_page` returns the HTML of an article's page; it is called for those that the feed holds and that are not
    stored from an earlier build, and for all where an index of the search is made. With `old_search` that of an earlier
    build will do. Drafts are not in the feed.

    Raises `BuildError` if the index of the search cannot be made.
    """
    articles = in_order(summaries)
    files: dict[str, bytes | Path] = {}
    if site.base_url and site.feed_length:
        published = [article for article in articles if not article.draft]
        files[FEED] = make_feed(published, site, theme, assets, read_page).encode("utf-8", "replace")
    if articles and can_search(site):
        files |= search_files(articles, site, read_page, old=old_search)
    return files


def _sitemap(published: Sequence[Summary], page: SitePage) -> str:
    """Return the sitemap: days are those of front matter, for a date of the build would be another each time."""
    days = {article.page: article.updated or article.date for article in published}
    newest = max((day for day in days.values() if day), default=None)
    tags = [tag_path(name) for name, _ in by_tag(published).values()]
    paths = {"index.html": newest, **days, **dict.fromkeys(["tags/index.html", *tags] if tags else [])}
    places = [(page.full(path), day) for path, day in paths.items()]
    return page.theme.get_template(SITEMAP).render(places=places)
