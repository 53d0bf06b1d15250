"""Figures within a figure: one number for all of them, a letter for each, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from builder.document import Document

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]

PART = ":::{figure}\n:analysis: tokens\n:prompt: x\n\nIts own.\n:::\n\n"


def group(*options: str, parts: str = PART + PART) -> str:
    """Return a figure with others in it; its first option stands in line 5."""
    return "::::{figure}\n" + "".join(f"{option}\n" for option in options) + f"\n{parts}All.\n::::\n\n"


def test_parts_have_their_figures_number_and_a_letter_each(parsed: Parse, told: Told) -> None:
    """So `@fig-b` is "Figure 1b"; what comes after is number 2; all stand in `figures`, where the plan looks."""
    second = PART.replace("tokens\n", "tokens\n:label: fig-b\n")
    document = parsed(group(":label: fig-all", parts=PART + second) + PART + "See @fig-all, @fig-b.")
    assert told(document) == []
    assert [spec.anchor for spec in document.figures] == ["fig-all", "fig-1a", "fig-b", "fig-2"]
    assert [spec.kind is not None for spec in document.figures] == [False, True, True, True]
    assert {name: label.number for name, label in document.labels.items()} == {"fig-all": "1", "fig-b": "1b"}


def test_after_z_comes_aa(parsed: Parse) -> None:
    """A figure of 28 small ones has a name for each."""
    document = parsed(group(parts=PART * 28))
    assert [spec.anchor for spec in document.figures][-3:] == ["fig-1z", "fig-1aa", "fig-1ab"]


def test_words_in_a_parts_caption_are_of_that_part(parsed: Parse, told: Told) -> None:
    """In the caption of all, a mention must say of which."""
    part = PART.replace("Its own.", "[x]{token=1}").replace("tokens\n", "tokens\n:label: fig-b\n")
    document = parsed(group(parts=PART + part).replace("All.", "[y]{token=2 of=fig-b}"))
    assert told(document) == []
    assert {mention.anchor for mention in document.mentions} == {"fig-b"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (group(":columns: 9"), "5: invalid columns: 9 is no number from 1 to 6"),
        (group(":colums: 2"), "5: unknown option of {figure}: colums (did you mean columns?)"),
        (
            group(":analysis: tokens"),
            "5: unknown option of {figure}: analysis (with figures within it, it has label, layout and columns)",
        ),
        (
            "::::{figure} rank.png\n\n" + PART + "::::",
            "4: invalid figure: it has a picture, and figures within it (leave out one)",
        ),
        (
            group(parts=":::{figure}\n:analysis: tokens\n:layout: page\n:::\n"),
            "8: invalid layout: it is the outer figure that has one",
        ),
        (
            f":::::{{figure}}\n{group()}:::::",
            "5:1: invalid figure: it is within another, and has others within it",
        ),
        (
            group(":label: fig-all") + "[x]{token=1 of=fig-all}",
            "24:13: unsupported mention: fig-all is several figures (name one of them)",
        ),
        (
            group().replace("All.", "[x]{token=1}"),
            "20:1: missing of: token=1 of which figure? (add of=LABEL)",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_line(parsed: Parse, told: Told, body: str, problem: str) -> None:
    """A figure is a picture, an answer, or several of these."""
    assert problem in told(parsed(body))
