"""Looking a `.bib` file over: the entries that pybtex finds, and where; none is parsed before it is cited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pybtex.database import Person
from pybtex.database.input.bibtex import LowLevelParser, month_names
from pybtex.scanner import PybtexSyntaxError
from pybtex.utils import CaseInsensitiveDict

from builder.bibliography import read_bibliography
from builder.bibliography.entry import read_names
from builder.bibliography.latex import plain
from builder.bibliography.scan import read_raw, scan

FILE = Path("any.bib")


def by_pybtex(text: str) -> list[tuple[str, str, list[tuple[str, str]]]] | None:
    """Return type, key and fields of each entry as pybtex reads a file, or None for one that it refuses."""
    parser = LowLevelParser(text, macros=CaseInsensitiveDict(month_names))
    found = []
    try:
        for kind, body in parser:
            if kind.lower() not in ("string", "preamble"):
                fields = [(name.lower(), " ".join("".join(parts).split())) for name, parts in body[1]]
                found.append((kind.lower(), body[0], fields))
    except PybtexSyntaxError:
        return None
    return found


def by_us(text: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return type, key and fields of each entry as we read a file."""
    scanned = scan(text, FILE)
    raw = [read_raw(scanned, span, FILE)[0] for span in scanned.spans]
    return [(entry.type, entry.key, [(field.name, field.value) for field in entry.fields]) for entry in raw]


word = st.text(alphabet="aZ09é-:._/+", min_size=1, max_size=6)
loose = st.text(alphabet="ab Z0é\\'`~$%&#,=@()\n", max_size=12)
braced = st.recursive(
    loose, lambda inner: st.lists(st.builds("{{{}}}".format, inner) | loose).map("".join), max_leaves=6
)
part = (
    st.builds("{{{}}}".format, braced)
    | st.builds('"{}"'.format, braced)
    | st.integers(0, 9999).map(str)
    | st.sampled_from(["jan", "Dec", "acl"])
)
space = st.sampled_from(["", " ", "\n  ", "\t"])
value = st.lists(part, min_size=1, max_size=3).flatmap(lambda parts: space.map(lambda s: f"{s}#{s}".join(parts)))
fields = st.lists(
    st.builds("{0},{0}{1}{0}={0}{2}".format, space, st.sampled_from(["title", "AUTHOR", "bdsk-url-1", "x:y"]), value)
).map("".join)
entry = st.builds(
    lambda kind, key, body, tail, around: f"@{kind}{around[0]}{key}{body}{tail}{around[1]}",
    st.sampled_from(["article", "MISC", " book", "online "]),
    word,
    fields,
    st.sampled_from(["", ",", " ,\n"]),
    st.sampled_from(["{}", "()"]),
)
between = st.sampled_from(["\n\n", " ", "Some prose, me@example.org\n", "@comment{x @y}\n", '@preamble{"x" # "y"}\n'])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(entry, between), max_size=5))
def test_the_scanner_finds_what_pybtex_finds(pieces: list[tuple[str, str]]) -> None:
    """Whatever stands in braces, quotes and keys: same entries, same fields, same strings."""
    text = '@string{acl = "A" # {C}}' + "".join("".join(piece) for piece in pieces)
    expected = by_pybtex(text)
    if expected is not None:
        assert by_us(text) == expected
        assert scan(text, FILE).problems == []


@settings(max_examples=150, deadline=None)
@example("@\na{=}")  # a type on the next line
@given(st.text(alphabet='@ab{}()",=# \n', max_size=50))
def test_what_pybtex_reads_without_a_word_so_do_we(text: str) -> None:
    """For any text at all, as far as it has entries that have keys, and no `@` that is none."""
    expected = by_pybtex(text)
    named = expected is not None and all(kind.isalpha() for kind, _, _ in expected)  # to pybtex, @ is a letter
    if named and not scan(text, FILE).problems:
        assert by_us(text) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abAB王é{}\\\"'`~,.- J()1", min_size=1, max_size=24).map(str.strip).filter(bool))
def test_names_are_divided_as_pybtex_divides_them(text: str) -> None:
    """Those that we read ourselves for speed, and those that we leave to it."""
    (names, _, oddities) = read_names(text)
    if oddities or len(names) != 1:
        return
    person = Person(text)
    parts = (person.last_names, person.first_names + person.middle_names, person.prelast_names, person.lineage_names)
    assert (names[0].last, names[0].first, names[0].von, names[0].jr) == tuple(plain(" ".join(p)) for p in parts)


def test_an_entry_knows_its_line_before_it_is_parsed(tmp_path: Path) -> None:
    """Whatever ends the lines."""
    for number, end in enumerate(("\n", "\r\n", "\r")):
        path = tmp_path / f"{number}.bib"
        path.write_bytes(f"% one{end}@misc{{a,{end} title = {{A}},{end}}}{end}{end}@misc{{b, tilte = {{B}}}}".encode())
        bibliography = read_bibliography([path])
        assert bibliography.place("b") == (path, 6)
        assert {problem.line for problem in bibliography.check_all()} == {6}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("\ufeff@misc{a}", ["a"]),
        ("%@misc{a}\n@misc{b}", ["b"]),
        ("  % @misc{a,\n  % title = {A}}\n@misc{b}", ["b"]),
        ("100% @misc{a}", ["a"]),
        ("@misc{a, title = {\n%}} @misc{b}", ["a", "b"]),
        ("@comment{@misc{a}}", ["a"]),
        ("@misc(a, title = {)}) @misc{b}", ["a", "b"]),
        ('@misc{a, title = "}"} @misc{b}', ["a", "b"]),
        ("@misc{DBLP:conf/nips/X+Y:1, title={T}}", ["DBLP:conf/nips/X+Y:1"]),
        ("@misc{a{b, title={T}}", ["a{b"]),
        ("@misc{}\n@misc{, title={T}}\n@misc{b}", ["b"]),
        ("@Misc { a , title = {T} , }", ["a"]),
        ("@misc{a, title = {" + "{" * 30 + "}" * 30 + "}}@misc{b}", ["a", "b"]),
    ],
)
def test_odd_ways_to_write_an_entry(tmp_path: Path, text: str, keys: list[str]) -> None:
    """A mark of byte order, comments, round brackets, strange keys, none at all: each as BibTeX or biber takes it."""
    path = tmp_path / "odd.bib"
    path.write_text(text, encoding="utf-8")
    assert list(read_bibliography([path])) == keys


def test_strings_count_from_where_they_are_defined(tmp_path: Path) -> None:
    """One that is defined twice means the first text until then; strings may be made of strings."""
    path = tmp_path / "strings.bib"
    path.write_text(
        '@misc{a, note = x}\n@string{x = "One"}\n@misc{b, note = X}\n'
        "@STRING(x = x # { and } # 2 # jan)\n@misc{c, note = x}"
    )
    bibliography = read_bibliography([path])
    assert [bibliography[key].fields["note"] for key in "abc"] == ["x", "One", "One and 2January"]
    assert [problem.line for problem in bibliography.check_all() if "unknown string" in problem.message] == [1]


def test_oddities_are_told_of_works_that_are_cited(tmp_path: Path) -> None:
    """And of those they inherit from; others wait for a check of the whole file. What breaks a file is always told."""
    path = tmp_path / "odd.bib"
    path.write_text(
        "@misc{good, title = {Good}}\n@misc{bad, tilte = {Bad}}\n"
        "@inproceedings{child, title = {C}, crossref = {parent}}\n"
        "@proceedings{parent, titel = {P}}\n@misc{good, title = {Again}}\n@misc{never, title = {closed}\n"
    )
    bibliography = read_bibliography([path])
    assert [problem.line for problem in bibliography.problems] == [5, 6]
    assert bibliography.problems_of(["good", "nobody"]) == ()
    assert {problem.line for problem in bibliography.problems_of(["bad"])} == {2}
    assert {problem.line for problem in bibliography.problems_of(["child"])} == {4}
    assert {problem.line for problem in bibliography.check_all()} == {2, 4, 5, 6}


BASE: dict[str, Any] = {"x": "One", "parent": "P", "grand": "G", "child": "C", "other": "O", "space": " "}


def digest(tmp_path: Path, *keys: str, **changed: str) -> str:
    """Return the digest of some keys in a small file, with something in it changed."""
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bib"
    path.write_text(
        '@string{{x = "{x}"}}\n@misc{{other, title = {{{other}}}}}{space}\n'
        "@misc{{child, title = {{{child}}}, note = x, crossref = {{parent}}}}\n"
        "@book{{parent, title = {{{parent}}}, xdata = {{grand}}}}\n@xdata{{grand, publisher = {{{grand}}}}}\n".format(
            **{**BASE, **changed}
        )
    )
    return read_bibliography([path]).digest(keys)


def test_a_digest_changes_with_all_that_a_page_says_of_a_work(tmp_path: Path) -> None:
    """Its own text, what it inherits, the strings it uses; not with what stands beside it."""
    before = digest(tmp_path, "child")
    assert [digest(tmp_path, "child", **{name: "new"}) == before for name in ("child", "parent", "grand", "x")] == [
        False
    ] * 4
    assert digest(tmp_path, "child", other="new", space="\n\n") == before
    assert digest(tmp_path, "child", "other") != digest(tmp_path, "other", "child") != before


def test_a_digest_says_whether_a_key_is_there_at_all(tmp_path: Path) -> None:
    """A handle in a text becomes a citation when the bibliography gets its key, or one that is all but the same."""
    assert digest(tmp_path, "handle") == digest(tmp_path, "handle", other="new")
    assert len({digest(tmp_path, key) for key in ("handle", "childs", "child")}) == 3


def test_a_hopeless_file_is_given_up(tmp_path: Path) -> None:
    """Ten thousand entries that are never closed do not take until tomorrow, nor ten thousand lines in a terminal."""
    path = tmp_path / "hopeless.bib"
    path.write_text("".join(f"@misc{{k{n}, title = {{{{Never}} closed,\n" for n in range(10_000)))
    problems = read_bibliography([path]).problems
    assert len(problems) == 101
    assert problems[-1].message == "broken bibliography: 100 entries are broken; the rest is not read"


def test_ten_thousand_entries_are_looked_over(tmp_path: Path) -> None:
    """And each is found, with its line, and parsed when it is asked for."""
    path = tmp_path / "long.bib"
    path.write_text("".join(f"@misc{{k{n},\n  title = {{Title {n}}},\n}}\n\n" for n in range(10_000)))
    bibliography = read_bibliography([path])
    assert len(bibliography) == 10_000
    assert bibliography.place("k9999") == (path, 39_997)
    assert bibliography["k5000"].text("title") == "Title 5000"
