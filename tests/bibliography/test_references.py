"""Works as readers see them: names, venues and links, and nothing that could be taken for markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.bibliography import read_bibliography
from builder.bibliography.references import MAX_AUTHORS, Reference, format_reference

BIB = Path(__file__).parents[1] / "fixtures" / "bib"


def format_one(tmp_path: Path, entry: str) -> Reference:
    """Format the one entry of a file."""
    path = tmp_path / "one.bib"
    path.write_text(entry, encoding="utf-8")
    bibliography = read_bibliography([path])
    return format_reference(bibliography[next(iter(bibliography))], 1)


def test_names_are_read_as_bibtex_reads_them() -> None:
    """Von, Jr, organisations, biblatex' pairs of key and value, and `and others`."""
    bibliography = read_bibliography([BIB / "accents.bib"])
    reference = format_reference(bibliography["names"], 1)
    assert reference.authors == (
        "Laurens van der Maaten",
        "Martin Luther King, Jr.",
        "Barnes and Noble",
        "Jean de la Fontaine",
        "Ludwig van Beethoven",
    )
    assert reference.short == "van der Maaten et al."
    assert reference.byline.endswith("Ludwig van Beethoven et al.")
    assert reference.title == "“Quoted” and\u00a0tied"


def test_accents_arrive_in_every_field() -> None:
    """From fields, names and strings."""
    bibliography = read_bibliography([BIB / "accents.bib"])
    reference = format_reference(bibliography["accents"], 1)
    assert reference.title == "Über die ß-Frage: naïve ideas—pages 3–4 & α-stable k-means in 100% O(n²)"
    assert reference.byline == "Pál Erdős, Łukasz Kaiser, Jiří Čech, Karl J. Åström, and Gabriel García Márquez"
    assert reference.venue == "2nd edition, Presses de l'École, Malmö"


@pytest.mark.parametrize(
    ("entry", "venue", "year"),
    [
        (
            "@article{a, title={T}, journal={J}, volume=27, number=2, pages={97--111}, year=1984}",
            "J 27(2), 97–111",
            "1984",
        ),
        ("@article{a, title={T}, journaltitle={J}, date={2021-03-05}}", "J", "2021"),
        (
            "@inproceedings{a, title={T}, booktitle={Proc. of X}, pages={3-9}, year=2001}",
            "In Proc. of X, pp. 3–9",
            "2001",
        ),
        ("@inproceedings{a, title={T}, booktitle={B}, series={S}, volume=70}", "In B, S 70", ""),
        ("@book{a, title={T}, publisher={P}, location={Here}, edition={Second}}", "Second edition, P, Here", ""),
        ("@phdthesis{a, title={T}, school={S}}", "PhD thesis, S", ""),
        ("@thesis{a, title={T}, type={mathesis}, institution={I}}", "Master's thesis, I", ""),
        ("@techreport{a, title={T}, author={A}, institution={I}, number={7}}", "Technical report 7, I", ""),
        ("@misc{a, title={T}, howpublished={Blog post}, year={in press}}", "Blog post", "in press"),
        ("@misc{a, title={T}, howpublished={\\url{https://x.org}}}", "", ""),
        ("@article{a, title={T}, journal={arXiv preprint arXiv:1412.6815}}", "arXiv preprint", ""),
        ("@whatever{a, title={T}, journal={J}, organization={O}, author={A}}", "J, O", ""),
    ],
)
def test_every_type_says_where_a_work_appeared(tmp_path: Path, entry: str, venue: str, year: str) -> None:
    """BibTeX's types, biblatex' fields, and whatever an unknown type has."""
    reference = format_one(tmp_path, entry)
    assert (reference.venue.replace("\u00a0", " "), reference.year) == (venue, year)


@pytest.mark.parametrize(
    "fields",
    [
        "eprint={1706.03762}, archiveprefix={arXiv}",
        "eprint={arXiv:1706.03762}, eprinttype={arxiv}",
        "journal={arXiv preprint arXiv:1706.03762}",
        "journal={CoRR}, volume={abs/1706.03762}",
        "url={https://arxiv.org/abs/1706.03762}",
        "url={http://arxiv.org/pdf/1706.03762.pdf}",
        "doi={10.48550/arXiv.1706.03762}",
        "note={arXiv:1706.03762 [cs.CL]}",
    ],
)
def test_an_arxiv_number_is_found_wherever_it_stands(tmp_path: Path, fields: str) -> None:
    """It is linked once: an address or DOI that only says the same is left out."""
    reference = format_one(tmp_path, f"@article{{a, title={{T}}, {fields}}}")
    assert reference.arxiv_url == "https://arxiv.org/abs/1706.03762"
    assert reference.link == reference.arxiv_url
    assert reference.doi is None
    assert reference.url is None


@pytest.mark.parametrize(
    "doi", ["10.1000/a_b(1)", "doi:10.1000/a_b(1)", "https://doi.org/10.1000/a_b(1)", r"10.1000/a\_b(1)"]
)
def test_a_doi_is_made_plain(tmp_path: Path, doi: str) -> None:
    """However it is written, it is shown bare and linked at doi.org."""
    reference = format_one(tmp_path, f"@misc{{a, title={{T}}, doi={{{doi}}}}}")
    assert reference.doi == "10.1000/a_b(1)"
    assert reference.doi_url == "https://doi.org/10.1000/a_b(1)"


def test_a_long_list_of_authors_is_cut_and_counted(tmp_path: Path) -> None:
    """A byline stays a line."""
    names = " and ".join(f"Author{n}, A." for n in range(30))
    reference = format_one(tmp_path, f"@misc{{a, title={{T}}, author={{{names}}}}}")
    assert len(reference.authors) == 30
    assert reference.byline.count(",") == MAX_AUTHORS - 2
    assert reference.byline.endswith("A. Author6 and 23 others")
    assert reference.short == "Author0 et al."


def test_editors_and_organisations_stand_in_for_authors(tmp_path: Path) -> None:
    """And the title, where there is nobody."""
    assert format_one(tmp_path, "@book{a, title={T}, editor={One, A and Two, B}}").byline == "A One and B Two (eds.)"
    assert format_one(tmp_path, "@manual{a, title={T}, organization={Org}}").short == "Org"
    assert format_one(tmp_path, "@misc{a, title={T}}").short == "“T”"


def test_only_http_addresses_become_links() -> None:
    """Whatever a hostile file says, a link is http or https and cannot end its attribute."""
    bibliography = read_bibliography([BIB / "hostile.bib"])
    for reference in bibliography.references(tuple(bibliography)):
        for link in (reference.link, reference.url, reference.doi_url, reference.arxiv_url):
            assert link is None or (link.startswith(("https://", "http://")) and not set(link) & set("\"'<> "))
    assert bibliography["data"].key == "data"
    assert format_reference(bibliography["upper"]).link is None
    assert format_reference(bibliography["data"]).link is None


def test_a_reference_is_one_line_of_plain_text(tmp_path: Path) -> None:
    """For feeds and `cite as`."""
    reference = format_one(
        tmp_path, "@article{a, title={Is it?}, author={Knuth, Donald E.}, journal={J}, year=1984, doi={10.1000/1}}"
    )
    assert reference.text == "Donald E. Knuth. Is it? J, 1984. https://doi.org/10.1000/1"


def test_only_works_that_are_there_are_listed() -> None:
    """What is cited and not in the bibliography was reported; the numbers of the others have no gap."""
    bibliography = read_bibliography([BIB / "accents.bib"])
    references = bibliography.references(("accents", "nobody", "names"))
    assert [(reference.anchor, reference.number) for reference in references] == [("ref-accents", 1), ("ref-names", 2)]
