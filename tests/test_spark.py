"""Graphics the size of a word: every value within the box, as wide as there is something to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.parts import Spark
from builder.spark import HEIGHT, draw

VALUES = st.lists(st.floats(-1, 2, allow_nan=False), max_size=300)


@given(VALUES, st.sampled_from(["line", "bars"]), st.none() | st.integers(-1, 300))
def test_all_of_it_is_in_the_box(values: list[float], shape: str, mark: int | None) -> None:
    """Values outside of 0 to 1 are at its edge; a mark is one of the values."""
    drawing = draw(Spark(tuple(values), "x", shape=shape, mark=mark))  # type: ignore[arg-type]
    assert 1.5 <= drawing.em <= 6
    assert len(drawing.points) + len(drawing.bars) == len(values)
    assert all(0 <= x <= drawing.width and 0 <= y <= HEIGHT for x, y in drawing.points)
    for x, y, width, height in drawing.bars:
        assert x >= 0
        assert x + width <= drawing.width + 0.11  # a digit after the point
        assert y + height == pytest.approx(HEIGHT, abs=0.11)
    assert drawing.mark is None or 0 <= drawing.mark < len(values)


def test_higher_is_more() -> None:
    """0 is the bottom and 1 the top; a line ends in a dot unless another value is marked."""
    line = draw(Spark((0, 1, 0.5), "x"))
    assert [y for _, y in line.points] == [14, 2, 8]
    assert line.mark == 2
    assert draw(Spark((0, 1, 0.5), "x", mark=0)).mark == 0
    bars = draw(Spark((0, 1, 0.5), "x", shape="bars"))
    heights = [height for *_, height in bars.bars]
    assert heights[0] < heights[2] < heights[1]
    assert bars.mark is None


def test_width_grows_with_the_number_of_values() -> None:
    """Within limits: a graphic is a word, not a line."""
    widths = [draw(Spark((0.5,) * count, "x")).em for count in (1, 5, 12, 30, 100)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (1.5, 6)
