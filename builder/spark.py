"""A word-sized graphic with its coordinates, in a box 16 high that is one line's letter high; a template draws it."""

from __future__ import annotations

from dataclasses import dataclass

from .parts import Spark

__all__ = ["Drawing", "draw"]

HEIGHT = 16.0
NARROWEST, WIDEST = 1.5 * HEIGHT, 6 * HEIGHT  # of letters: a graphic that is wider is no word
STEP = 2.5  # from one value to the next, while the widest allows it
EDGE = 2.0  # room for a dot and for half of a line
FLOOR = 0.75  # what is nothing is a line all the same


@dataclass(frozen=True)
class Drawing:
    """`points` of a line, or `bars` as left, top, width and height; `mark` is the one of them that stands out."""

    spark: Spark
    width: float
    points: tuple[tuple[float, float], ...] = ()
    bars: tuple[tuple[float, float, float, float], ...] = ()
    mark: int | None = None

    @property
    def em(self) -> float:
        """The width in heights."""
        return round(self.width / HEIGHT, 3)


def draw(spark: Spark) -> Drawing:
    """Return the coordinates of a graphic; a line ends in a dot if nothing else is marked."""
    values = [min(max(value, 0.0), 1.0) for value in spark.values]
    count = len(values)
    width = round(min(max(count * STEP, NARROWEST), WIDEST), 1)
    mark = spark.mark if spark.mark is not None and 0 <= spark.mark < count else None
    if spark.shape == "bars":
        step = width / max(count, 1)
        thin = max(step - 0.75, 0.6 * step)
        bars = []
        for i, value in enumerate(values):
            height = max(value * (HEIGHT - 1), FLOOR)
            bars.append((round(i * step, 1), round(HEIGHT - height, 1), round(thin, 1), round(height, 1)))
        return Drawing(spark, width, bars=tuple(bars), mark=mark)
    across, up = width - 2 * EDGE, HEIGHT - 2 * EDGE
    middle = width / 2  # of a single value
    points = tuple(
        (round(EDGE + i * across / (count - 1), 1) if count > 1 else middle, round(EDGE + (1 - value) * up, 1))
        for i, value in enumerate(values)
    )
    return Drawing(spark, width, points=points, mark=count - 1 if mark is None and count else mark)
