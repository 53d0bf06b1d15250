"""The articles for authors name all that there is, and nothing that there is not."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from builder.folders import built_in
from builder.kind import Kind, load_kinds, parameters
from builder.model_source import ModelSource
from builder.numerals import FORMS

CONTENT = Path(__file__).parents[1] / "content"
KINDS = load_kinds([built_in("figures")])
NAME = re.compile(r"`([^`]+)`")


def rows(text: str) -> list[list[str]]:
    """Return the cells of a text's tables, their heads left out."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "`" in line.split("|")[1]]


def table(article: str, label: str) -> list[list[str]]:
    """Return the cells of the table that has a label."""
    text = (CONTENT / article / "article.md").read_text(encoding="utf-8")
    return rows(text.partition(f":label: {label}\n")[2].partition("\n:::\n")[0])


def sections() -> dict[str, str]:
    """Return what "Kinds and their options" says of each kind."""
    text = (CONTENT / "kinds" / "article.md").read_text(encoding="utf-8")
    parts = re.split(r"^### `(\w+)` \{#sec-[\w-]+\}$", text, flags=re.MULTILINE)[1:]
    return {name: said.partition("\n## ")[0] for name, said in zip(parts[::2], parts[1::2], strict=True)}


def choices(hint: Any) -> set[str]:
    """Return the words among which a type lets authors choose."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*(choices(part) for part in get_args(hint)))


def test_every_kind_is_documented() -> None:
    """Each has a section of its own, and no other has."""
    assert sorted(sections()) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_option_of_a_kind_is_documented(kind: Kind) -> None:
    """By its name, with all words that it may be, and with its default where that is one value."""
    documented = {name: cells for cells in rows(sections()[kind.name]) for name in NAME.findall(cells[0])}
    own = {field.name: field for field in parameters(kind)}
    assert sorted(documented) == sorted(own)
    hints = get_type_hints(kind.analysis.Params)
    for name, (_, said, otherwise) in documented.items():
        assert choices(hints[name]) <= set(NAME.findall(said)), name
        default = own[name].default
        if "as for" not in said and default not in (None, (), dataclasses.MISSING):
            (one, *more) = default if isinstance(default, tuple) else (default,)
            written = str(one).lower() if isinstance(one, bool) else f"{one:g}" if isinstance(one, float) else str(one)
            assert NAME.findall(otherwise) == [written] or more, name


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_text_can_name_of_a_kind_is_documented(kind: Kind) -> None:
    """Its aspects, and those that are drawn as graphics the size of a word."""
    (told,) = [cells for cells in table("kinds", "tbl-parts") if kind.name in NAME.findall(cells[0])]
    example = json.loads((kind.folder / "example.json").read_text(encoding="utf-8"))
    assert set(kind.parts(example["data"])) <= set(NAME.findall(told[1]))
    assert set(NAME.findall(told[2])) == set(kind.sparks) <= set(NAME.findall(told[1]))


def test_every_setting_of_a_model_is_documented() -> None:
    """The guide's table has each of them, and no other."""
    named = [name for cells in table("guide", "tbl-models") for name in NAME.findall(cells[0])]
    assert sorted(named) == sorted(field.name for field in dataclasses.fields(ModelSource) if field.name != "name")


def test_every_form_of_a_number_is_documented() -> None:
    """What `as=` may say."""
    text = (CONTENT / "guide" / "article.md").read_text(encoding="utf-8")
    assert set(FORMS) <= set(NAME.findall(text.partition("`as` is ")[2].partition(". ")[0]))


def test_every_block_of_pages_is_documented() -> None:
    """A site's theme fills blocks by their names."""
    pages = "".join(file.read_text(encoding="utf-8") for file in sorted(built_in("theme").glob("*.html")))
    text = (CONTENT / "extending" / "article.md").read_text(encoding="utf-8")
    said = text.partition("The blocks of every page are")[2].partition("Smaller parts")[0]
    assert set(re.findall(r"\{% block (\w+) %\}", pages)) == {name for name in NAME.findall(said) if "/" not in name}
