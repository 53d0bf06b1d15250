"""Authors and citation in front matter: names in parts, addresses that can be written to, and what may be wished."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.article import Article, Author, read_article
from builder.site import Site


def read(tmp_path: Path, front: str) -> Article:
    """Read an article with that front matter below its title, which is line 2."""
    path = tmp_path / "content" / "a" / "article.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\ntitle: x\n{front}\n---\nText.\n", encoding="utf-8")
    return read_article(path, Site(tmp_path, tmp_path / "_site"))


def told(article: Article) -> list[str]:
    """Return the problems without the path."""
    return [str(problem).removeprefix(f"{article.path}:") for problem in article.problems]


def test_a_name_may_be_written_in_its_parts(tmp_path: Path) -> None:
    """As in Quarto: given and family name, or a literal one, which has no parts."""
    article = read(tmp_path, "authors:\n- name: {given: Gabriel, family: García Márquez}\n- name: {literal: A & B}")
    assert not article.problems
    gabriel, company = article.meta.authors
    assert gabriel == Author("Gabriel García Márquez", given="Gabriel", family="García Márquez")
    assert company == Author("A & B", literal=True)


def test_an_affiliation_is_named_by_its_id(tmp_path: Path) -> None:
    """As a text, or as Quarto writes it."""
    listed = "affiliations: [{id: lab, name: The Lab}]\n"
    article = read(tmp_path, listed + "authors: [{name: A, affiliations: lab}, {name: B, affiliations: [{ref: lab}]}]")
    assert not article.problems
    assert [author.affiliations[0].name for author in article.meta.authors] == ["The Lab", "The Lab"]
    (problem,) = told(read(tmp_path, listed + "authors: [{name: B, affiliations: [{ref: lob}]}]"))
    assert problem.endswith("unknown affiliation: lob (did you mean lab?)")


def test_an_abstract_has_paragraphs(tmp_path: Path) -> None:
    """An empty line parts them, as in the text."""
    assert read(tmp_path, "abstract: |\n  One.\n\n  Two.").meta.abstract == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        ("authors: [{name: {given: A, famly: B}}]", "3:29: unknown key of a name: famly (did you mean family?)"),
        (
            "authors: [{name: {family: A, literal: B}}]",
            "3:12: invalid name: a literal one has no given and family name",
        ),
        ("authors: [{name: A, email: b.org}]", "3:21: invalid email: b.org (one looks like ada@example.org)"),
        ("authors: [{name: A, email: 'a@b.org?bcc=c@d.org'}]",
         "3:21: invalid email: a@b.org?bcc=c@d.org (one looks like ada@example.org)"),
        ("authors: [{name: A, orcid: 0000-0002-1825-0098}]",
         "3:21: invalid orcid: 0000-0002-1825-0098 (its last digit does not follow from the others)"),
        ("doi: '10.1234/a{b}'", "3:1: invalid doi: 10.1234/a{b} (a DOI looks like 10.23915/distill.00010)"),
        ("citation: {key: 'a b'}", "3:12: invalid key: a b (letters, digits and - _ : . + /)"),
        ("citation: {cff: 1}\nauthors: [A]", "3:12: invalid cff: write true or false"),
        ("citation: {cff: true}", "3:1: missing authors: a CITATION.cff names at least one"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(tmp_path: Path, front: str, problem: str) -> None:
    """A wrong digit, an address that writes to somebody else too, a key that BibTeX does not take."""
    found = told(read(tmp_path, front))
    assert problem in found
    assert len([line for line in found if "missing name" not in line]) == 1


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"])
def test_the_digits_of_an_orcid_are_checked(tmp_path: Path, orcid: str) -> None:
    """ORCID's own examples are right, and no other last digit is."""
    assert read(tmp_path, f"authors: [{{name: A, orcid: {orcid}}}]").meta.authors[0].orcid == orcid
    for digit in {*"0123456789X"} - {orcid[-1]}:
        assert told(read(tmp_path, f"authors: [{{name: A, orcid: {orcid[:-1]}{digit}}}]"))


def test_a_citation_has_its_wishes(tmp_path: Path) -> None:
    """`citation: false` turns all off; a mapping says what is wanted."""
    meta = read(tmp_path, "authors: [A]\ncitation: {key: a:2026, cff: true, container-title: J}").meta
    assert (meta.citation, meta.citation_key, meta.container_title, meta.citation_file) == (True, "a:2026", "J", True)
    meta = read(tmp_path, "citation: false").meta
    assert (meta.citation, meta.citation_file) == (False, False)
