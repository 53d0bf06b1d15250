"""The theme's templates: well-formed pages with everything a reader needs, and nothing asked of other hosts."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from markupsafe import Markup
from themed import META, RESULT, SITE, THEME, Page, common, site_page

from builder.article import Author, Meta
from builder.page import LostPage, SitePage
from builder.page.byline import make_byline
from builder.page.cite_as import cite, doi_url
from builder.page.colophon import read_colophon
from builder.page.licence import read_licence
from builder.page.metadata import linked_data, script_json
from builder.summary import Summary, Thumbnail

TEMPLATES = sorted(path.relative_to(THEME).as_posix() for path in (*THEME.glob("*.html"), *THEME.glob("parts/*.html")))


def article(meta: Meta = META, content: str = "<p>Text.</p>", cards: str = "<div popover></div>", **given: Any) -> Page:
    """Render an article."""
    page = site_page()
    toc = [
        SimpleNamespace(
            level=level, number="", anchor=f"s{n}", text="A & B", html=Markup("A &amp; B"), in_appendix=n == 3
        )
        for n, level in enumerate((2, 3, 2, 2))
    ]
    licence = read_licence(meta.license) if meta.license else None
    html = page.theme.get_template("article.html").render(
        **common(page),
        article=None,
        meta=meta,
        document=None,
        content=Markup(content),
        toc=toc,
        appendix=Markup("<h2>Thanks</h2>"),
        footnotes=Markup(),
        references=Markup("<section></section>"),
        cards=Markup(cards),
        kinds=["saliency"],
        has_math=True,
        reading_minutes=3,
        summary=meta.description,
        byline=make_byline(meta.authors),
        doi_url=doi_url(meta.doi),
        licence=licence,
        cite_as=cite(meta, SITE, page.canonical) if meta.citation else None,
        citation_file="CITATION.cff",
        colophon=read_colophon([RESULT]),
        scholar=(("citation_title", meta.title),),
        newer=None,
        older=None,
        linked_data=script_json(linked_data(meta, SITE, page.canonical, (), licence, 3)),
        **given,
    )
    return Page(html)


def listing(template: str, kind: type[SitePage] = SitePage) -> Page:
    """Render a page that lists articles, or that of a wrong address."""
    page = site_page(kind, template)
    entry = page.theme.get_template("parts/entry.html").module.entry  # type: ignore[attr-defined]
    bare = Summary("bare", "bare/index.html", "Bare")
    whole = replace(bare, title="<b>", description="&", tags=("C++",), thumbnail=Thumbnail("ranks/t.png", 4, 3))
    listed: dict[str, Any] = {
        "years": [("", [entry(page, whole), entry(page, bare)])],
        "number": 1,
        "pages": ["./"],
        "tags": [("C++", 1)],
        "more_tags": 0,
        "search": True,
        "structured": None,
        "tag": "C++",
        "n_articles": 2,
    }
    return Page(page.theme.get_template(template).render(**common(page), **listed))


PAGES = {
    "article": article,
    "index": lambda: listing("index.html"),
    "tag": lambda: listing("tag.html"),
    "tags": lambda: listing("tags.html"),
    "404": lambda: listing("404.html", LostPage),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_says_what_it_gets(name: str) -> None:
    """The first thing in a template is a comment: who overrides it must know its context."""
    assert (THEME / name).read_text(encoding="utf-8").startswith("{#")


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_well_formed_with_one_of_each_landmark(name: str) -> None:
    """One h1, one main, one header and footer of the page, a language, a title; the skip link leads into main."""
    page = PAGES[name]()
    tags = [tag for tag, _ in page.elements]
    assert [tags.count(tag) for tag in ("html", "h1", "main", "footer", "title")] == [1, 1, 1, 1, 1]
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0]["href"] == f"#{page.all('main')[0]['id']}"


@pytest.mark.parametrize("name", PAGES)
def test_pages_ask_no_other_host_for_anything(name: str) -> None:
    """Scripts, styles, fonts and pictures come from the site; only links that a reader follows lead elsewhere."""
    page = PAGES[name]()
    asked = [
        a
        for tag, a in page.elements
        if tag in ("script", "img", "source", "link") and a.get("rel") not in ("canonical", "license")
    ]
    urls = [url for a in asked for url in (a.get("src"), a.get("href")) if url]
    assert urls
    assert not [url for url in urls if re.match(r"(?:[a-z]+:)?//", url)]


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_no_inline_handlers_and_one_inline_script(name: str) -> None:
    """Scripts are files, but for the import map and what must be before the first paint: theme, contents on phones."""
    page = PAGES[name]()
    assert not [key for _, a in page.elements for key in a if key.startswith("on")]
    inline = [a for a in page.all("script") if "src" not in a and a.get("type") != "application/ld+json"]
    assert [a.get("type") for a in inline] == [None, "importmap", *([None] if name == "article" else [])]


def test_the_lost_page_has_addresses_that_hold_at_any_depth() -> None:
    """A server shows it for x/y/z too: its addresses begin at the root of the host, under the site's base."""
    page = listing("404.html", LostPage)
    assert page.all("link")[-1]["href"] == "/y/assets/d/css/fanlight.css"
    assert {"href": "/y/"} in page.all("a")


def test_what_authors_write_is_escaped() -> None:
    """Titles, names and descriptions are text, wherever they stand."""
    page = article()
    assert "Ada <Lovelace>" in page.text
    assert {"name": "description", "content": 'It says "what" & why.'} in page.all("meta")


def test_an_article_with_a_title_only_is_whole() -> None:
    """Everything else in front matter may be missing; then nothing stands in its place."""
    page = article(Meta(title="Bare", slug="bare", toc=False), cards="")
    assert "None" not in page.text
    assert not page.all("nav")
    assert "DOI" not in page.text


def test_contributions_and_addresses_are_said_in_words() -> None:
    """A star says nothing to who cannot see it, and little to who can."""
    two = (Author("Ada", equal_contributor=True), Author("Grace", equal_contributor=True, email="grace@x.org"))
    page = article(replace(META, authors=(*two, Author("Alan"))))
    assert "These authors contributed equally: Ada and Grace." in page.text
    assert {"href": "mailto:grace@x.org"} in page.all("a")
    assert "All authors contributed equally." in article(replace(META, authors=two)).text


def test_what_comes_after_the_text_comes_in_order() -> None:
    """The author's sections, footnotes, references, how to cite, the licence, what it was made with."""
    page = article()
    said = ("Thanks", "Cite as", "@misc{", "CITATION.cff", "Reuse", "Colophon", "org/model", "in float32", "with torch")
    places = [page.text.rindex(word) for word in said]
    assert places == sorted(places)
    assert [a["href"] for a in page.all("a") if a.get("href") in ("#appendix", "#s3", "#references")] == [
        "#appendix",
        "#s3",
        "#references",
    ]


def test_an_article_that_is_not_to_be_cited_does_not_say_how() -> None:
    """`citation: false`."""
    page = article(replace(META, citation=False))
    assert "Cite as" not in page.text
    assert "cite-as" not in page.ids


def test_a_link_to_an_article_has_a_picture_where_there_is_one() -> None:
    """Whoever shows links gets the picture with its size and what it shows, and makes room for it."""
    image = SimpleNamespace(url="https://x.org/y/card.png", width=1200, height=630, alt='A "card"')
    tags = article(social_image=image).all("meta")
    assert {"property": "og:image", "content": image.url} in tags
    assert {"property": "og:image:width", "content": "1200"} in tags
    assert {"name": "twitter:image:alt", "content": image.alt} in tags
    assert {"name": "twitter:card", "content": "summary_large_image"} in tags
    assert {"name": "twitter:card", "content": "summary"} in article().all("meta")
    assert not [tag for tag in article().all("meta") if "image" in str(tag)]


def test_an_articles_head_names_people_topics_and_licence() -> None:
    """Drafts are to be found by nobody."""
    page = article(replace(META, tags=("a", "b")))
    assert [a["content"] for a in page.all("meta") if a.get("property") == "article:tag"] == ["a", "b"]
    assert next(a["content"] for a in page.all("meta") if a.get("name") == "author") == "Ada <Lovelace>"
    assert {"rel": "license", "href": "https://creativecommons.org/licenses/by/4.0/"} in page.all("link")
    assert {"name": "robots", "content": "noindex"} in page.all("meta")
    assert {"name": "robots", "content": "noindex"} not in article(replace(META, draft=False)).all("meta")


@pytest.mark.parametrize("name", ["favicon.svg", "parts/mark.html", "parts/fanlight.html"])
def test_our_drawings_are_well_formed(name: str) -> None:
    """An SVG with a mistake is shown by nobody."""
    text = re.sub(r"\{#.*?#\}", "", (THEME / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert ET.fromstring(text).tag.endswith("svg")
