"""Paths into results: an item by number, key or text; what is not there is told with what is."""

# ruff: noqa: E501 - the table of mistakes has one a line
from __future__ import annotations

from typing import Any

import pytest

from builder.errors import BuildError
from builder.paths import find_starts, follow, read_path, written_path

TEXTS = ["The", " Czech", " Republic", ",", " Croatia", "\n", " Croatia", " Czech", " Republic", "Croatia"]
DATA: dict[str, Any] = {
    "tokens": [{"text": text, "type": "output" if i > 5 else "input"} for i, text in enumerate(TEXTS)],
    "targets": [6, 7, 8, 9],
    "probabilities": [0.25, 0.5, 0.125, 1.0],
    "scores": [[i / 10 for i in range(length)] for length in (6, 7, 8, 9)],
    "ranks": [[1, 2, 3, 4], [5, 6, 7, 8]],
    "square": [[1, 2, 3, 4]] * 4,
    "ragged": [[1, 2, 3, 4], [1] * 5, [1] * 6, [1] * 7],
    "sizes": [{"n": 2, "factors": [{"share": 0.3}, {"share": 0.7}]}],
    "long name": {"a b": 1},
    "nothing": None,
    "yes": True,
    "empty": [],
}


def at(text: str) -> Any:
    """Return what a path leads to."""
    steps, end = read_path(text)
    assert end == len(text)
    assert written_path(steps) == text
    return follow(steps, DATA, DATA, "fig-a")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sizes[0].n", 2),
        ("sizes[-1].factors[1].share", 0.7),
        ('sizes[0]["factors"][-2]["share"]', 0.3),
        ("tokens[4].text", " Croatia"),
        ('probabilities[" Croatia"]', 0.25),
        ('probabilities["Croatia"]', 0.25),
        ('probabilities["Czech Republic"]', 0.5),
        ('ranks[1]["Republic"]', 7),
        ('scores["Croatia"][","]', 0.3),
        ('scores["Czech"]["Croatia"]', 0.6),
        ('tokens["Czech Republic"].type', "output"),
        ('tokens["\\n"].text', "\n"),
    ],
)
def test_a_path_leads_to_a_leaf(path: str, value: Any) -> None:
    """Lists by number from either end or by the text of a token, output before input as for mentions."""
    assert at(path) == value


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("sizs", "unknown value: sizs of fig-a (did you mean sizes?)"),
        ("sizes[0].x", "unknown value: sizes[0].x of fig-a (known: n, factors)"),
        ("sizes[1].n", "unknown value: sizes[1] of fig-a (known: 0 to 0)"),
        ("empty[0]", "unknown value: empty[0] of fig-a (known: it is empty)"),
        ("sizes", "invalid value: sizes of fig-a is a list of 1 (go on with [0] to [0])"),
        ("sizes[0]", "invalid value: sizes[0] of fig-a is a mapping (known: n, factors)"),
        ("sizes.factors", "invalid value: sizes.factors of fig-a, for sizes is a list of 1 (go on with [0] to [0])"),
        ("sizes[0].n.x", "invalid value: sizes[0].n.x of fig-a, for sizes[0].n is a number"),
        ("nothing", "invalid value: nothing of fig-a is null"),
        ("yes", "invalid value: yes of fig-a is true"),
        ('probabilities["Coratia"]', 'unknown token: probabilities["Coratia"] of fig-a (did you mean Croatia?)'),
        ('probabilities[","]', 'unknown token: probabilities[","] of fig-a (it is in the text, but has no item here)'),
        (
            'scores[0]["Croatia"]',
            'invalid value: scores[0]["Croatia"] of fig-a, for that is a list of 6 (go on with [0] to [5]), which are not tokens',
        ),
        (
            'sizes["Croatia"]',
            'invalid value: sizes["Croatia"] of fig-a, for that is a list of 1 (go on with [0] to [0]), which are not tokens',
        ),
        (
            'ragged[0]["The"]',
            'invalid value: ragged[0]["The"] of fig-a (a target\'s item, or one that holds its item? use numbers)',
        ),
        (
            'square["Croatia"][0]',
            'invalid value: square["Croatia"] of fig-a (a target\'s item, or one that holds its item? use numbers)',
        ),
    ],
)
def test_where_it_leads_nowhere_the_names_that_are_there_are_told(path: str, message: str) -> None:
    """And the nearest of them; a list that might be of layers or of targets is not guessed at."""
    with pytest.raises(BuildError) as caught:
        at(path)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("Croatia", [6, 9, 4]),
        (" Croatia", [6, 4, 9]),
        ("Czech Republic", [7, 1]),
        ("Czech Repub", []),
        ("\n", [5]),
        ("", []),
        ("The Czech Republic", [0]),
    ],
)
def test_a_text_is_found_where_whole_tokens_make_it(text: str, starts: list[int]) -> None:
    """Output before input; with a space written, tokens that have it before those that do not."""
    assert find_starts(DATA["tokens"], text) == starts


@pytest.mark.parametrize("text", ["", "[0]", ".a", " a", '"a"', "é"])
def test_what_is_no_path_is_none(text: str) -> None:
    """A path begins with a name."""
    assert read_path(text) == ((), 0)
