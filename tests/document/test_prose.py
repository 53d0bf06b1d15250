"""What prose names of figures: the label, the form and the place of each, before any result is there."""

# ruff: noqa: E501 - the table of mistakes has one a line
from __future__ import annotations

from collections.abc import Callable

import pytest

from builder.document import Document

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]

FIGURE = "\n\n:::{figure}\n:label: fig-count\n:analysis: factors\n:prompt: x\n:::\n\n:::{figure} rank.png\n:label: fig-picture\n:alt: x\n:::\n"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("A [b]{factor=2 of=fig-cuont}", "4:16: unknown label: fig-cuont (did you mean fig-count?)"),
        ("{spark}`token=27 of=fig-cont`", "4:18: unknown label: fig-cont (did you mean fig-count?)"),
        ("{value}`n of=fig-cont`", "4:11: unknown label: fig-cont (did you mean fig-count?)"),
        ("## T {#sec-t}\n\n[b]{factor=2 of=sec-t}", "6:14: invalid of: sec-t is no figure"),
        ("[b]{factor=2 of=fig-picture}", "4:14: unsupported mention: fig-picture is a picture, and has no data"),
        ("A [b]{factor=2}", "4:3: missing of: factor=2 of which figure? (add of=LABEL)"),
        ("A {value}`a.b`", "4:3: missing of: a.b of which figure? (add of=LABEL)"),
        ("A [b]{of=fig-count}", "4:3: missing part: [words]{factor=2 of=fig-count} names one"),
        ("[b]{.spark}", "4:1: missing part: [words]{factor=2 of=fig-count} names one"),
        ("[b]{factor=2 token=3 of=fig-count}", "4:14: invalid mention: factor=2 and token=3 (one each)"),
        ("[b]{factor=2 of=fig-count panel=0}", "4:27: invalid panel: 0 (they are counted from 1)"),
        ("{value}`n panel=x of=fig-count`", "4:11: invalid panel: x (they are counted from 1)"),
        (
            '[b]{token=" is of=fig-count}',
            '4:5: invalid mention: token=" is of=fig-count (write key=value, and in double quotes what is not one word)',
        ),
        (
            "{spark}`27 of=fig-count`",
            "4:9: invalid spark: 27 of=fig-count (write key=value, and in double quotes what is not one word)",
        ),
        (
            "{value}`[0] of=fig-count`",
            "4:9: invalid value: [0] of=fig-count (a path such as sizes[0].factors[1].share comes first)",
        ),
        (
            "{value}`a[0 of=fig-count`",
            "4:10: invalid value: a[0 of=fig-count (a path such as sizes[0].factors[1].share comes first)",
        ),
        ("{value}`a ass=.2 of=fig-count`", "4:11: unknown attribute of {value}: ass (did you mean as?)"),
        ("{value}`a as=percnt of=fig-count`", "4:11: unknown form: as=percnt (did you mean percent?)"),
        (
            "{value}`a as=x of=fig-count`",
            "4:11: unknown form: as=x (known: count, number, ordinal, percent, rank, text, .2)",
        ),
        ("[a]{style=red}", "4:5: unsupported attribute: style=red (an element has id, class and lang)"),
        ("[a [b](#c) d]{factor=2 of=fig-count}", "4:1: unsupported mention: a link is within it (put it after)"),
        ("[see @fig-count]{factor=2 of=fig-count}", "4:1: unsupported mention: a reference is within it (put it after)"),
        ("[a[^n]]{factor=2 of=fig-count}\n\n[^n]: x", "4:1: unsupported mention: a footnote is within it (put it after)"),
        ("[a {spark}`token=1 of=fig-count`](#references)", "4:4: unsupported spark: it is within a link (put it after)"),
        # where it stands
        ("> quoted\n> and [b\n> c]{factor=2\n> of=fig-cuont}", "7:3: unknown label: fig-cuont (did you mean fig-count?)"),
        ("| a |\n|---|\n| [b]{factor=2 of=fig-x} |", "6:16: unknown label: fig-x"),
        ("a[^n]\n\n[^n]: Of\n    [b]{factor=2 of=fig-x}", "7:18: unknown label: fig-x"),
        ("a^[of [b]{factor=2 of=fig-x}]", "4:20: unknown label: fig-x"),
        ("*a [b [c]{factor=2 of=fig-x}]{factor=2 of=fig-count}*", "4:20: unknown label: fig-x"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_its_place(parsed: Parse, told: Told, body: str, problem: str) -> None:
    """With line, column and the nearest right name; all that needs no result is told before one is computed."""
    assert problem in told(parsed(body + FIGURE))


def test_all_is_told_in_one_run(parsed: Parse, told: Told) -> None:
    """An author mends them all and builds once more."""
    body = "[a]{factor=2 of=fig-a} [b]{factor=2} {value}`n of=fig-b`\n{spark}`token=1 of=fig-c` {value}`.n`"
    assert [line.partition(" (")[0] for line in told(parsed(body))] == [
        "4:14: unknown label: fig-a",
        "4:24: missing of: factor=2 of which figure?",
        "4:48: unknown label: fig-b",
        "5:17: unknown label: fig-c",
        "5:35: invalid value: .n",
    ]


def test_captions_are_of_their_own_figure(parsed: Parse, told: Told) -> None:
    """Whether it has a label or not; what is beside it is of no figure."""
    document = parsed(
        "::::{note}\n:::{figure}\n:analysis: factors\n\n[a]{factor=1}\n\n- {value}`n` {spark}`token=1`\n:::\n\n[b]{factor=1}\n::::"
    )
    assert told(document) == ["13:1: missing of: factor=1 of which figure? (add of=LABEL)"]
    assert [named.anchor for named in (*document.mentions, *document.values)] == ["fig-1"] * 3


def test_a_mention_in_a_heading_is_no_link_in_the_contents(parsed: Parse, told: Told) -> None:
    """Links do not nest: entries of the table of contents, and references to the section, have the words alone."""
    document = parsed("## On [*commas*]{factor=2 of=fig-count} {spark}`factor=2 of=fig-count`" + FIGURE)
    assert told(document) == []
    (heading,) = document.headings
    assert (heading.anchor, heading.text) == ("on-commas", "On commas")
    assert [token.type for token in heading.tokens] == ["text", "em_open", "text", "em_close", "text"]


def test_words_count_and_excerpts_read(parsed: Parse) -> None:
    """The words of a mention are words; where a number will stand there are dots."""
    document = parsed("The [many commas]{factor=2 of=fig-count} have {value}`n of=fig-count` neurons." + FIGURE)
    assert document.excerpt == "The many commas have … neurons."
    assert document.n_words == 5
