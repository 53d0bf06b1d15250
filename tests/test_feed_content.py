"""What an entry of the feed holds: an article for readers that have neither our style sheets nor our scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from builder.listing.content import make_content
from builder.site import Site
from builder.templates import make_theme

URL = "https://example.org/project/a/"
COLOURS = {"--figure-scale-6": "#000000", "--negative": "#ff0000", "--category-2": "#0000ff"}


def content(inner: str) -> str:
    """Return what a feed carries of an article's body."""
    article = f'<article><div class="article-body grid">{inner}</div></article>'
    return make_content(f"<!doctype html><html><body><main>{article}</main></body></html>", URL, COLOURS)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("../b/", "https://example.org/project/b/"),
        ("#fig-x", URL + "#fig-x"),
        ("https://other.org/x?a=1&amp;b=2", "https://other.org/x?a=1&amp;b=2"),
        ("mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_addresses_are_full(written: str, address: str) -> None:
    """A feed is read elsewhere: what is relative would lead into nothing."""
    assert content(f'<a href="{written}">x</a>') == f'<a href="{address}">x</a>'


@pytest.mark.parametrize("written", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "http://[broken"])
def test_an_address_of_no_page_is_left_out(written: str) -> None:
    """The words stay."""
    assert content(f'<a href="{written}">x</a>') == "x"


def test_pictures_bring_all_their_addresses() -> None:
    """Those that a browser chooses from too; what is for dark pages, or its own enlargement, is not said twice."""
    made = content(
        '<picture><source type="image/avif" srcset="p-1.avif 640w, p%20(2).avif 1280w" sizes="100vw">'
        '<img src="p.png" alt="A &quot;picture&quot;" width="4" height="3" loading="lazy" class="bare"></picture>'
        '<a class="only-dark" href="d.png"><img src="d.png" alt=""></a>'
    )
    assert made == (
        f'<picture><source type="image/avif" srcset="{URL}p-1.avif 640w, {URL}p%20(2).avif 1280w" sizes="100vw">'
        f'<img src="{URL}p.png" alt="A &#34;picture&#34;" width="4" height="3"></picture>'
    )


@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        "<style>p { color: red }</style>",
        '<button type="button">Copy</button>',
        '<div popover id="card">A card</div>',
        '<a class="heading-anchor" href="#x">#</a>',
        '<nav class="contents"><a href="#x">x</a></nav>',
        '<details class="figure-method"><summary>Method</summary>m</details>',
        '<span class="visually-hidden">aside</span>',
        '<span aria-hidden="true">drawn</span>',
        "<template><b>t</b></template>",
        "<svg><script>alert(1)</script></svg>",
        "<object data='x'>y</object>",
        "<!-- a comment -->",
        "<input type=text value=x>",
    ],
)
def test_what_is_for_the_page_itself_stays_there(inner: str) -> None:
    """Scripts, controls, cards, navigation: a feed reader shows text."""
    assert content(f"<p>One</p>{inner}<p>Two</p>") == "<p>One</p><p>Two</p>"


def test_only_known_attributes_get_through() -> None:
    """Handlers, classes, ids and an author's own styles are left behind; a title and a language come along."""
    made = content('<p onclick="x()" class="a" id="b" style="position:fixed" title="t" lang="de" data-x="y">x</p>')
    assert made == '<p title="t" lang="de">x</p>'
    assert content("<x-figure><p>In</p></x-figure>") == "<p>In</p>"


def test_text_is_text() -> None:
    """What was escaped is escaped again."""
    assert content("<p>1 &lt; 2 &amp;amp; &#34;</p>") == "<p>1 &lt; 2 &amp;amp; &#34;</p>"


def test_formulas_are_mathml_alone() -> None:
    """No reader has KaTeX's style sheet; the TeX is what stands for a formula where MathML is not drawn."""
    katex = (
        '<span class="katex"><span class="katex-mathml">'
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
        '<semantics><mrow><mi mathvariant="normal" style="color:red">x</mi></mrow>'
        '<annotation encoding="application/x-tex">x &lt; 1</annotation></semantics></math></span>'
        '<span class="katex-html" aria-hidden="true"><span class="mord">x</span></span></span>'
    )
    assert content(katex) == (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block" alttext="x &lt; 1">'
        '<mrow><mi mathvariant="normal">x</mi></mrow></math>'
    )


def test_a_task_list_keeps_what_is_done() -> None:
    """A control that says something becomes a sign."""
    assert content('<li><input type="checkbox" checked disabled> Done</li>') == "<li>☑ Done</li>"


def test_figures_bring_the_shades_of_their_tokens() -> None:
    """Inline, with the colours of the style sheet, and with a colour of the text that is read on them."""
    made = content(
        '<figure id="fig-x"><div class="figure-body"><div class="strip">'
        '<span class="token is-shaded" data-type="input" style="--s:0.5">The</span>'
        '<span class="token is-shaded is-negative" data-s="50"> cat</span>'
        '<span class="token" style="--c:var(--category-2);--s:1">sat</span>'
        '<span class="token is-selected">.</span></div></div>'
        '<figcaption><a class="figure-number" href="#fig-x">Figure 1</a> It.</figcaption></figure>'
    )
    assert '<span style="background-color:#a6a6a6;color:#000">The</span>' in made
    assert '<span style="background-color:#ff4c4c;color:#000"> cat</span>' in made
    assert '<span style="background-color:#4c4cff;color:#000">sat</span>' in made
    assert '<span style="border:2px solid">.</span>' in made
    assert f'<a href="{URL}#fig-x">Figure 1</a>' in made


def test_a_grid_of_boxes_is_a_table() -> None:
    """Where no style sheet lays boxes out, rows and columns must be said otherwise; controls above them are gone."""
    made = content(
        '<div class="figure-body"><fieldset><label><input type="radio">rank</label></fieldset>'
        '<div class="controls"><label>Layer</label><details><summary>All</summary>rows</details></div>'
        '<div role="grid"><div role="row"><div role="rowheader">a</div><div role="gridcell" data-s="25"></div>'
        "</div></div></div>"
    )
    assert "<table><tr><th>a</th>" in made
    assert '<td style="background-color:#a6a6a6;color:#000"></td></tr></table>' in made
    assert "<details><summary>All</summary>rows</details>" in made
    assert "rank" not in made
    assert "Layer" not in made


def test_what_a_style_sheet_sets_apart_is_set_apart_by_a_space() -> None:
    """A share after a token would be read as a part of it."""
    made = content('<div class="figure-body"><p><span class="name">7</span><span class="share">70%</span></p></div>')
    assert made == "<div><p>7 70%</p></div>"


def test_what_comes_after_the_text_comes_along() -> None:
    """Notes and references are read where they are called; how to cite the page is said on the page."""
    html = (
        '<article><div class="article-body"><h2 class="appendix">One</h2></div><section class="appendix">'
        '<ol><li>A work</li></ol><section class="cite-as">Cite</section></section></article>'
    )
    assert make_content(html, URL, COLOURS) == "<h2>One</h2>\n<ol><li>A work</li></ol>"


def test_boxes_and_columns_are_told_apart() -> None:
    """A callout has a line beside it, and numbers stand under one another."""
    assert content('<div class="box box-note">x</div>').startswith('<div style="border-left:4px solid;')
    assert '<td style="text-align:right">' in content(
        '<table><tr><td style="text-align:right;color:red">1</td></tr></table>'
    )


def test_depth_is_no_obstacle() -> None:
    """Ten thousand elements in one another are read and written."""
    assert content("<b>" * 10_000 + "x").count("<b>") > 100


def test_a_page_of_another_theme_has_no_content_rather_than_a_wrong_one() -> None:
    """The article's body is found by its class."""
    assert make_content("<p>x</p>", URL, {}) == ""


@pytest.mark.parametrize("base", ["https://example.org/", "https://example.org/project/"])
def test_figures_of_every_kind_survive(base: str) -> None:
    """What each kind shows without scripts is read in a feed: its words, and no address that leads nowhere."""
    from builder.folders import built_in
    from builder.kind import load_kinds

    folder = built_in("figures")
    for kind in load_kinds([folder]).values():
        assert (kind.folder / "fallback.html").is_file(), kind.name
        made = make_content(_figure(kind.name, folder), f"{base}a/", COLOURS)
        text = LexborHTMLParser(made).body
        assert text is not None
        assert len(text.text(separator=" ").split()) > 10, kind.name
        assert not re.search(r"<(?:svg|script|button|input|select|label)\b|\son\w+=|class=", made), kind.name
        assert all(url.startswith(base) for url in re.findall(r'(?:href|src)="([^"]*)"', made)), kind.name


def _figure(kind: str, folder: Path) -> str:
    """Return an article's page with the example of a kind in it."""
    import json
    from types import SimpleNamespace

    from builder.figure import FigureSpec

    theme = make_theme(Site(folder.parent, folder.parent / "_site"))
    data = json.loads((folder / kind / "example.json").read_text(encoding="utf-8"))["data"]
    spec = FigureSpec(1, "fig-x", Path("article.md"), 1)
    given = {"data": data, "figure": spec, "result": SimpleNamespace(pieces={}), "page": None, "extent": {}}
    fallback = theme.get_template(f"figures/{kind}/fallback.html").render(**given)
    return f'<div class="article-body"><figure><div class="figure-body">{fallback}</div></figure></div>'
