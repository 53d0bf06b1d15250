"""Layers and heads as an author writes them."""

from __future__ import annotations

import doctest

import pytest

from builder import ranges
from builder.errors import BuildError
from builder.ranges import choose, misread


def test_the_examples_hold() -> None:
    """Those of the docstrings."""
    assert doctest.testmod(ranges).failed == 0


def test_layers_are_numbers_and_keep_their_order() -> None:
    """All, one or a range; 10 comes after 9, and what is named twice is there once."""
    assert choose(["all"], 3, "m") == [0, 1, 2]
    assert choose(["8-11"], 12, "m") == [8, 9, 10, 11]
    assert choose(["4", "2 – 4"], 12, "m") == [4, 2, 3]


@pytest.mark.parametrize(
    ("entry", "count", "why"),
    [
        ("8-12", 12, r"^unknown layers: 8-12 \(model m has layers 0 to 11; did you mean 8-11\?\)"),
        ("30", 12, r"did you mean 11\?\)"),
        ("12-14", 12, r"did you mean 11\?\)"),
        ("1", 1, r"\(model m has layer 0 alone; did you mean 0\?\)"),
    ],
)
def test_a_layer_that_is_not_there_is_told_with_the_nearest(entry: str, count: int, why: str) -> None:
    """By the model, which only an analysis knows."""
    with pytest.raises(BuildError, match=why):
        choose([entry], count, "m")


def test_what_is_no_layer_is_told_before_there_is_a_model() -> None:
    """Numbers that Python refuses to read, too."""
    assert list(misread(["4", "all", "0-9"])) == []
    wrong = "is not a layer, a range such as 4-9, or all"
    assert list(misread(["first", "9-4", "-1", "9" * 5000])) == [
        f"first {wrong}",
        "9-4 runs backwards (did you mean 4-9?)",
        f"-1 {wrong}",
        f"{'9' * 5000} {wrong}",
    ]
