"""The reference list of an article: numbers or names, in order of citing or of the alphabet, no two works alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.bibliography import read_bibliography
from builder.bibliography.reference import Reference


@pytest.fixture
def tmp_bib(tmp_path: Path) -> Path:
    """Where a test writes its works."""
    return tmp_path / "works.bib"


def arrange(path: Path, *works: str, style: str = "author-year", order: str = "") -> tuple[Reference, ...]:
    """Return works, each the fields of one in BibTeX, with the keys w1, w2 and so on, cited in this order."""
    keys = [f"w{number}" for number in range(1, len(works) + 1)]
    path.write_text("\n".join(f"@misc{{{key}, {work}}}" for key, work in zip(keys, works, strict=True)))
    return read_bibliography([path]).references(keys, style, order)


def cited(references: tuple[Reference, ...]) -> list[str]:
    """Return how each is cited, in the order of the list."""
    return [f"{reference.who}, {reference.when}".replace("\u00a0", " ") for reference in references]


def work(author: str, year: str = "2020", title: str = "T") -> str:
    """Return the fields of a work."""
    return f"author = {{{author}}}, year = {{{year}}}, title = {{{title}}}"


def test_numbers_follow_the_order_of_the_list(tmp_bib: Path) -> None:
    """Cited or sorted; numbers are for the order of citing unless an author wants otherwise, names for the other."""
    works = (work("Zeta, Ann"), work("Alpha, Bob"))
    for style, order, keys in (
        ("numbered", "", ["w1", "w2"]),
        ("numbered", "sorted", ["w2", "w1"]),
        ("author-year", "", ["w2", "w1"]),
        ("author-year", "cited", ["w1", "w2"]),
    ):
        listed = arrange(tmp_bib, *works, style=style, order=order)
        assert [(reference.key, reference.number) for reference in listed] == list(zip(keys, (1, 2), strict=True))


def test_the_alphabet_knows_no_accents_and_no_case(tmp_bib: Path) -> None:
    """By family with its von, given names by initial, year, title without its article."""
    works = (
        work("Zola, E"),
        work("{\\'E}mond, A"),
        work("van der Berg, A"),
        work("{\\O}stby, A"),
        work("alpha, A"),
        work("Berg, B", "2021"),
        work("Berg, Bob", "2020"),
        work("Berg, B and Aal, C", "2019"),
    )
    listed = [reference.key for reference in arrange(tmp_bib, *works)]
    assert listed == ["w5", "w7", "w6", "w8", "w2", "w4", "w3", "w1"]


def test_letters_tell_works_of_the_same_people_and_year_apart(tmp_bib: Path) -> None:
    """In the order of the list; also where only the first of many names is shown, and where there is no year."""
    works = (
        work("A, A and B, B and C, C", title="Second"),
        work("A, A and B, B and C, C", title="First"),
        work("A, A and D, D and E, E"),
        work("F, F", ""),
        work("F, F", "", "U"),
        work("G, G", "in press"),
        work("G, G", "in press", "U"),
        work("A, A", "2021"),
    )
    assert cited(arrange(tmp_bib, *works)) == [
        "A, 2021",
        "A et al., 2020a",
        "A et al., 2020b",
        "A et al., 2020c",
        "F, n.d.-a",
        "F, n.d.-b",
        "G, in press-a",
        "G, in press-b",
    ]
    many = arrange(tmp_bib, *(work("A, A", title=f"T{number:02}") for number in range(28)))
    assert [reference.letter for reference in many][-3:] == ["z", "aa", "ab"]


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        (("Wang, Jing", "Wang, Kai"), ["J. Wang", "K. Wang"]),
        (("Wang, Jing", "Wang, Jun"), ["Jing Wang", "Jun Wang"]),
        (("Alammar, J", "Alammar, Jay"), ["Alammar", "Alammar"]),
        (("Olah, Chris", "Olah, Christopher"), ["Olah", "Olah"]),
        (("Wang, Jean-Pierre A.", "Li, B and Wang, K"), ["J.-P. A. Wang", "Li and K. Wang"]),
        (("Wang, Jing", "Li, B and Wang, K and Xu, C"), ["Li et al.", "Wang"]),
        (("{OpenAI}", "{OpenAI}"), ["OpenAI", "OpenAI"]),
        (("van der Berg, A", "Berg, B"), ["Berg", "van der Berg"]),
    ],
)
def test_namesakes_have_their_given_names(tmp_bib: Path, authors: tuple[str, ...], expected: list[str]) -> None:
    """Initials where those differ, else whole names; not where two ways to write a name may be one person."""
    works = [work(author, f"20{number}0") for number, author in enumerate(authors)]
    assert sorted(reference.who.replace("\u00a0", " ") for reference in arrange(tmp_bib, *works)) == expected


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ("title = {The Title: and a subtitle}", "“The Title”, n.d."),
        ("title = {One two three four five six seven}, year = 2020", "“One two three four five…”, 2020"),
        ("title = {Long}, shorttitle = {Short}, year = 2020", "“Short”, 2020"),
        ("title = {T}, organization = {Org}, year = 2020", "Org, 2020"),
        ("title = {T}, author = {{Long Name}}, shortauthor = {{LN}}, year = 2020", "LN, 2020"),
        ("title = {T}, author = {A, B and others}, year = 2020", "A et al., 2020"),
        ("title = {T}, editor = {A, B}, date = {2020-05/2020-07}", "A, 2020"),
        ("title = {T}, author = {A, B}, date = {2019/2021}", "A, 2019–2021"),
        ("title = {T}, author = {A, B}, date = {2019-03/}", "A, 2019–"),
        ("title = {T}, author = {A, B}, date = {2019~}, month = 5", "A, 2019"),
        ("title = {T}, author = {A, B}, pubstate = {inpress}", "A, in press"),
        ("title = {T}, author = {A, B}, year = {c. 350 BC}", "A, c. 350 BC"),
    ],
)
def test_what_has_no_author_or_no_plain_year_is_cited_too(tmp_bib: Path, fields: str, label: str) -> None:
    """By a short form of the title, by an organisation, by a range of years or a state."""
    assert cited(arrange(tmp_bib, fields)) == [label]


def test_a_sorted_list_begins_with_the_family_name(tmp_bib: Path) -> None:
    """Of the first of the people; the others stand as in a sentence."""
    one, two, three = arrange(
        tmp_bib, work("A, Ann"), work("B, Ann and King, Jr., Bob"), work("von C, Ann and D, Bob and E, Cid")
    )
    assert one.sorted_byline == "A, Ann"
    assert two.sorted_byline == "B, Ann, and Bob King, Jr."
    assert three.sorted_byline == "von C, Ann, Bob D, and Cid E"
    (four,) = arrange(tmp_bib, "title = {T}, author = {{Long Name}}, shortauthor = {{LN}}")
    assert four.sorted_byline == "Long Name [LN]"
