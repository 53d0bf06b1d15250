"""The theme's templates: well-formed pages with everything a reader needs, and nothing asked of other hosts."""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from markupsafe import Markup

from builder.article import Affiliation, Author, Meta
from builder.assets import Assets
from builder.figure import Check, FigureSpec, Result
from builder.page import LostPage, SitePage
from builder.page.byline import make_byline
from builder.page.cite_as import cite, doi_url
from builder.page.colophon import read_colophon
from builder.page.licence import read_licence
from builder.page.metadata import linked_data, script_json
from builder.pictures import Picture, Source
from builder.site import Site
from builder.summary import Summary, Thumbnail
from builder.templates import make_theme

THEME = Path(__file__).resolve().parent.parent / "theme"
TEMPLATES = sorted(path.relative_to(THEME).as_posix() for path in (*THEME.glob("*.html"), *THEME.glob("parts/*.html")))

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


def panel(result: Result = RESULT, number: str = "", **given: Any) -> dict[str, Any]:
    """Return a panel of a computed figure as the page hands it to its templates."""
    shown = {"title": "", "result": result, "data": result.data, "body": Markup("<p>1 2 3</p>")}
    return {**shown, "data_url": f"../data/f{number}.json", **given}


def figure(**given: Any) -> Page:
    """Render a computed figure."""
    spec = FigureSpec(1, "fig-eu", THEME, 1, layout="page")
    context: dict[str, Any] = {
        "figure": spec,
        "panels": [panel()],
        "extent": "{}",
        "caption": Markup("A <em>caption</em>."),
        "kind": "saliency",
        "alt": "What it shows & more",
        "method": Markup("<p>A method.</p>"),
        "view_url": "../assets/d/figures/saliency/view.js",
    }
    return Page(site_page().part("figure", **{**context, **given}))


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


def test_a_computed_figure_follows_the_contract_with_its_scripts() -> None:
    """mount.js finds the data and the view, the body to draw over, and the description for who cannot see it."""
    page = figure()
    element = page.all("figure")[0]
    assert (element["id"], element["class"], element["data-kind"]) == ("fig-eu", "figure l-page", "saliency")
    assert (element["data-src"], element["data-view"]) == ("../data/f.json", "../assets/d/figures/saliency/view.js")
    assert element["aria-describedby"] in page.ids
    assert [a for a in page.all("div") if a.get("class") == "figure-body"]
    assert page.all("a")[0] == {"class": "figure-number", "href": "#fig-eu"}
    assert {"href": "../data/f.json", "download": "fig-eu.json"} in page.all("a")


def test_a_figure_tells_its_method_and_where_it_comes_from() -> None:
    """Prompt, model, decoding, parameters that are set, checks with their bounds."""
    text = figure().text
    for said in ("A method.", "1 < 2 &\n3", "org/model", "6 tokens, sampled", "0.7", "rows sum to 1", "2e-05 ≤ 0.0001"):
        assert said in text
    assert "contrast" not in text


def test_a_figure_tells_of_few_digits_and_of_what_it_was_computed_on() -> None:
    """Readers learn that numbers are rough, and that a card rounded them; of float32 on a processor nothing is said."""
    places = {"cuda:0": 40, "cpu": 3, "disk": 2}
    card = {"dtype": "bfloat16", "device": "cuda", "processor": "NVIDIA H100", "placement": places}
    text = figure(panels=[panel(replace(RESULT, provenance={**RESULT.provenance, **card}))]).text
    for said in ("two to three digits", "NVIDIA H100", "40 on cuda:0, 3 in the processor’s memory, 2 on the disk"):
        assert said in text
    plain = figure(panels=[panel(replace(RESULT, provenance={**RESULT.provenance, "device": "cpu"}))]).text
    assert "computed on" not in plain
    assert "layers" not in plain


def test_a_figure_says_what_its_result_warns_of() -> None:
    """An integral that has not converged is told to the reader, not only to who opens the JSON."""
    warned = replace(RESULT, data={**RESULT.data, "warning": "It has <not> converged."})
    assert "It has <not> converged." in figure(panels=[panel(warned)]).text
    assert "converged" not in figure().text


def test_a_gallery_has_a_titled_panel_for_each_answer() -> None:
    """Each panel has its own data and its own id; the scales that all share stand at the figure."""
    panels = [panel(number=name, title=f"model <{name}>") for name in "ab"]
    page = figure(panels=panels, extent='{"share": 0.5}')
    element = page.all("figure")[0]
    assert (element["data-extent"], element.get("data-src")) == ('{"share": 0.5}', None)
    sections = page.all("section")
    assert [section["data-src"] for section in sections] == ["../data/fa.json", "../data/fb.json"]
    assert all(section["aria-labelledby"] in page.ids for section in sections)
    assert "model <b>" in page.text
    assert {"href": "../data/fb.json", "download": "fig-eu-2.json"} in page.all("a")


def test_a_figure_without_answer_says_so() -> None:
    """`--no-strict` publishes an article whose figure is missing: the reader is told, and nothing is fetched."""
    page = figure(panels=[], body=Markup(), method=Markup())
    assert "not been computed" in page.text
    assert "data-src" not in page.all("figure")[0]


def picture(found: Picture, **options: Any) -> Page:
    """Return a picture as it is rendered."""
    own = dict.fromkeys(("id", "classes", "lang", "title", "width", "height"))
    given = {"alt": '"', "layout": "body", "enlarge": False, **own, **options}
    return Page(site_page().part("picture", picture=found, **given))


def test_a_picture_has_its_size_where_it_is_known() -> None:
    """Width and height keep the page from jumping; an SVG scales by itself."""
    image = picture(Picture("ranks/a b.png", 4, 3)).all("img")[0]
    assert image.items() >= {"width": "4", "height": "3", "alt": '"', "src": "a%20b.png", "loading": "lazy"}.items()
    assert "width" not in picture(Picture("ranks/a.svg")).all("img")[0]
    asked = picture(Picture("ranks/a.png", 4, 3), width="2", classes=["x", "y"], id="z").all("img")[0]
    assert asked.items() >= {"width": "2", "class": "x y", "id": "z"}.items()
    assert "height" not in asked


def test_browsers_choose_the_file_of_a_picture() -> None:
    """By format, in the order of the sources, and by the width that the layout gives it."""
    sources = (Source("image/avif", (("ranks/a-704.avif", 704), ("ranks/a.avif", 1500))),)
    page = picture(Picture("ranks/a.png", 1500, 900, sources))
    (source,) = page.all("source")
    assert source["srcset"] == "a-704.avif 704w, a.avif 1500w"
    assert source["sizes"] == "(min-width: 44rem) 44rem, 100vw"
    assert picture(Picture("ranks/a.png", 300, 90, sources)).all("source")[0]["sizes"] == "300px"
    assert picture(Picture("ranks/a.png", 1500, 900, sources), layout="screen").all("source")[0]["sizes"] == "100vw"


def test_a_picture_for_the_night_has_the_same_alt_text_and_no_second_id() -> None:
    """Two files, of which one is shown; each leads to itself where pictures can be enlarged."""
    both = Picture("ranks/a.png", 4, 3, dark=Picture("ranks/b.png", 4, 3))
    page = picture(both, id="x", alt="A dot.")
    assert [(image["class"], image["alt"]) for image in page.all("img")] == [
        ("only-light", "A dot."),
        ("only-dark", "A dot."),
    ]
    assert [image.get("id") for image in page.all("img")] == ["x", None]
    links = picture(both, enlarge=True).all("a")
    assert [(link["href"], link["class"]) for link in links] == [
        ("a.png", "enlarge only-light"),
        ("b.png", "enlarge only-dark"),
    ]


@pytest.mark.parametrize("name", ["favicon.svg", "parts/mark.html", "parts/fanlight.html"])
def test_our_drawings_are_well_formed(name: str) -> None:
    """An SVG with a mistake is shown by nobody."""
    text = re.sub(r"\{#.*?#\}", "", (THEME / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert ET.fromstring(text).tag.endswith("svg")
