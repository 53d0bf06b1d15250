"""Names that prose uses for parts of a figure."""

from __future__ import annotations

from builder.parts import Part, layer_parts, numbered_parts, token_parts

INPUT = [{"text": text, "type": "input"} for text in (" a", " b")]
TOKENS = [*INPUT, *({"text": text, "type": "output"} for text in (" a", "3"))]


def test_a_token_is_named_by_position_or_by_text() -> None:
    """The output's before the input's; a number is a position, never a text."""
    parts = token_parts(TOKENS)
    assert parts["a"] == Part(2)
    assert parts["b"] == Part(1)
    assert parts["3"] == Part(3)
    assert set(parts) == {"a", "b", "0", "1", "2", "3"}
    assert set(token_parts(TOKENS, [3])) == {"3"}


def test_numbered_things_have_the_colour_of_their_number() -> None:
    """Factors and clusters count from 1; layers are known by their row and have no colour."""
    assert numbered_parts(2) == {"1": Part(1, 1), "2": Part(2, 2)}
    assert layer_parts(["embeddings", "0"]) == {"embeddings": Part(0), "0": Part(1)}
