"""What this project aims at, and how far it is: ratios to other programs, megabytes, errors, growth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .contests import ATTENTION, FACTORS, INTEGRATED, LENS, LONG, SALIENCY, SCALING, SHORT
from .measures import Row, Size, exponent, times, unpacked


@dataclass(frozen=True)
class Goal:
    """Others are to take at least so many times as long as the first way of a contest, at one of its sizes."""

    contest: str
    size: Size
    others: str
    """How the names of the ways begin of which the fastest is meant."""
    least: float


GOALS = (
    Goal(SALIENCY.name, SHORT, "Ecco’s algorithm", 8),
    Goal(SALIENCY.name, SHORT, "Ecco’s algorithm, the text generated too", 8),
    Goal(SALIENCY.name, SHORT, "captum, `InputXGradient`", 6),
    Goal(SALIENCY.name, SHORT, "inseq", 6),
    Goal(SALIENCY.name, LONG, "Ecco’s algorithm", 7),
    Goal(SALIENCY.name, LONG, "Ecco’s algorithm, the text generated too", 7),
    Goal(SALIENCY.name, LONG, "captum, `InputXGradient`", 5.5),
    Goal(SALIENCY.name, LONG, "inseq", 5.5),
    Goal(INTEGRATED.name, SHORT, "Ecco’s algorithm", 7),
    Goal(INTEGRATED.name, SHORT, "captum", 4),
    Goal(INTEGRATED.name, SHORT, "inseq", 4),
    Goal(LENS.name, SHORT, "Ecco’s algorithm", 50),
    Goal(FACTORS.name, (23, 50), "Ecco’s algorithm", 5),
)
MEMORY = {SALIENCY.name: 200, INTEGRATED.name: 200, LENS.name: 100}
"""Megabytes above the model that the first way is to stay under, by contest."""
ERROR = 1e-5
"""The largest difference from float64 that saliency may have."""
FLOOR = 1.5
"""How many times the products' time saliency may take."""
BYTES = 60
"""How many times the bytes of this project's attention BertViz' are to be."""
PROGRAMS = {
    "article": (r"wall ([0-9.]+) ×", 1.3),
    "cluster": (r"([0-9.]+)$", 0.7),
    "preview": (r"^([0-9.]+) s", 0.3),
    "start-up": (r"^([0-9.]+) s", 0.3),
}
"""The number in a program's result, and what it may be at most."""


def judged(found: Mapping[str, Any], speed: float) -> Iterator[tuple[str, str, str, str]]:
    """Yield what is aimed at, by how much, what was measured, and whether it is reached, of what was measured.

    `speed` is the GFLOP/s of products, 0 where it is not known.
    """
    rows = {name: [unpacked(row) for row in section["rows"]] for name, section in found.items() if "rows" in section}
    for goal in GOALS:
        here = [row for row in rows.get(goal.contest, []) if row.size == goal.size and row.samples]
        others = [times(row, here[0])[0] for row in here[1:] if row.way.startswith(goal.others)]
        if others:
            what = f"{goal.contest}, {' + '.join(map(str, goal.size))}: times as long takes {goal.others}"
            yield what, f"≥ {goal.least:g}", f"{min(others):.1f}", _word(min(others) >= goal.least)
    for name, most in MEMORY.items():
        for row in _firsts(rows.get(name, [])):
            where = f"{name}, {' + '.join(map(str, row.size))}: MB above the model"
            yield where, f"≤ {most}", f"{row.memory:.0f}", _word(row.memory <= most)
    for row in _firsts(rows.get(SALIENCY.name, [])):
        where = f"{SALIENCY.name}, {' + '.join(map(str, row.size))}"
        if row.error is not None:
            yield f"{where}: error", f"≤ {ERROR:.0e}", f"{row.error:.0e}", _word(row.error <= ERROR)
        if speed:
            often = row.wall / (row.numbers["GFLOP"] / speed)
            yield f"{where}: times its floor", f"≤ {FLOOR}", f"{often:.2f}", _word(often <= FLOOR)
    for row in _firsts(rows.get(ATTENTION.name, [])):
        theirs = [one.numbers["kB"] for one in rows[ATTENTION.name] if one.size == row.size and "BertViz" in one.way]
        if theirs:
            often = min(theirs) / row.numbers["kB"]
            what = f"attention of {row.size[0]} tokens: times as many bytes has BertViz"
            yield what, f"≥ {BYTES}", f"{often:.0f}", _word(often >= BYTES)
    grown = [row for row in rows.get(SCALING.name, []) if row.way == "saliency" and row.samples]
    if len(grown) > 1:
        lengths = [sum(row.size) for row in grown]
        work = exponent(lengths, [row.numbers["GFLOP"] for row in grown])
        power = exponent(lengths, [row.cpu for row in grown])
        yield (
            "saliency: exponent of CPU seconds",
            f"≤ {work:.2f}, of its GFLOP",
            f"{power:.2f}",
            _word(power <= work + 0.05),
        )
    for name, (pattern, most) in PROGRAMS.items():
        told = re.search(pattern, found.get(name, {}).get("result", ""))
        if told:
            value = float(told[1])
            yield name, f"≤ {most}", f"{value:.2f}", _word(value <= most)


def _firsts(rows: Sequence[Row]) -> list[Row]:
    """Return the first row of each size, where it was measured."""
    return [row for size in dict.fromkeys(row.size for row in rows) for row in _of(rows, size)[:1] if row.samples]


def _of(rows: Sequence[Row], size: Size) -> list[Row]:
    return [row for row in rows if row.size == size]


def _word(reached: bool) -> str:
    return "yes" if reached else "no"
