"""Appendix sections: read after the text, whatever the order in which they are written."""

from __future__ import annotations

from collections.abc import Callable

from builder.document import Document

BODY = """
First [@vig2019].

## Proofs {#sec-proofs .appendix}

A note[^a] and a citation [@olsson2022]. Many words, none of which a reader has to read.

$$
x
$$ {#eq-late}

## Text

Second[^b], see @sec-proofs and @eq-early.

$$
y
$$ {#eq-early}

[^a]: Of the appendix.
[^b]: Of the text.
"""


def test_everything_is_numbered_as_a_reader_meets_it(parsed: Callable[..., Document]) -> None:
    """Notes, citations and equations of the text come first, though the appendix is written before it."""
    document = parsed(BODY)
    assert not document.problems
    assert [note.label for note in document.footnotes] == ["b", "a"]
    assert document.citations == ("vig2019", "olsson2022")
    assert [document.labels[name].number for name in ("eq-early", "eq-late")] == ["1", "2"]
    assert [token.type for token in document.tokens][-2:] == ["appendix", "footnotes"]


def test_headings_know_where_they_stand(parsed: Callable[..., Document]) -> None:
    """The table of contents shows those of the appendix at its end."""
    assert [(heading.text, heading.in_appendix) for heading in parsed(BODY).headings] == [
        ("Text", False),
        ("Proofs", True),
    ]


def test_the_time_to_read_is_that_of_the_text(parsed: Callable[..., Document]) -> None:
    """Nobody reads proofs, thanks and contributions at that speed, and few read them at all."""
    longer = BODY.replace("Many words", "Many words " * 500)
    assert parsed(longer).n_words == parsed(BODY).n_words
    assert parsed(BODY.replace("Second", "Second and third")).n_words > parsed(BODY).n_words


def test_a_citation_that_is_left_out_leaves_no_gap(parsed: Callable[..., Document]) -> None:
    """Search engines and lists show the first paragraph as text."""
    assert parsed("As [@vig2019; @olsson2022], and so on [@vig2019]. More.").excerpt == "As, and so on. More."


def test_links_may_lead_to_what_comes_after_the_text(parsed: Callable[..., Document]) -> None:
    """A title does not take the anchors of the page's own sections."""
    document = parsed("[a](#appendix) [c](#cite-as)\n\n## Cite as\n\n## Colophon\n")
    assert not document.problems
    assert [heading.anchor for heading in document.headings] == ["cite-as-2", "colophon-2"]
