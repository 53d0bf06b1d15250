"""Citations in a page: numbers, names and years, cards, and the list that links back."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from markdown_it import MarkdownIt
from markupsafe import Markup

from builder.bibliography import Bibliography, read_bibliography
from builder.bibliography.reference import Reference
from builder.directives.cite import cite_plugin

ROOT = Path(__file__).parents[2]
BIB = Path(__file__).parents[1] / "fixtures" / "bib"


@pytest.fixture(scope="module")
def bibliography() -> Bibliography:
    """Our own works and some hostile ones."""
    return read_bibliography([ROOT / "bib" / "fanlight.bib", BIB / "hostile.bib"])


class Page(SimpleNamespace):
    """What render rules see of a page."""

    def part(self, name: str, /, **context: Any) -> Markup:
        """Render one of the theme's parts."""
        loader = jinja2.FileSystemLoader(ROOT / "theme")
        theme = jinja2.Environment(
            loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
        )
        return Markup(theme.get_template(f"parts/{name}.html").render(page=self, **context))

    def reference_text(self, reference: Reference, part: str = "reference_text") -> Markup:
        """Render a work."""
        return self.part(part, reference=reference)


def render(
    text: str, bibliography: Bibliography, *cited: str, style: str = "numbered", order: str = ""
) -> tuple[str, dict[str, Markup], str]:
    """Return a text's HTML, its cards, and the reference list, where the works are `cited` in that order."""
    page = Page(citation_style=style, references=bibliography.references(cited, style, order))
    env: dict[str, Any] = {"page": page, "cards": {}}
    html = MarkdownIt("js-default").use(cite_plugin).render(text, env)
    return html, env["cards"], page.part("references", env=env)


def words(html: str) -> str:
    """Return the text of some HTML."""
    return re.sub(r"<[^>]*>", "", html).strip().replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Heads [@olsson2022].", "Heads [1]."),
        ("Heads [@vig2019; @olsson2022].", "Heads [2, 1]."),
        ("[see @olsson2022, p. 3; @vig2019]", "[see 1, p. 3; 2]"),
        (
            "@olsson2022 and @vig2019 [p. 40] and @olah2017",
            "Olsson et al. [1] and Vig [2, p. 40] and Olah and Carter [3]",
        ),
        ("Vig [-@vig2019]", "Vig [2]"),
        ("{cite:t}`vig2019,olah2017,olsson2022`", "Vig [2], Olah and Carter [3] and Olsson et al. [1]"),
        ("[@nobody; @vig2019]", "[nobody?, 2]"),
        ("[*@vig2019*, <b>p. 3</b>]", "[Vig [2], &lt;b&gt;p. 3&lt;/b&gt;]"),
    ],
)
def test_a_citation_is_numbered(text: str, expected: str, bibliography: Bibliography) -> None:
    """By order of first citing; in a sentence the authors are named. No stray space gets in."""
    html, _, _ = render(text, bibliography, "olsson2022", "vig2019", "olah2017")
    assert words(html) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Heads [@olsson2022].", "Heads (Olsson et al., 2022)."),
        ("[see @olsson2022, p. 3; @vig2019]", "(see Olsson et al., 2022, p. 3; Vig, 2019)"),
        ("@olsson2022 and @vig2019 [p. 40]", "Olsson et al. (2022) and Vig (2019, p. 40)"),
        ("Vig [-@vig2019], [-@vig2019; @olah2017]", "Vig (2019), (2019; Olah and Carter, 2017)"),
        ("{cite:t}`vig2019,olah2017,olsson2022`", "Vig (2019), Olah and Carter (2017) and Olsson et al. (2022)"),
        ("{cite:year}`vig2019` {cite:p}`{see}vig2019{p. 3}`", "(2019) (see Vig, 2019, p. 3)"),
        ('<d-cite key="vig2019,olah2017"></d-cite>', "(Vig, 2019; Olah and Carter, 2017)"),
        (
            "[@alammar2020; @alammar2021; @alammar2021hidden; @vig2019]",
            "(Alammar, 2020, 2021a, 2021b; Vig, 2019)",
        ),
        (
            "[@alammar2020, p. 1; @alammar2021; also @alammar2020]",
            "(Alammar, 2020, p. 1; Alammar, 2021a; also Alammar, 2020)",
        ),
        ("[@nobody; @vig2019]", "(nobody?; Vig, 2019)"),
    ],
)
def test_a_citation_names_author_and_year(text: str, expected: str, bibliography: Bibliography) -> None:
    """In the style that an article asks for; works of the same people side by side name them once."""
    keys = ("olsson2022", "vig2019", "olah2017", "alammar2020", "alammar2021", "alammar2021hidden")
    html, _, _ = render(text, bibliography, *keys, style="author-year")
    assert words(html) == expected


def test_a_list_by_author_and_year_has_no_numbers(bibliography: Bibliography) -> None:
    """It begins with names, is sorted by them, and links, cards and ways back say whom they mean."""
    html, cards, references = render(
        "@vig2019, [@alammar2021hidden]", bibliography, "vig2019", "alammar2021hidden", style="author-year"
    )
    assert re.findall(r'<li class="reference" id="([^"]*)"', references) == ["ref-alammar2021hidden", "ref-vig2019"]
    assert re.search(r"References\s+Alammar, Jay \(2021\)\.", words(references))
    assert not re.search(r"<ol|value=|\[\d", references + html + "".join(cards.values()))
    assert 'aria-label="2019, Vig"' in html
    assert 'aria-label="Back to Vig, 2019, place 1 of 1"' in references
    assert 'aria-label="Vig, 2019, in the list"' in cards["card-vig2019"]


def test_numbers_follow_a_sorted_list(bibliography: Bibliography) -> None:
    """The number in the text is the place in the list, whatever the order."""
    html, _, references = render(
        "[@vig2019] [@alammar2021hidden]", bibliography, "vig2019", "alammar2021hidden", order="sorted"
    )
    assert words(html) == "[2] [1]"
    assert re.findall(r'id="(ref-[^"]*)" value="(\d)"', references) == [
        ("ref-alammar2021hidden", "1"),
        ("ref-vig2019", "2"),
    ]


def test_a_number_is_a_link_to_the_list_and_names_its_card(bibliography: Bibliography) -> None:
    """Without a script, or on paper, the link is enough; the card is there for the script."""
    html, cards, _ = render("[@olsson2022; @vig2019] @olsson2022", bibliography, "olsson2022", "vig2019")
    assert list(cards) == ["card-olsson2022+vig2019", "card-olsson2022"]
    assert html.count('href="#ref-olsson2022"') == 2
    assert html.count('data-card="card-olsson2022+vig2019"') == 2
    assert all(re.search(rf'id="{re.escape(name)}" popover', card) for name, card in cards.items())
    assert "Induction Heads" in cards["card-olsson2022+vig2019"]
    assert "Multiscale" in cards["card-olsson2022+vig2019"]


def test_no_stop_follows_another(bibliography: Bibliography) -> None:
    """A work may be of no date: `n.d.` ends in a stop."""
    (work,) = bibliography.references(("vig2019",))
    page = Page(citation_style="numbered", references=(replace(work, venue="Proc. of X", year="n.d."),))
    assert re.search(r"Proc. of X, n\.d\.\s*(?!\.)", words(page.part("references", env={})))
    assert "n.d.." not in words(page.part("references", env={}))


def test_the_list_links_back_to_every_place(bibliography: Bibliography) -> None:
    """Works stand in order of citation, with DOI and arXiv, and each place that cites them can be found again."""
    html, _, references = render("[@vig2019; @olsson2022] then [@vig2019]", bibliography, "vig2019", "olsson2022")
    places = re.findall(r'id="(cite-[^"]*)"', html)
    assert places == ["cite-vig2019-1", "cite-olsson2022-1", "cite-vig2019-2"]
    assert sorted(re.findall(r'href="#(cite-[^"]*)"', references)) == sorted(places)
    assert re.findall(r'<li class="reference" id="([^"]*)"', references) == ["ref-vig2019", "ref-olsson2022"]
    assert 'href="https://doi.org/10.18653/v1/P19-3007"' in references
    assert 'href="https://arxiv.org/abs/2209.11895"' in references


def test_an_article_without_citations_has_no_list(bibliography: Bibliography) -> None:
    """Not even a heading."""
    assert render("Nothing.", bibliography)[2].strip() == ""


class _Tags(HTMLParser):
    """Collects elements, attributes and ids; fails on wrong nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("style", ["numbered", "author-year"])
def test_a_hostile_bibliography_is_only_text(bibliography: Bibliography, style: str) -> None:
    """Titles, names, keys and addresses that are markup show as what they are; ids are unique, elements nest."""
    keys = tuple(key for key in bibliography if bibliography[key].path.name == "hostile.bib")
    assert len(keys) == 6
    text = " ".join(f"@{{{key}}} [@{{{key}}}, <i onclick=x>]" for key in keys)
    html, cards, references = render(text, bibliography, *keys, style=style)
    tags = _Tags()
    tags.feed("".join((html, *cards.values(), references)))
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    assert tags.seen - {"ol", "ul"} == {"p", "span", "a", "aside", "div", "cite", "section", "h2", "li", "sup"}
    assert tags.attributes <= {
        "id", "class", "href", "role", "data-card", "aria-label", "aria-labelledby", "popover", "tabindex", "value",
    }  # fmt: skip
    assert all(link.startswith(("#", "https://", "http://")) for link in tags.links)
    assert "<script>alert(1)</script>" not in references
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in references
