"""Parsing articles: everything is numbered as it is read, links lead where they should, and nothing raises."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builder.document import Document, check_fragments

PIECES = [
    ":::", "::::", "```", "~~~", "{figure}", "{note} x", "{figur}", "---", ":label: fig-a", ":prompt: x", "$", "$$",
    "{#eq-a}", "[^a]", "[^a]: ", "^[", "[", "]", "(", ")", "@fig-a", "@vig2019", "[@vig2019; @fig-a]", "<!--", "-->",
    "<br>", "| a |", "|---|", "## ", "![", "x", "\\", "`", "*", '<d-cite key="a">', "{.a #b}", ": ", "&amp;", "../",
    "%00", "%2e%2e/", " ", "\n", "\n\n", "    ", "> ", "- ", "\0", "\r", "\u2028", "\t", "-", ">", "#",
]  # fmt: skip
"""What articles are made of, to be put together wrongly."""

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]


def test_everything_is_numbered_as_it_is_read(parsed: Parse, told: Told) -> None:
    """Citations in captions and notes count where the reader meets them, though notes are written at the end."""
    document = parsed(
        """## One {#sec-one}

Text[^n] cites @knuth.

:::{figure} rank.png
:label: fig-a
:alt: Ranks.

Caption [@vig2019].^[In place [@olsson2022].]
:::

$$x$$

$$y$$ {#eq-y}

### Two

:::{table}
:label: tbl-t

| a |
|---|
| b |

A caption.
:::

:::{figure}
:analysis: saliency
:prompt: x
:::

[^n]: Cites [@olsson2022].
"""
    )
    assert told(document) == []
    assert document.citations == ("olsson2022", "knuth", "vig2019")
    assert document.citing_places == {"olsson2022": 2, "knuth": 1, "vig2019": 1}
    assert [note.label for note in document.footnotes] == ["n", None]
    assert {name: (label.kind, label.number) for name, label in document.labels.items()} == {
        "sec-one": ("section", "1"),
        "fig-a": ("figure", "1"),
        "eq-y": ("equation", "1"),
        "tbl-t": ("table", "1"),
    }
    assert [(heading.level, heading.number, heading.anchor) for heading in document.headings] == [
        (2, "1", "sec-one"),
        (3, "1.1", "two"),
    ]
    assert [spec.anchor for spec in document.figures] == ["fig-a", "fig-2"]
    assert document.has_math


def test_a_note_that_calls_itself_ends(parsed: Parse) -> None:
    """Its second mark is a mark, not another note."""
    (note,) = parsed("a[^n]\n\n[^n]: See [^n].\n").footnotes
    assert (note.number, note.n_marks) == (1, 2)


def test_titles_make_anchors_that_do_not_collide(parsed: Parse) -> None:
    """Explicit names come first, whatever the order; the page keeps some for itself."""
    document = parsed("## References\n\n## A *b* `c`!\n\n## a b c\n\n## X {#a-b-c}\n")
    assert [heading.anchor for heading in document.headings] == ["references-2", "a-b-c-2", "a-b-c-3", "a-b-c"]
    assert document.headings[1].text == "A b c!"


def test_words_are_counted_and_the_first_paragraph_is_the_excerpt(parsed: Parse) -> None:
    """For the reading time, and for feeds and cards."""
    document = parsed("## Title\n\nTwo *words* `x`.\n\n```python\nnot these\n```\n")
    assert document.excerpt == "Two words x."
    assert document.n_words == 4


def test_links_within_the_site_lead_to_pages_and_files(parsed: Parse) -> None:
    """An article by its file or folder, its page under its slug; other files are published beside the page."""
    document = parsed("[a](../other/article.md#there) [b](rank.png) [c](../other/rank.png)\n")
    links = [child.meta.get("target") for child in document.tokens[1].children or () if child.type == "link_open"]
    assert links == ["the-other/index.html", "ranks/files/rank.png", "ranks/files/content/other/rank.png"]
    assert set(document.files) == set(links[1:])


def test_places_in_other_articles_are_looked_up_when_all_are_parsed(parsed: Parse) -> None:
    """A heading that was renamed breaks the links of others."""
    other = parsed("## There\n", slug="other", front="title: x\nslug: the-other")
    ranks = parsed("[a](../the-other/#there) [b](../the-other/#ther)\n")
    found = check_fragments({ranks.article.path: ranks.links}, {"the-other": other.anchors, "a": ranks.anchors})
    assert [(problem.message, problem.line, problem.column) for problem in found] == [
        ("broken link: #ther is not in the-other (did you mean there?)", 4, 26)
    ]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(codec="utf-8"), max_size=120) | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
)
@example("![%00](%00.png) [a](%00)")
@example("![a](" + "x" * 400 + ".png) [a](" + "y" * 400 + ")")
@example(":::{note}\n" * 200)
@example("> " * 300 + "x")
@example("[" * 3000)
@example("[^a" + "^[" * 200)
def test_no_article_raises(parsed: Parse, body: str) -> None:
    """Whatever stands there becomes problems, each with a line of the file."""
    document = parsed(body)
    last = document.article.path.read_text(encoding="utf-8").count("\n") + 1 + body.count("\r")
    assert all(problem.line is None or 1 <= problem.line <= last for problem in document.problems)
