"""What a way of computing something took, and the arithmetic of comparing ways: medians, ratios, exponents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Size = tuple[int, ...]
"""Tokens of a prompt and of what follows it."""


@dataclass(frozen=True)
class Sample:
    """One repetition: wall seconds, CPU seconds of all threads, and megabytes above what the loaded model takes."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Row:
    """What one way took for one size, the numbers that it tells of its answer, and how far that is from the truth."""

    way: str
    size: Size
    samples: tuple[Sample, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    error: float | None = None
    """The largest difference of an answer to the same question in float64; None where there is none to compare with."""
    problem: str = ""
    """Why there are no samples."""

    @property
    def wall(self) -> float:
        """The median of the wall seconds."""
        return median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds."""
        return median(sample.cpu for sample in self.samples)

    @property
    def memory(self) -> float:
        """The most megabytes of a repetition."""
        return max(sample.memory for sample in self.samples)


def times(row: Row, first: Row) -> tuple[float, float]:
    """Return how many times as long as the first row another one took: by wall and by CPU seconds, of medians."""
    return row.wall / first.wall, row.cpu / first.cpu


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return p of the line seconds = c · size^p that is nearest by least squares of the logarithms.

    Raises `ValueError` for fewer than two sizes, and for numbers that are not above 0.
    """
    if len(sizes) != len(seconds) or len(set(sizes)) < 2:
        raise ValueError(f"an exponent needs two sizes with a number each, not {list(sizes)} and {list(seconds)}")
    xs, ys = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def packed(row: Row) -> dict[str, Any]:
    """Return a row as JSON takes it."""
    samples = [[sample.wall, sample.cpu, sample.memory] for sample in row.samples]
    return {**vars(row), "size": list(row.size), "samples": samples, "numbers": dict(row.numbers)}


def unpacked(found: Mapping[str, Any]) -> Row:
    """Return the row of `packed`."""
    samples = tuple(Sample(*sample) for sample in found["samples"])
    return Row(**{**found, "size": tuple(found["size"]), "samples": samples})
