"""Reading `.bib` files: what can be read is read, and everything odd is said with its file and line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builder.bibliography import Bibliography, bib_file, read_bibliography, references
from builder.bibliography.latex import plain

ROOT = Path(__file__).parents[2]
BIB = Path(__file__).parents[1] / "fixtures" / "bib"


def read(*names: str) -> Bibliography:
    """Read fixtures by name."""
    return read_bibliography([BIB / f"{name}.bib" for name in names])


def said(bibliography: Bibliography) -> dict[int, str]:
    """Return all problems by line, with their severity."""
    return {p.line or 0: f"{p.severity}: {p.message}" for p in bibliography.check_all()}


def write(tmp_path: Path, text: str, name: str = "test.bib") -> Path:
    """Write a `.bib` file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_our_own_bibliography_has_nothing_odd() -> None:
    """What we ship is an example to follow: no problem of any kind, each work with authors, title, year and a link."""
    bibliography = read_bibliography(sorted((ROOT / "bib").glob("*.bib")))
    assert bibliography.check_all() == ()
    references = bibliography.references(tuple(bibliography))
    assert len(references) >= 90
    assert [r.key for r in references if not (r.authors and r.title and r.year.isdigit())] == []
    assert [r.key for r in references if not (r.doi_url or r.arxiv_url or r.url)] == []
    assert [key for key in bibliography if not re.fullmatch(r"[a-z]+\d{4}[a-z]*", key)] == []


def test_our_own_bibliography_names_no_work_twice() -> None:
    """Neither by title nor by identifier, so that no reference list shows the same paper under two numbers."""
    bibliography = read_bibliography(sorted((ROOT / "bib").glob("*.bib")))
    for name in ("title", "doi", "eprint", "url"):
        said = Counter("".join(filter(str.isalnum, bibliography[key].text(name).lower())) for key in bibliography)
        assert {text: count for text, count in said.items() if text and count > 1} == {}


def test_one_broken_entry_costs_one_entry() -> None:
    """Each error names what is wrong where it can be mended, and the entries around it are all there."""
    bibliography = read("broken")
    assert list(bibliography) == ["first", "unclosed", "round", "comma", "early", "last"]
    assert {p.path for p in bibliography.problems} == {BIB / "broken.bib"}
    assert said(bibliography) == {
        3: "error: broken entry: unclosed is never closed (a brace is missing)",
        13: "error: broken entry: comma: a comma is missing before year",
        18: "error: broken entry: field year stands outside of any entry (a brace too many before it?)",
        21: "error: invalid entry: @article is not followed by {",
    }


def test_oddities_are_warnings_with_their_lines() -> None:
    """What BibTeX would grumble about and pybtex's strict mode would refuse fails no build."""
    assert said(read("odd")) == {
        2: "warning: duplicate entry: twice is also on line 1, which is used",
        3: "warning: unknown entry type: inproceeding (did you mean inproceedings?)",
        6: "warning: unknown field: tilte of fields (did you mean title?)",
        8: "warning: duplicate field: year of fields; the first is used",
        12: "warning: invalid name: Smith, Ann, Jones, Ben, Doe, Cid (names are separated by 'and'), in names",
        13: "warning: invalid name: an empty one (two 'and' in a row, or one at an end), in nobody",
        14: "warning: unknown string: sept has no @string; put braces around a text",
        15: "warning: invalid DOI: see publisher, in doi; one begins with 10.",
        16: "warning: invalid address: ftp://example.org/x, in address; only http and https are linked",
        17: "warning: missing title: untitled",
        18: "warning: unknown crossref: twise, in orphan (did you mean twice?)",
    }


def test_the_first_of_repeated_entries_and_fields_counts() -> None:
    """As in BibTeX."""
    bibliography = read("odd")
    assert bibliography["twice"].text("title") == "The first"
    assert bibliography["fields"].fields["year"] == "2004"


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """The others are read all the same."""
    bibliography = read_bibliography([tmp_path / "nowhere.bib", BIB / "accents.bib"])
    assert [str(p) for p in bibliography.problems] == [f"{tmp_path / 'nowhere.bib'}: missing bibliography: nowhere.bib"]
    assert "accents" in bibliography


def test_a_file_that_is_not_utf_8_is_read_as_latin_1() -> None:
    """Old bibliographies are; the author hears of it."""
    bibliography = read("latin1")
    assert bibliography["latin"].text("title") == "Café"
    assert said(bibliography) == {1: "warning: invalid encoding: not UTF-8, read as Latin-1"}


def test_an_articles_own_entry_wins_over_the_sites(tmp_path: Path) -> None:
    """Files are given from the site's to the article's; the same entry in both is not worth a word."""
    same = "@misc{same, title = {Same}, year = 2000}\n"
    site = write(tmp_path, same + "@misc{own, title = {The site's}}", "site.bib")
    own = write(tmp_path, same + "@misc{own, title = {The article's}}", "own.bib")
    bibliography = read_bibliography([site, own])
    assert bibliography["own"].text("title") == "The article's"
    assert [str(p) for p in bibliography.problems] == [
        f"{own}:2: warning: duplicate entry: own says something else in site.bib:2; this is used"
    ]


def test_an_entry_inherits_from_its_cross_reference() -> None:
    """A parent's title is the child's book title; a circle ends, and is a warning."""
    bibliography = read("crossref")
    child = bibliography["child"]
    assert child.text("booktitle") == "Proceedings of the Parents"
    assert child.text("title") == "The Child"
    assert child.fields["year"] == "1999"
    assert set(said(bibliography)) == {12, 13}


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    """Files are kept while they do not change, and no longer."""
    path = write(tmp_path, "@misc{a, title = {One}}")
    first = read_bibliography([path])
    assert read_bibliography([path])["a"] is first["a"]
    write(tmp_path, "@misc{a, title = {Two}}")
    os.utime(path, (1, 1))
    assert read_bibliography([path])["a"].text("title") == "Two"


def test_strings_of_one_file_stay_there(tmp_path: Path) -> None:
    """An abbreviation means what its own file says."""
    one = write(tmp_path, '@string{x = "One"} @misc{a, title = x # { more}}', "one.bib")
    two = write(tmp_path, "@misc{b, title = x}", "two.bib")
    bibliography = read_bibliography([one, two])
    assert bibliography["a"].text("title") == "One more"
    assert bibliography["b"].text("title") == "x"
    assert len(bibliography.check_all()) == 1


def test_prose_between_entries_is_a_comment(tmp_path: Path) -> None:
    """E-mail addresses, comments and JabRef's notes are no entries and no problems."""
    text = "Mail me@example.org.\n% @not an entry\n@comment{jabref-meta: databaseType:bibtex;}\n@misc{a, title = {A}}\n"
    bibliography = read_bibliography([write(tmp_path, text)])
    assert list(bibliography) == ["a"]
    assert bibliography.check_all() == ()


def test_what_is_cited_is_read_once_and_nothing_else_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Articles that cite the same ten works of a thousand read ten entries in all, and the one they inherit from."""
    path = write(
        tmp_path, "".join(f"@misc{{k{n}, title = {{T}}}}\n" for n in range(1000)) + "@misc{c, crossref = {k999}}"
    )
    done: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: (done.update([name]), real(*given))[1])

    count(bib_file, "read_entry")
    count(references, "_format")
    for _ in range(3):
        bibliography = read_bibliography([path])
        assert len(bibliography) == 1001
        assert len(bibliography.references([f"k{n}" for n in range(10)])) == 10
        assert bibliography.problems_of(["k1", "c"]) == ()
    assert done == {"read_entry": 12, "_format": 10}


def test_a_well_formed_bibliography_does_not_import_pybtex() -> None:
    """It takes a tenth of a second; only what is not well formed, or a name with something to it, is worth that."""
    program = (
        "import sys; from pathlib import Path; from builder.bibliography import read_bibliography\n"
        "bibliography = read_bibliography(sorted(Path('bib').glob('*.bib')))\n"
        "assert len(bibliography.references(tuple(bibliography))) >= 90\n"
        "print('pybtex' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Schr{\"o}dinger", "Schrödinger"),
        (r"{\'E}cole d'\'et\'e", "École d'été"),
        (r"na\"{\i}ve \'\i", "naïve í"),
        (r"\v{C}ern\'y, {\v C}ech, Erd{\H{o}}s", "Černý, Čech, Erdős"),
        (r"{\L}ukasz \o \ss{} \AA", "Łukasz øß Å"),
        (r"\emph{a {B} c} \url{http://x.y/z}", "a B c http://x.y/z"),
        (r"50\% of \{x\_1\} \& \$5 \#1", "50% of {x_1} & $5 #1"),
        (r"$\alpha$-$k$ $O(n^2)$ x_{10}", "α-k O(n²) x_10"),
        ("``a''---b--c~d", "“a”—b–c\u00a0d"),
        (r"\noopsort{1973a}1973 {\relax Ch}ristos", "1973 Christos"),
        ("plain  text\nof two lines", "plain text of two lines"),
        (r"Nguy{\~{\^e}}n Tr{\`\^a}n", "Nguyễn Trần"),
        (r"$\mathcal{O}(n \log n)$, $p(x \mid y) \le 2^n$, $\frac{1}{2}$", "O(n log n), p(x | y) ≤ 2ⁿ, 1/2"),
        (r"H\textsubscript{2}O, the $8^{th}$ of \textsc{May}", "H₂O, the 8th of May"),
        (r"`one' and `two', and the authors' own", "‘one’ and ‘two’, and the authors' own"),
        (r"\url{http://x.y/~z} a~b", "http://x.y/~z a\u00a0b"),
        (r"$f \propto r^{-1}$", "f ∝ r⁻¹"),
        (r"\unknowncommand{kept}", "kept"),
        ("", ""),
    ],
)
def test_tex_is_read_as_text(tex: str, text: str) -> None:
    """Accents are composed, braces and commands go, and what they protect stays."""
    assert plain(tex) == text


@settings(max_examples=150, deadline=None)
@example("@a{")  # the next entry would be its key
@given(st.text(alphabet=st.sampled_from("{}\\\"'`^~=.$&%#_,@()-aeiouHcvbdk \n"), max_size=60))
def test_nothing_in_a_file_can_stop_the_reading(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in a field or between entries, reading and formatting end, and the entry after it is there."""
    path = tmp_path_factory.mktemp("bib") / "any.bib"
    path.write_text(f"@misc{{a, author = {{{text}}}, title = {{{text}}}}}\n{text}\n@misc{{z, title = {{Last}}}}\n")
    bibliography = read_bibliography([path])
    assert "z" in bibliography
    for reference in bibliography.references(tuple(bibliography)):
        assert reference.text


@pytest.mark.parametrize(
    "field",
    [
        "note = {arxiv " + "a-" * 100_000 + "}",
        "author = {" + "A, B and " * 10_000 + "C}",
        "author = {" + "{a} " * 20_000 + "}",
        "title = {" + "\\'" * 50_000 + "}",
        "title = {" + "$" * 50_000 + "}",
        "url = {" + "http://" * 20_000 + "}",
        "pages = {" + "1-" * 50_000 + "}",
        "xdata = {" + "b," * 5_000 + "}",
        "title = " + "a#" * 20_000 + "{b}",
        "a" * 100_000 + " = {b}",
    ],
    ids=lambda field: field[:12],
)
def test_what_is_long_is_read_in_time(tmp_path: Path, field: str) -> None:
    """In proportion to its length, or this test would not end: a stranger's file keeps no build from its end."""
    bibliography = read_bibliography([write(tmp_path, f"@book{{k, {field}, publisher = {{P}}}}")])
    bibliography.check_all()
    (reference,) = bibliography.references(("k",), "author-year")
    assert reference.text
    assert reference.who
    assert bibliography.digest(("k",))
