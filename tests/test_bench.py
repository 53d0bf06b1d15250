"""The arithmetic of the benchmarks, and a contest of processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import floors, machine
from tests.benchmarks.contest import Contest, Way, hold
from tests.benchmarks.measures import Row, Sample, exponent, packed, times, unpacked


def row(way: str, *walls: float, size: tuple[int, ...] = (4, 2)) -> Row:
    """Return a row whose CPU seconds are twice the wall's."""
    return Row(way, size, tuple(Sample(wall, 2 * wall, 10 * wall) for wall in walls))


def test_a_row_is_its_medians_and_its_largest_memory() -> None:
    """One slow repetition changes no time; the most that was held is what is needed."""
    found = row("ours", 1.0, 9.0, 2.0)
    assert (found.wall, found.cpu, found.memory) == (2.0, 4.0, 90.0)


def test_times_are_of_medians() -> None:
    """A peer that takes six seconds beside two takes three times as long."""
    assert times(row("theirs", 6.0, 5.0, 7.0), row("ours", 2.0, 1.0, 30.0)) == (3.0, 3.0)


def test_an_exponent_is_that_of_the_power() -> None:
    """Seconds that grow with the square of the tokens have exponent 2, whatever a token costs."""
    sizes = [50, 100, 200, 400]
    assert exponent(sizes, [3e-4 * size**2 for size in sizes]) == pytest.approx(2)
    assert exponent(sizes, [7.0] * 4) == pytest.approx(0)


def test_an_exponent_needs_two_sizes() -> None:
    """No line goes through one point."""
    with pytest.raises(ValueError, match="two sizes"):
        exponent([50, 50], [1.0, 1.1])


def test_rows_are_kept_as_they_are() -> None:
    """What a section kept is read again as what it was."""
    found = Row("ours", (4, 2), (Sample(1.0, 2.0, 3.0),), {"kB": 5.0}, 1e-6)
    assert unpacked(packed(found)) == found
    assert unpacked(packed(Row("theirs", (4, 2), problem="missing"))).problem == "missing"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("vendor_id\t: AuthenticAMD\ncpu family\t: 26\nflags\t\t: avx2 avx512f\n", "AVX-512"),
        ("vendor_id\t: GenuineIntel\ncpu family\t: 6\nflags\t\t: avx2 avx512f\n", "AVX-512 Intel"),
        ("vendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: avx2 avx512f\n", "AVX-512 by halves"),
        ("vendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: sse2 avx2\n", "AVX2"),
        ("CPU implementer\t: 0x41\nFeatures\t: fp asimd\n", "NEON"),
        ("processor\t: 0\n", ""),
    ],
)
def test_a_processor_is_known_by_its_vectors(tmp_path: Path, told: str, name: str) -> None:
    """Results of processors that multiply at different speeds have pages of their own."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(told)
    assert machine.vectors(cpuinfo) == name


SHAPE = floors.Shape(block_parameters=100, n_layers=2, d_heads=8, d_model=4, vocab=10)


def test_the_floor_of_a_pass_is_its_parameters_and_half_of_attention() -> None:
    """Three positions read 100 parameters each, and look at 1 + 2 + 3 positions in each of two layers."""
    assert floors.forward(SHAPE, 3) == 2 * 100 * 3 + 2 * (2 * 2 * 6 * 8)
    assert floors.backward(SHAPE, 3) == 2 * 100 * 3 + 2 * (2 * 4 * 6 * 8)


def test_the_floor_of_saliency_is_one_pass_forward_and_each_prefix_back() -> None:
    """Targets at 3 and 5 need the five positions before the last forward, and three and five back."""
    expected = floors.forward(SHAPE, 5) + floors.backward(SHAPE, 3) + floors.backward(SHAPE, 5)
    assert floors.saliency(SHAPE, [3, 5]) == expected
    assert floors.lens(SHAPE, 7) == 2 * 7 * 2 * 10 * 4


def test_ways_take_turns_and_one_that_fails_is_told(tmp_path: Path) -> None:
    """The truth is run once and is no row; what cannot be set up, and what dies, is a row that says so."""
    module = "tests.fixtures.bench_ways"
    ways = [
        Way("ours", f"{module}:near", "sum"),
        Way("theirs", f"{module}:missing", "sum"),
        Way("another's", f"{module}:dying", "sum", alone=True),
        Way("left out of long texts", f"{module}:near", "sum", largest=10),
        Way("exact", f"{module}:exact", "sum", truth=True),
    ]
    told: list[str] = []
    size = (8, 7)
    texts = {size: {"ids": list(range(15)), "n_input": 8}}
    with (tmp_path / "log.txt").open("w", encoding="utf-8") as log:
        rows, facts = hold(Contest("sums", "Sums", [size], ways), texts, 2, 1, log, told.append)
    assert [found.way for found in rows] == ["ours", "theirs", "another's"]
    ours, theirs, others = rows
    assert len(ours.samples) == 2
    assert ours.error == 0.5
    assert ours.numbers == {"tokens": 15}
    assert theirs.problem == "ModuleNotFoundError: No module named 'ecco'"
    assert others.problem == "its process ended with 7"
    assert facts["threads"] == 1
    assert any("left out: theirs" in line for line in told)
