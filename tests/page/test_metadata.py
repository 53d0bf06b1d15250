"""What machines read of an article: Google Scholar's tags, linked data, and CITATION.cff."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import themed
import yaml

from builder.article import Affiliation, Author, Meta
from builder.bibliography import Bibliography, read_bibliography
from builder.page.citation_file import citation_file
from builder.page.licence import read_licence
from builder.page.metadata import linked_data, scholar_tags, script_json
from builder.site import Site

LAB = Affiliation("The Lab", "lab", "https://lab.example")
META = replace(
    themed.META,
    title="Ranks &\n more",
    description="It says what.",
    date=datetime.date(2026, 1, 2),
    authors=(
        Author("Ada Lovelace", "https://ada.example", "0000-0002-1825-0097", "ada@x.org", (LAB, Affiliation("Navy"))),
        Author("Gabriel García Márquez", given="Gabriel", family="García Márquez"),
        Author("The Fan Club", literal=True),
    ),
    tags=("logit lens", "C++"),
    container_title="Journal of Fans",
)
SITE = Site(Path(), Path("_site"), title="A site")
URL = "https://x.org/ranks/"
BIB = r"""
@article{one2020, title={Things; and \& more}, author={One, A. and Two, B.}, journal={J}, volume=3, number=2,
  year=2020, doi={10.1000/182}}
@inproceedings{three, title={Other}, author={{The Club} and Four, D.}, booktitle={Proc. of X}, year={2021},
  eprint={2209.11895}, archiveprefix={arXiv}}
"""
HOSTILE = "</script><!-- <b>'\" & \n;"


@pytest.fixture
def bibliography(tmp_path: Path) -> Bibliography:
    """Two works."""
    (tmp_path / "a.bib").write_text(BIB, encoding="utf-8")
    return read_bibliography([tmp_path / "a.bib"])


def tags(meta: Meta, bibliography: Bibliography, url: str | None = URL) -> list[tuple[str, str]]:
    """Return Scholar's tags of an article that cites both works."""
    return list(scholar_tags(meta, SITE, url, bibliography.references(("three", "one2020")), bibliography))


def data(meta: Meta, bibliography: Bibliography, **given: Any) -> dict[str, Any]:
    """Return the linked data of an article that cites both works."""
    licence = read_licence("CC-BY-4.0")
    references = bibliography.references(("three", "one2020"))
    return linked_data(meta, SITE, URL, references, licence, 7, **given)


def test_scholar_gets_what_it_asks_for(bibliography: Bibliography) -> None:
    """Title, an author a tag with what belongs to each after it, dates as YYYY/MM/DD, and where the text is."""
    assert tags(META, bibliography)[:16] == [
        ("citation_title", "Ranks & more"),
        ("citation_author", "Lovelace, Ada"),
        ("citation_author_institution", "The Lab"),
        ("citation_author_institution", "Navy"),
        ("citation_author_orcid", "https://orcid.org/0000-0002-1825-0097"),
        ("citation_author", "García Márquez, Gabriel"),
        ("citation_author", "The Fan Club"),
        ("citation_publication_date", "2026/01/02"),
        ("citation_online_date", "2026/01/02"),
        ("citation_journal_title", "Journal of Fans"),
        ("citation_doi", "10.5281/zenodo.1"),
        ("citation_public_url", URL),
        ("citation_fulltext_html_url", URL),
        ("citation_language", "en"),
        ("citation_keywords", "logit lens"),
        ("citation_keywords", "C++"),
    ]


def test_each_work_cited_is_a_reference(bibliography: Bibliography) -> None:
    """In the order of the list; a semicolon parts the fields, so there is none within one."""
    found = [content for name, content in tags(META, bibliography) if name == "citation_reference"]
    other, things = ([field.removeprefix("citation_") for field in content.split(";")] for content in found)
    assert other == [
        "title=Other", "author=The Club", "author=D. Four", "publication_date=2021", "conference_title=Proc. of X",
        "arxiv_id=2209.11895",
    ]  # fmt: skip
    assert things == [
        "title=Things, and & more", "author=A. One", "author=B. Two", "publication_date=2020", "journal_title=J",
        "volume=3", "number=2", "doi=10.1000/182",
    ]  # fmt: skip


def test_scholar_gets_nothing_where_an_article_is_not_to_be_cited(bibliography: Bibliography) -> None:
    """`citation: false` turns all of it off; other machines are still told what the page is."""
    meta = replace(META, citation=False)
    assert tags(meta, bibliography) == []
    assert data(meta, bibliography)["@type"] == "BlogPosting"


def test_without_an_address_of_the_site_none_is_told(bibliography: Bibliography) -> None:
    """An address must be whole; the page works without it."""
    names = [name for name, _ in tags(Meta(title="T", slug="t"), bibliography, None)]
    assert names == ["citation_title", "citation_language", "citation_reference", "citation_reference"]


def test_linked_data_names_people_places_and_works(bibliography: Bibliography) -> None:
    """An ORCID is a person's address, a DOI the article's; nothing is there that is not known."""
    found = data(META, bibliography)
    assert (found["@type"], found["@id"], found["url"]) == ("ScholarlyArticle", "https://doi.org/10.5281/zenodo.1", URL)
    assert (found["datePublished"], found["dateModified"]) == ("2026-01-02", "2026-11-20")
    assert found["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert found["isPartOf"] == {"@type": "Periodical", "name": "Journal of Fans"}
    ada, gabriel, club = found["author"]
    assert ada["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert [place["name"] for place in ada["affiliation"]] == ["The Lab", "Navy"]
    assert (gabriel["givenName"], gabriel["familyName"]) == ("Gabriel", "García Márquez")
    assert (club["@type"], club["name"]) == ("Organization", "The Fan Club")
    assert [work["name"] for work in found["citation"]] == ["Other", "Things; and & more"]
    assert found["citation"][1]["@id"] == "https://doi.org/10.1000/182"
    bare = linked_data(Meta(title="T", slug="t"), SITE, None, (), None, 1)
    assert set(bare) == {
        "@context", "@type", "headline", "inLanguage", "isPartOf", "timeRequired", "isAccessibleForFree",
    }  # fmt: skip


def test_json_in_a_script_stays_in_it(bibliography: Bibliography) -> None:
    """Nothing that is written ends the element, or opens a comment in which its end is lost; it is still JSON."""
    meta = replace(META, title=HOSTILE, tags=(HOSTILE,), authors=(Author(HOSTILE, literal=True),))
    found = data(meta, bibliography)
    text = str(script_json(found))
    assert "<" not in text
    assert json.loads(text) == found
    assert all("\n" not in content for _, content in tags(meta, bibliography))


@pytest.mark.parametrize(
    ("written", "name", "url"),
    [
        ("CC-BY-4.0", "CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC BY", "CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("cc by-nc-sa 3.0", "CC-BY-NC-SA-3.0", "https://creativecommons.org/licenses/by-nc-sa/3.0/"),
        ("https://creativecommons.org/licenses/by-nd/4.0/deed.de", "CC-BY-ND-4.0",
         "https://creativecommons.org/licenses/by-nd/4.0/"),
        ("CC0", "CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("mit", "MIT", "https://spdx.org/licenses/MIT.html"),
        ("https://x.org/terms", "https://x.org/terms", "https://x.org/terms"),
        ("All rights reserved", "All rights reserved", None),
        ("javascript:alert(1)", "javascript:alert(1)", None),
    ],
)  # fmt: skip
def test_licences_are_known_as_people_write_them(written: str, name: str, url: str | None) -> None:
    """By identifier, by words or by address; an unknown one is shown as it is."""
    assert (read_licence(written).name, read_licence(written).url) == (name, url)


def cff(meta: Meta, licence: str | None = "CC-BY-4.0") -> dict[str, Any]:
    """Return an article's CITATION.cff, read again; the fields that the format requires are there.

    https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema.json
    """
    read: dict[str, Any] = yaml.safe_load(citation_file(meta, SITE, URL, read_licence(licence) if licence else None))
    assert read["cff-version"] == "1.2.0"
    assert read["type"] in ("software", "dataset")
    assert all(isinstance(read[field], str) and read[field] for field in ("message", "title"))
    preferred = read["preferred-citation"]
    assert preferred["type"] in ("article", "blog")
    for part in (read, preferred):
        assert part["title"]
        assert part["authors"]
        for author in part["authors"]:
            assert ("name" in author) != ("family-names" in author)
            known = {"name", "family-names", "given-names", "name-particle", "name-suffix", "affiliation", "orcid",
                     "website", "email"}  # fmt: skip
            assert set(author) <= known
            assert "affiliation" not in author or "name" not in author
    if "date-released" in read:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", read["date-released"])
    if "doi" in read:
        assert re.fullmatch(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+", read["doi"])
    return read


def test_a_citation_file_is_one_of_its_format() -> None:
    """Required fields, dates as texts, people and institutions each with their own fields."""
    read = cff(META)
    ada, gabriel, club = read["authors"]
    assert (ada["orcid"], ada["affiliation"]) == ("https://orcid.org/0000-0002-1825-0097", "The Lab, Navy")
    assert (gabriel["given-names"], gabriel["family-names"]) == ("Gabriel", "García Márquez")
    assert club == {"name": "The Fan Club"}
    assert (read["license"], read["date-released"], read["doi"]) == ("CC-BY-4.0", "2026-01-02", "10.5281/zenodo.1")
    assert read["preferred-citation"]["journal"] == "Journal of Fans"
    assert "&id" not in citation_file(META, SITE, URL, None)


def test_a_citation_file_leaves_out_what_its_format_does_not_take() -> None:
    """A licence of one's own has no identifier, and an old DOI's brackets are none of the format's."""
    meta = replace(META, doi="10.1002/(SICI)1097<453::AID>x", date=None, container_title=None)
    read = cff(meta, "https://x.org/terms")
    assert "license" not in read
    assert (read["license-url"], read.get("doi"), read.get("date-released")) == ("https://x.org/terms", None, None)
    assert read["preferred-citation"]["collection-title"] == "A site"


def test_a_citation_file_holds_any_text() -> None:
    """It is written by a YAML writer, not put together."""
    read = cff(replace(META, title=HOSTILE, authors=(Author(HOSTILE, literal=True), Author("Ada", family="B: c #d"))))
    assert (read["title"], read["authors"][0]["name"]) == (HOSTILE, HOSTILE)
