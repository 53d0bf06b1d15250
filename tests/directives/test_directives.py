"""Directives: `fixtures/directives/*.md` specify them (title . input . output)."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it.utils import read_fixture_file

from builder.directives import DIRECTIVES
from builder.directives.options import read_lines

from .pages import render

FIXTURES = Path(__file__).parents[1] / "fixtures" / "directives"
CASES = [
    pytest.param(path.stem, text, wanted, id=f"{path.stem}: {title}")
    for path in sorted(FIXTURES.glob("*.md"))
    for _, title, text, wanted in read_fixture_file(path)
]


@pytest.mark.parametrize(("name", "text", "wanted"), CASES)
def test_directives_do_as_their_fixtures_say(name: str, text: str, wanted: str, folder: Path) -> None:
    """Each fixture is an example of the syntax and what becomes of it."""
    assert render(text, folder).strip() == wanted.strip()


def test_every_directive_has_fixtures() -> None:
    """A directive without an example is not specified."""
    shown = "".join(path.read_text(encoding="utf-8") for path in FIXTURES.glob("*.md"))
    assert all(f"{{{directive.name}}}" in shown for directive in DIRECTIVES)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (":a: x", "x"),
        (":a:  x  ", "x"),
        (":a: x: y :z:", "x: y :z:"),
        (r':a: "x\n\"y\" "', 'x\n"y" '),
        (r':a: "\x41 \u00e9"', "A é"),
        (r":a: x\n", r"x\n"),
        (":a: 'x'", "'x'"),
        (':a: "', '"'),
        (':a: "x', '"x'),
        (":a:", ""),
        (":a: # $ * @ | < {", "# $ * @ | < {"),
    ],
)
def test_an_option_is_raw_but_for_double_quotes(line: str, value: str) -> None:
    """Prompts hold anything; quotes are for what a line cannot hold."""
    options = read_lines([line], 1)
    assert not options.problems
    assert options.values["a"].value == value
