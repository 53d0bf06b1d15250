"""How an article wants to be cited: BibTeX that says what was written, keys, lines, and names in their parts."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.article import Author, Meta
from builder.bibliography import read_bibliography
from builder.bibliography.entry import Entry, Name
from builder.page.cite_as import CiteAs, cite, escape_tex
from builder.page.names import divide_name
from builder.site import Site

DAY = datetime.date(2026, 11, 2)
SITE = Site(Path(), Path("_site"), title="A Site & more")
HOSTILE = (
    r"100% of R&D costs $5 #1 a_b {x} ~ ^ \ \n",
    'A "quoted" } unbalanced { title',
    "</script><b>--dash--- ''quotes`` <!--",
    "Ångström, Ðorđe and García @article{x, title={y}}",
    "two\nlines\tand a\x07bell",
)


def cited(**given: object) -> CiteAs:
    """Return how to cite an article with that front matter."""
    meta = Meta(**{"title": "The Title", "slug": "slug", "date": DAY, "authors": (Author("Ada Lovelace"),), **given})  # type: ignore[arg-type]
    return cite(meta, SITE, "https://x.org/slug/")


def read(tmp_path: Path, found: CiteAs) -> Entry:
    """Return the entry as our own reader of BibTeX sees it, which must complain of nothing."""
    path = tmp_path / "a.bib"
    path.write_text(found.bibtex, encoding="utf-8")
    bibliography = read_bibliography([path])
    assert not bibliography.check_all()
    (key,) = bibliography
    assert key == found.key
    return bibliography[key]


def test_an_entry_is_written_as_one_would_by_hand() -> None:
    """Fields in the usual order, a month as BibTeX's string, names as `Family, Given`, capitals kept by braces."""
    found = cited(title="Attention in GPT-2: a survey", doi="10.1/a_b", container_title="Journal of Fans")
    assert found.bibtex.splitlines() == [
        "@article{lovelace2026attention,",
        "  author = {Lovelace, Ada},",
        "  title = {Attention in {GPT-2}: a survey},",
        "  journal = {Journal of Fans},",
        "  year = {2026},",
        "  month = nov,",
        "  doi = {10.1/a_b},",
        "  url = {https://x.org/slug/}",
        "}",
    ]


def test_without_a_journal_it_is_published_by_the_site() -> None:
    """`misc` is what every style can print."""
    found = cited()
    assert found.bibtex.startswith("@misc{lovelace2026title,\n")
    assert "  howpublished = {A Site \\& more},\n" in found.bibtex
    assert (found.container, cited(container_title="J").container) == ("A Site & more", "J")


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_title_says_comes_back(tmp_path: Path, text: str) -> None:
    """BibTeX that is read again has the same title, authors and journal, and nothing more than they."""
    people = (Author(text, literal=True), Author("Ada Lovelace"))
    entry = read(tmp_path, cited(title=text, authors=people, container_title=text, doi="10.1000/(a)<b>%c"))
    said = " ".join(text.replace("\x07", " ").split())
    assert (entry.text("title"), entry.text("journal")) == (said, said)
    assert entry.people["author"] == (Name(said), Name("Lovelace", "Ada"))
    assert set(entry.fields) == {"title", "journal", "year", "month", "doi", "url"}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Co"]), max_size=40))
def test_tex_of_any_text_is_balanced_and_on_one_line(text: str) -> None:
    """BibTeX counts braces, escaped ones too."""
    escaped = escape_tex(text)
    depth = 0
    for letter in escaped:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    assert len(escaped.splitlines()) <= 1


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ada Lovelace", Name("Lovelace", "Ada")),
        ("Laurens van der Maaten", Name("Maaten", "Laurens", "van der")),
        ("Maaten, Laurens", Name("Maaten", "Laurens")),
        ("van der Maaten, Laurens", Name("Maaten", "Laurens", "van der")),
        ("Sammy Davis, Jr.", Name("Davis", "Sammy", "", "Jr.")),
        ("Sammy Davis III", Name("Davis", "Sammy", "", "III")),
        ("The Fanlight authors", Name("The Fanlight authors")),
        ("Anthropic", Name("Anthropic")),
        ("山田太郎", Name("山田太郎")),
        ("A, B, and C", Name("A, B, and C")),
        ("  Ada\n Lovelace ", Name("Lovelace", "Ada")),
    ],
)
def test_names_are_divided_as_bibtex_does(name: str, parts: Name) -> None:
    """Particles are small letters; what does not look like a person's name is left whole."""
    assert divide_name(Author(name)) == parts


def test_an_author_can_divide_the_name() -> None:
    """No rule knows that García is no first name."""
    author = Author("Gabriel García Márquez", given="Gabriel", family="García Márquez")
    assert divide_name(author) == Name("García Márquez", "Gabriel")
    assert divide_name(replace(author, name="X Y", given=None, family=None, literal=True)) == Name("X Y")
    assert "author = {García Márquez, Gabriel}" in cited(authors=(author,)).bibtex
    assert "author = {Davis, Jr., Sammy}" in cited(authors=(Author("Sammy Davis, Jr."),)).bibtex


@pytest.mark.parametrize(
    ("given_meta", "key"),
    [
        ({"title": "The Building Blocks"}, "lovelace2026building"),
        ({"title": "A"}, "lovelace2026a"),
        ({"authors": (Author("Łukasz Kaiser"), Author("B C")), "title": "«Œuvre» d’art"}, "kaiser2026oeuvre"),
        ({"authors": (Author("Jan van Eyck"),), "date": None}, "vaneycktitle"),
        ({"authors": (), "title": "What’s in a head?"}, "whats2026"),
        ({"authors": (Author("山田太郎"),), "title": "注意"}, "slug2026"),
        ({"citation_key": "Own:Key"}, "Own:Key"),
    ],
)
def test_a_key_is_family_year_and_first_word(given_meta: dict[str, object], key: str) -> None:
    """In plain ASCII, articles skipped; an author's own key wins, and where no letter is left there is the slug."""
    assert cited(**given_meta).key == key


def test_a_line_names_up_to_two_and_leads_to_the_doi() -> None:
    """The DOI holds for longer than an address; without either there is no link."""
    three = tuple(Author(f"A. {name}") for name in ("One", "Two", "Three"))
    assert [cited(authors=three[:n]).people for n in range(4)] == ["", "One", "One & Two", "One et al."]
    assert cited(doi="10.1/a<b").link == "https://doi.org/10.1/a%3Cb"
    assert cited().link == "https://x.org/slug/"
    meta = Meta(title="T", slug="t")
    assert cite(meta, SITE, None).link is None
    assert "url" not in cite(meta, SITE, None).bibtex
