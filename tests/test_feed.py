"""Tests of the feed: the newest articles in full, as a reader of feeds takes them."""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser
import pytest

from builder.assets import Assets
from builder.listing.feed import make_feed
from builder.listing.shades import read_colours
from builder.site import Site
from builder.summary import Summary
from builder.templates import make_theme

CSS = b":root { --figure-scale-6: light-dark(#010203, #ffffff); --paper: light-dark(#fff, #000); }"
DAY = datetime.date(2026, 3, 1)
Feed = Callable[..., str]


def summary(n: int = 0, **given: Any) -> Summary:
    """Return an article."""
    told = {"slug": f"a{n}", "page": f"a{n}/index.html", "title": f"Article {n}", "date": DAY, "digest": f"d{n}"}
    return Summary(**{**told, **given})


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """`feed(articles)`: the feed of a site; `read` gives an article's page."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))

    def feed(articles: list[Summary], read: Callable[[Summary], str] | None = None, **settings: Any) -> str:
        given = {"title": "A & B", "base_url": "https://example.org/project/", **settings}
        site = Site(tmp_path, tmp_path / "_site", **given)
        assets = Assets("assets/x", {"assets/x/css/fanlight.css": CSS})
        page = read or (lambda article: f'<div class="article-body"><p>Text of {article.slug}.</p></div>')
        return make_feed(articles, site, make_theme(site), assets, page)

    return feed


def test_the_colours_are_those_of_the_day() -> None:
    """As the site's style sheet has them."""
    assert read_colours(CSS.decode()) == {"--figure-scale-6": "#010203"}


def test_a_reader_reads_the_feed(feed: Feed) -> None:
    """Without complaint, and finds all that Atom has a place for."""
    article = summary(
        description="What it says.", authors=("Ada", "Grace"), tags=("heads", "logit lens"), updated=DAY.replace(day=9)
    )
    found = feedparser.parse(feed([article], license="CC-BY-4.0").encode())
    assert found.bozo == 0
    assert found.version == "atom10"
    assert (found.feed.title, found.feed.id) == ("A & B", "https://example.org/project/feed.xml")
    assert {link.rel: link.href for link in found.feed.links}["self"] == found.feed.id
    (entry,) = found.entries
    assert (entry.id, entry.link, entry.title) == (*["https://example.org/project/a0/"] * 2, "Article 0")
    assert (entry.published, entry.updated) == ("2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z")
    assert [author.name for author in entry.authors] == ["Ada", "Grace"]
    assert [tag.term for tag in entry.tags] == ["heads", "logit lens"]
    assert entry.summary == "What it says."
    assert entry.content[0].value == "<p>Text of a0.</p>"
    assert entry.content[0].type == "text/html"


def test_shades_pass_a_readers_own_filter(feed: Feed) -> None:
    """Readers let a few plain styles through, and feedparser is as strict as they are."""
    token = '<span class="token" style="--s:1">x</span>'
    text = feed([summary()], lambda _: f'<div class="article-body"><div class="figure-body">{token}</div></div>')
    style = feedparser.parse(text.encode()).entries[0].content[0].value
    assert re.search(r"background-color: *#[0-9a-f]{6}; *color: *#000", style)


def test_the_feed_holds_the_newest(feed: Feed) -> None:
    """An old article that was updated is news; one without a day is none."""
    articles = [summary(n, date=DAY - datetime.timedelta(days=n)) for n in range(5)]
    articles[4] = replace(articles[4], updated=DAY + datetime.timedelta(days=1))
    found = feedparser.parse(feed([*articles, summary(9, date=None)], feed_length=3).encode())
    assert [entry.title for entry in found.entries] == ["Article 4", "Article 0", "Article 1"]
    assert found.feed.updated == "2026-03-02T00:00:00Z"


def test_a_feed_of_nothing_is_one(feed: Feed) -> None:
    """Its day is none of the clock's."""
    assert feedparser.parse(feed([]).encode()).bozo == 0
    assert feed([]) == feed([])


def test_hostile_titles_and_texts_break_nothing(feed: Feed) -> None:
    """Signs that XML cannot hold are replaced, ends of sections are escaped."""
    wild = "]]></content><script>alert(1)</script> \x00\x0b\ufffe &"
    page = f'<div class="article-body"><p>{wild}</p><p>&#11;]]&gt;</p></div>'
    text = feed([summary(title=wild, description=wild, tags=(wild,), authors=(wild,))], lambda _: page)
    tree = ET.fromstring(text)
    value = tree.find(".//{*}content")
    assert value is not None
    assert "alert" not in str(value.text)
    assert feedparser.parse(text.encode()).bozo == 0


def test_an_entry_is_made_once(feed: Feed) -> None:
    """After an edit one is made anew; what no entry needs any more is not kept."""
    asked: list[str] = []

    def read(article: Summary) -> str:
        asked.append(article.slug)
        return f'<div class="article-body"><p>{article.digest}</p></div>'

    articles = [summary(n) for n in range(3)]
    first = feed(articles, read)
    assert feed(articles, read) == first
    assert asked == ["a0", "a1", "a2"]
    articles[1] = replace(articles[1], digest="edited")
    assert "edited" in feed(articles, read)
    assert asked[3:] == ["a1"]
