"""An article's head and end in a real browser: columns where there is room, nothing too wide, nothing axe finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served import BASE, serve_site
from visits import visit

from builder.build import Builder
from builder.site import find_site

BODY = """
Text with a note^[The note.] and a citation [@one].

## A section

Words, see @sec-proof.

## Proof {#sec-proof .appendix}

A paragraph of the proof.

### Details

| a | b |
|---|---|
| 1 | 2 |

## Acknowledgements {.appendix}

We thank everybody.

## Another section

Words.

## A third

Words.
"""
LONG = "Supercalifragilisticexpialidocious-Institute-of-Long-Names"
HOSTILE = r'"</script><b>T</b> \"q\" <!-- & {x}"'
AUTHORS = {
    "one": "- {name: Ada Lovelace, orcid: 0000-0002-1825-0097, email: ada@example.org, affiliations: [The Lab]}",
    "three": "- {name: Ada Lovelace, affiliations: [lab], equal_contributor: true}\n"
    "- {name: {given: Gabriel, family: García Márquez}, affiliations: [lab, long], equal_contributor: true}\n"
    "- Grace Hopper",
    "twelve": "\n".join(
        f"- {{name: Firstname{n} Lastname{n}, affiliations: [{'lab' if n % 2 else 'long'}]}}" for n in range(12)
    ),
    "hostile": f"- name: {HOSTILE}\n- {{name: {{literal: {HOSTILE}}}, affiliations: [{HOSTILE}]}}",
}  # fmt: skip
WIDTHS = (360, 768, 1280, 1600)
TOO_WIDE = """() => [...document.querySelectorAll(".title-block *, .appendix *")]
  .filter((e) => e.checkVisibility() && !e.closest(".table-scroll, .code, .visually-hidden"))
  .filter((e) => e.getBoundingClientRect().right > innerWidth)
  .map((e) => e.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build a site with an article for each number of authors, and serve it."""
    root = tmp_path_factory.mktemp("matter")
    write(
        root / "pyproject.toml", '[tool.fanlight]\nbase_url = "https://example.org/project/"\nlicense = "CC-BY-4.0"\n'
    )
    write(root / "bib" / "a.bib", "@article{one, title={Things}, author={One, A.}, journal={J}, year=2020}")
    write(root / "content" / "undescribed" / "article.md", f"---\ntitle: Undescribed\n---\n{BODY}")
    for slug, authors in AUTHORS.items():
        title = HOSTILE if slug == "hostile" else f"The title of {slug}"
        places = (
            f"affiliations: [{{id: lab, name: The Lab}}, {{id: long, name: {LONG}}}]\n" if "lab]" in authors else ""
        )
        front = f"title: {title}\nsubtitle: {title}\ndescription: {title}\ndate: 2026-11-02\nupdated: 2026-11-20\n"
        front += f"tags: [saliency, {HOSTILE}]\ndoi: 10.5281/zenodo.1234567\nabstract: {title}\n{places}"
        write(root / "content" / slug / "article.md", f"---\n{front}authors:\n{authors}\n---\n{BODY}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FANLIGHT_CACHE", str(root / "cache"))
        built = Builder(find_site(root)).build()
    assert not built.problems
    server = serve_site(root / "_site")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def write(path: Path, text: str) -> None:
    """Write one of the site's files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def arrive(chromium: Browser, host: str) -> Iterator[Callable[..., Page]]:
    """Open an article for one test, in which nothing may go wrong."""
    visits = []

    def arrive(slug: str, width: int = 1280, **options: Any) -> Page:
        given = {"viewport": {"width": width, "height": 900}, **options}
        visits.append(visit(chromium, host, f"{BASE}{slug}/", **given))
        return visits[-1].page

    yield arrive
    for opened in visits:
        opened.context.close()
    assert not [complaint for opened in visits for complaint in opened.complaints]


def top(page: Page, selector: str) -> float:
    """Return where an element begins."""
    return float(page.locator(selector).first.evaluate("e => e.getBoundingClientRect().top + scrollY"))


def left(page: Page, selector: str) -> float:
    """Return where an element begins, from the left."""
    return float(page.locator(selector).first.evaluate("e => e.getBoundingClientRect().left"))


@pytest.mark.parametrize("slug", AUTHORS)
def test_nothing_is_too_wide_and_axe_finds_nothing(arrive: Callable[..., Page], slug: str) -> None:
    """With one author and with twelve, on a phone and on a wide screen, by day and by night."""
    page = arrive(slug)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(TOO_WIDE) == [], width
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page).response["violations"]
        assert not [(violation["id"], violation["nodes"][0]["html"]) for violation in found]


def test_people_stand_before_facts_in_four_columns(arrive: Callable[..., Page]) -> None:
    """As in Distill: authors, affiliations, and two columns of facts; on a phone one below the other."""
    page = arrive("three")
    columns = (".authors", ".affiliations", ".facts > div:nth-child(1)", ".facts > div:nth-child(2)")
    lefts = [left(page, f".byline {column}") for column in columns]
    assert lefts == sorted(set(lefts))
    assert len({round(top(page, f".byline {column}")) for column in columns}) == 1
    page.set_viewport_size({"width": 360, "height": 740})
    tops = [top(page, f".byline {column}") for column in columns[:3]]
    assert tops == sorted(set(tops))


def test_an_affiliation_stands_beside_its_author(arrive: Callable[..., Page]) -> None:
    """One line for both, where there is room."""
    page = arrive("one")
    assert top(page, ".authors .author") == pytest.approx(top(page, ".authors .affiliation"), abs=3)
    assert left(page, ".authors .affiliation") == left(page, ".affiliations .byline-title")


def test_headings_of_the_appendix_stand_in_the_margin(arrive: Callable[..., Page]) -> None:
    """From 1180 px on, level with what they are of; on narrower screens above it."""
    page = arrive("three")
    pairs = {"#sec-proof": "#sec-proof + p", "#references": ".references > ol", "#cite-as": ".citation-line"}
    for heading, text in pairs.items():
        assert left(page, heading) < left(page, text) - 50
        assert top(page, heading) == pytest.approx(top(page, text), abs=6)
    page.set_viewport_size({"width": 1000, "height": 740})
    for heading, text in pairs.items():
        assert left(page, heading) == left(page, text)
        assert top(page, heading) < top(page, text)


def test_the_contents_lead_to_the_appendix(arrive: Callable[..., Page]) -> None:
    """Its sections come last, in the order of the page, though they are written between others."""
    page = arrive("three")
    said = page.locator(".contents li").all_inner_texts()
    assert said == ["A section", "Another section", "A third", "Appendix", "Proof", "Acknowledgements", "References"]
    page.locator(".contents a", has_text="Acknowledgements").click()
    expect(page.locator("#acknowledgements")).to_be_in_viewport()
    order = page.locator(".appendix > h2, .appendix > section > h2").all_inner_texts()
    assert [text.removesuffix(" #") for text in order] == [
        "Proof", "Acknowledgements", "Footnotes", "References", "Cite as", "Reuse",
    ]  # fmt: skip


def test_bibtex_can_be_selected_and_copied(arrive: Callable[..., Page]) -> None:
    """What a reader pastes is the entry, line by line."""
    page = arrive("hostile", permissions=["clipboard-read", "clipboard-write"])
    code = page.locator(".bibtex code")
    page.locator(".cite-as .code-copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == code.text_content()
    assert copied.splitlines()[0].startswith("@misc{")
    assert copied.splitlines()[-1] == "}"


def test_what_is_written_stays_text(arrive: Callable[..., Page]) -> None:
    """Titles, names, topics and places are hostile here; the linked data is one script, and JSON."""
    page = arrive("hostile")
    assert page.locator(".title-block b, .appendix b").count() == 0
    data = page.locator("script[type='application/ld+json']")
    headline = data.evaluate("e => JSON.parse(e.textContent).headline")
    assert headline == page.locator("h1").text_content() == '</script><b>T</b> "q" <!-- & {x}'
    assert page.locator("meta[name='citation_author']").count() == 2


def test_search_engines_get_how_the_text_begins_where_nothing_is_said(arrive: Callable[..., Page]) -> None:
    """A page without a description is one that nobody finds."""
    page = arrive("undescribed")
    assert page.locator("meta[name='description']").get_attribute("content") == "Text with a note and a citation."


def test_on_paper_the_end_begins_where_the_text_does(arrive: Callable[..., Page]) -> None:
    """There is no grid on paper, and no column to the left; the address that is written out is not written twice."""
    page = arrive("three", 680)
    page.emulate_media(media="print")
    edges = {left(page, selector) for selector in ("h1", "#sec-proof", "#references", ".citation-line", ".licence p")}
    assert len(edges) == 1
    assert page.locator(".citation-line a").evaluate("a => getComputedStyle(a, '::after').content") == "none"
