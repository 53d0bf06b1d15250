"""What alt texts and messages say is said in words."""

from __future__ import annotations

import doctest

import pytest

from builder import spoken


def test_the_examples_of_the_docstrings_hold() -> None:
    """They are the specification."""
    assert doctest.testmod(spoken).failed == 0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"text": " New\nYork "}, "“New York”"),
        ({"text": " "}, "space"),
        ({"text": "\t\u00a0"}, "tab, blank"),
        ({"text": "\ufffd", "bytes": "e69d"}, "bytes e69d"),
        ({"text": "京", "bytes": "e4ba", "span": 2}, "“京”"),
        ({"text": ""}, "an empty token"),
    ],
)
def test_every_token_has_a_name(entry: dict[str, str], said: str) -> None:
    """Also one of white space or of bytes alone."""
    assert spoken.token(entry) == said


def test_no_share_is_rounded_to_nothing_or_to_all() -> None:
    """0% and 100% are said of 0 and 1 alone."""
    assert [spoken.share(value) for value in (0, 0.009, 0.5, 0.991, 1)] == [
        "0%",
        "less than 1%",
        "50%",
        "more than 99%",
        "100%",
    ]
    assert spoken.listed([]) == "none"
    assert spoken.listed(["a"]) == "a"
