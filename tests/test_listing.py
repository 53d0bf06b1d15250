"""Tests of the files of a site that are no article: index, tags, sitemap, robots, the page of a wrong address."""

from __future__ import annotations

import datetime
import json
import posixpath
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from listed import BASE, Listed, site, summary

from builder.assets import Assets
from builder.build import Builder
from builder.listing import list_articles, list_contents
from builder.listing.order import PER_PAGE, by_year, divide
from builder.site import find_site
from builder.summary import Summary, Thumbnail, in_order
from builder.templates import make_theme

ROOT = Path(__file__).parents[1]
HOSTILE = "</title><script>alert(1)</script> & \"quotes\" 'too' ]]> \x0b"


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listed:
    """`listed(articles)`: the files that list them, as text."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))

    def listed(articles: list[Summary], **settings: Any) -> dict[str, str]:
        own = site(tmp_path, **settings)
        assets = Assets("assets/x", {"assets/x/css/fanlight.css": b"", "assets/x/favicon.svg": b""})
        basis = (articles, own, make_theme(own), assets)
        contents = list_contents(*basis, lambda _: "<div class='article-body'><p>Words.</p></div>")
        files = {**list_articles(*basis), **contents}
        return {path: content.decode() for path, content in files.items() if isinstance(content, bytes)}

    return listed


class Links(HTMLParser):
    """Collects where a page leads, and the text of its headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.headings: list[tuple[str, str]] = []
        self.scripts: list[dict[str, str | None]] = []
        self._tag = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an address."""
        given = dict(attrs)
        self.found += [value for name in ("href", "src") if (value := given.get(name))]
        if tag == "script":
            self.scripts.append(given)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((tag, ""))
        self._tag = tag

    def handle_data(self, data: str) -> None:
        """Note a heading."""
        if self.headings:
            tag, text = self.headings[-1]
            self.headings[-1] = (tag, text + data)


def titles(html: str) -> list[str]:
    """Return the titles that a page lists."""
    return re.findall(r'<h3><a href="[^"]*">([^<]*)</a></h3>', html)


def test_the_index_lists_articles_newest_first_and_undated_ones_last(listed: Listed) -> None:
    """Two of a day are in the order of their slugs, so that no build lists them otherwise."""
    articles = [summary(9), summary(1, slug="z"), summary(1, slug="b", title="B"), summary(3, date=None, title="None")]
    assert titles(listed(articles)["index.html"]) == ["B", "Article 1", "Article 9", "None"]


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, [0]), (1, [1]), (50, [50]), (55, [55]), (60, [50, 10]), (101, [50, 51])]
)
def test_pages_hold_fifty_articles_and_none_a_few(count: int, sizes: list[int]) -> None:
    """A last page of less than ten joins the one before it."""
    assert [len(page) for page in divide([summary(n) for n in range(count)])] == sizes


def test_every_article_is_on_one_page_of_the_index(listed: Listed) -> None:
    """The second page lies at page/2/, and each page leads to the next and back."""
    files = listed([summary(n) for n in range(2 * PER_PAGE + 20)])
    pages = ["index.html", "page/2/index.html", "page/3/index.html"]
    assert [title for page in pages for title in titles(files[page])] == [f"Article {n}" for n in range(120)]
    assert 'rel="next" href="page/2/"' in files["index.html"]
    assert 'rel="prev" href="../../"' in files["page/2/index.html"]
    assert "page/4/index.html" not in files


def test_many_articles_stand_under_the_year_of_each() -> None:
    """A few need no years; those without a date come under a title of their own."""
    many = in_order([*(summary(40 * n) for n in range(12)), summary(0, slug="x", date=None)])
    assert [(year, len(found)) for year, found in by_year(many)] == [
        ("2026", 2),
        ("2025", 9),
        ("2024", 1),
        ("Undated", 1),
    ]
    assert [year for year, _ in by_year(many[:5])] == [""]


def test_headings_follow_one_another(listed: Listed) -> None:
    """One h1, then h2 for each year, then h3 for each article: a screen reader walks through them."""
    for count in (1, 30):
        levels = [tag for tag, _ in Links(listed([summary(30 * n) for n in range(count)])["index.html"]).headings]
        assert levels[:3] == ["h1", "h2", "h3"]
        assert levels.count("h1") == 1
        assert levels.count("h3") == count


def test_a_site_without_articles_says_so(listed: Listed) -> None:
    """A theme's author may see one."""
    files = listed([])
    assert "No articles yet" in files["index.html"]
    assert not [path for path in files if path.startswith("tags/")]


def test_tag_pages_list_the_articles_of_a_tag(listed: Listed) -> None:
    """And the page of all tags how many each has."""
    files = listed([summary(0, tags=("heads", "logit lens")), summary(1, tags=("heads",)), summary(2)])
    assert titles(files["tags/heads/index.html"]) == ["Article 0", "Article 1"]
    assert titles(files["tags/logit-lens/index.html"]) == ["Article 0"]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", files["tags/index.html"]))
    assert "heads 2 articles" in text
    assert "logit lens 1 article " in text


def test_a_tag_of_many_articles_has_further_pages(listed: Listed) -> None:
    """They lie below the tag's own address."""
    files = listed([summary(n, tags=("heads",)) for n in range(70)])
    assert len(titles(files["tags/heads/index.html"])) == 50
    assert len(titles(files["tags/heads/2/index.html"])) == 20


def test_every_link_of_every_list_leads_somewhere(listed: Listed) -> None:
    """To a file of the site, whichever the depth of the page; the page of a wrong address starts at the host's root."""
    picture = Thumbnail("a0/t.png", 4, 3)
    articles = [summary(n, tags=("heads", "C++", "東京", f"t{n % 7}"), thumbnail=picture) for n in range(70)]
    files = listed(articles)
    known = {
        *files,
        *(article.page for article in articles),
        picture.path,
        "assets/x/css/fanlight.css",
        "assets/x/favicon.svg",
    }
    for path in files:
        if path.endswith(".html"):
            for url in Links(files[path]).found:
                if url.startswith("#"):
                    continue
                target = unquote(urljoin(BASE + path, url).partition("#")[0]).removeprefix(BASE)
                assert target in known or posixpath.join(target, "index.html") in known, f"{path}: {url}"


def test_what_authors_write_is_text_in_every_list(listed: Listed) -> None:
    """Titles, descriptions, names and tags cannot open an element, nor end a script."""
    article = summary(0, title=HOSTILE, description=HOSTILE, authors=(HOSTILE,), tags=(HOSTILE,), excerpt=HOSTILE)
    files = listed([article], title=HOSTILE, description=HOSTILE, license=HOSTILE)
    for path, text in files.items():
        assert "<script>alert" not in text, path
        if path.endswith(".xml"):
            ET.fromstring(text)
    structured = re.search(r'<script type="application/ld\+json">(.*?)</script>', files["index.html"], re.DOTALL)
    assert structured
    assert json.loads(structured[1])["blogPost"][0]["headline"] == HOSTILE


def test_pages_say_what_they_are_to_other_sites(listed: Listed) -> None:
    """Index and tag pages have an address, a title and a description; without `base_url` no address is invented."""
    with_address = listed([summary(0, tags=("heads",))], description="About it.")
    assert f'<meta property="og:url" content="{BASE}tags/heads/">' in with_address["tags/heads/index.html"]
    assert '<meta property="og:title" content="A &amp; B">' in with_address["index.html"]
    assert f'<link rel="canonical" href="{BASE}">' in with_address["index.html"]
    assert (
        '<link rel="alternate" type="application/atom+xml" title="A &amp; B" href="../../feed.xml">'
        in (with_address["tags/heads/index.html"])
    )
    without = listed([summary(0)], base_url="")
    assert "og:url" not in without["index.html"]
    assert "ld+json" not in without["index.html"]
    assert "atom+xml" not in without["index.html"]


def test_the_sitemap_has_full_addresses_and_the_days_of_the_front_matter(listed: Listed) -> None:
    """No drafts, and no day that nobody wrote."""
    day = datetime.date(2026, 4, 5)
    articles = [summary(0, updated=day), summary(1, date=None, tags=("a b",)), summary(2, draft=True, tags=("secret",))]
    tree = ET.fromstring(listed(articles)["sitemap.xml"])
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = {url.findtext(f"{name}loc"): url.findtext(f"{name}lastmod") for url in tree}
    assert found == {
        BASE: "2026-04-05",
        f"{BASE}a0/": "2026-04-05",
        f"{BASE}a1/": None,
        f"{BASE}tags/": None,
        f"{BASE}tags/a-b/": None,
    }


def test_robots_are_told_of_the_sitemap(listed: Listed) -> None:
    """Where the address is known; else there is neither sitemap nor feed."""
    assert listed([summary(0)])["robots.txt"].splitlines()[-1] == f"Sitemap: {BASE}sitemap.xml"
    without = listed([summary(0)], base_url="")
    assert without["robots.txt"] == "User-agent: *\nAllow: /\n"
    assert not {"sitemap.xml", "feed.xml"} & set(without)
    assert "feed.xml" not in listed([summary(0)], feed_length=0)


def test_the_same_articles_make_the_same_bytes(listed: Listed) -> None:
    """In whichever order they are handed over."""
    articles = [summary(n % 9, slug=f"s{n}", tags=("a", "B", "b")[: n % 4]) for n in range(70)]
    assert listed(articles) == listed(articles[::-1])


def test_a_draft_is_marked_where_drafts_are_shown(listed: Listed) -> None:
    """Who builds with drafts sees which they are."""
    assert ">Draft<" in listed([summary(0, draft=True)])["index.html"]
    assert ">Draft<" not in listed([summary(0)])["index.html"]


def test_a_theme_of_a_site_changes_how_an_article_is_listed(tmp_path: Path, listed: Listed) -> None:
    """`theme/parts/entry.html` is one of the templates that a site may have of its own."""
    own = tmp_path / "theme" / "parts" / "entry.html"
    own.parent.mkdir(parents=True)
    own.write_text("{% macro entry(page, article) %}<li>{{ article.title }}!</li>{% endmacro %}", encoding="utf-8")
    assert "<li>Article 0!</li>" in listed([replace(summary(0))])["index.html"]


def test_a_theme_fills_a_block_with_what_the_front_matter_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`comments: true` reaches the block of a site's own theme, which extends ours; without it there are none."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    files = {
        "pyproject.toml": "[tool.fanlight]\nsearch = false\n",
        "theme/article.html": '{% extends "fanlight/article.html" %}{% block comments %}{% if meta.comments %}'
        '<section data-repo="{{ meta.comments.repo if meta.comments is mapping else "none" }}">{{ page.canonical }}'
        "</section>{% endif %}{% endblock %}",
        "content/a/article.md": "---\ntitle: A\ncomments: true\n---\n\nWords.\n",
        "content/b/article.md": "---\ntitle: B\ncomments: {repo: me/site}\n---\n\nWords.\n",
        "content/c/article.md": "---\ntitle: C\n---\n\nWords.\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    Builder(find_site(tmp_path, base_url=BASE)).build()
    pages = {slug: (tmp_path / "_site" / slug / "index.html").read_text(encoding="utf-8") for slug in "abc"}
    assert f'<section data-repo="none">{BASE}a/</section>' in pages["a"]
    assert f'<section data-repo="me/site">{BASE}b/</section>' in pages["b"]
    assert "data-repo" not in pages["c"]
    assert "Words." in pages["a"]
