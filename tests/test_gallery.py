"""Galleries: several models, prompts or runs in one figure make a panel each, and what is wrong is told at its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.figure import Option
from builder.gallery import PanelSpec, read_gallery

PATH = Path("a.md")


def read(**options: Any) -> tuple[tuple[PanelSpec, ...], list[str]]:
    """Return the panels of options that stand on lines 1, 2, …, and what is wrong as `line: message`."""
    written = {name: Option(value, line) for line, (name, value) in enumerate(options.items(), 1)}
    panels, problems = read_gallery(written, PATH)
    return panels, [f"{problem.line}: {problem.message}" for problem in problems]


def test_a_figure_of_one_answer_is_no_gallery() -> None:
    """One panel, without a title, that adds nothing."""
    assert read(model="a", prompt="b") == ((PanelSpec(),), [])


def test_prompts_with_commas_are_kept_whole() -> None:
    """YAML's lists, in one line or in many; never split at commas."""
    for value in ('["1, 2,", "3, 4,"]', ["1, 2,", "3, 4,"]):
        panels, problems = read(prompts=value)
        assert [panel.options["prompt"].value for panel in panels] == ["1, 2,", "3, 4,"]
        assert [panel.title for panel in panels] == ["1, 2,", "3, 4,"]
        assert not problems


def test_models_and_prompts_make_every_pair() -> None:
    """In the order of the lists, a model's panels beside each other."""
    panels, _ = read(models="[a, b]", prompts="[x, y]")
    assert [(p.options["model"].value, p.options["prompt"].value) for p in panels] == [
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
        ("b", "y"),
    ]
    assert panels[1].title == "a · y"
    assert panels[1].options["prompt"].line == 2


def test_titles_may_be_the_authors() -> None:
    """A long prompt is cut, and may be called something else."""
    long = "word " * 40
    assert len(read(prompts=[long, "x"])[0][0].title) == 80
    assert [panel.title for panel in read(prompts=[long, "x"], titles="[long, short]")[0]] == ["long", "short"]


def test_texts_stay_as_they_are_written() -> None:
    """YAML alone would make True of `yes`, 7 of `007` and 0.1 of `.10`."""
    panels, problems = read(prompts="[yes, 007, .10, null]", titles="[on, off, ~, 1_000]")
    assert [panel.options["prompt"].value for panel in panels] == ["yes", "007", ".10", "null"]
    assert [panel.title for panel in panels] == ["on", "off", "~", "1_000"]
    assert not problems


def test_a_list_that_is_none_is_told_of_alone() -> None:
    """How many titles it should have is not known then."""
    assert read(prompts="[]", titles="[a]")[1] == ["1: invalid prompts: it is not a list such as [one, another]"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"prompts": "one, two"}, "1: invalid prompts: it is not a list such as [one, another]"),
        ({"prompts": "[]"}, "1: invalid prompts: it is not a list such as [one, another]"),
        ({"prompts": "[a: 1"}, "1: invalid prompts: it is not a list such as [one, another]"),
        ({"models": [["a"]]}, "1: invalid models: it is not a list such as [one, another]"),
        ({"models": ["a", "b", "a"]}, "1: duplicate model: a stands twice in models"),
        ({"prompts": "[a, b]", "prompt": "c"}, "2: duplicate prompt: prompts names them already (leave out one)"),
        ({"prompts": "[a, b]", "titles": "[a]"}, "2: invalid titles: it is not a list of 2, one a panel"),
        ({"prompts": "[a, b]", "titles": "[a, {b: c}]"}, "2: invalid titles: it is not a list of 2, one a panel"),
        ({"prompts": r'[a, "\ud83d"]'}, "1: invalid prompts: it is not a list such as [one, another]"),
        ({"titles": "[a]"}, "1: unknown titles: only a gallery has them (models, prompts or runs)"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(options: dict[str, Any], told: str) -> None:
    """The form of a list, names that stand twice, titles that do not fit."""
    assert told in read(**options)[1]
