"""What the benchmarks write: Markdown tables, and the part of the README that quotes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import goals, programs, table
from tests.benchmarks.measures import Row, Sample, packed


def row(way: str, seconds: float, size: tuple[int, ...] = (23, 40), **numbers: float) -> Row:
    """Return a row of one sample."""
    return Row(way, size, (Sample(seconds, seconds, 100 * seconds),), numbers, 1e-6)


def keep(folder: Path, name: str, rows: list[Row], threads: int = 2, **more: Any) -> None:
    """Keep a section as the suite does."""
    facts = {"when": "2030-01-02 03:04", "machine": "A processor, 2 cores", "versions": {"Python": "3.11"}, "rounds": 3}
    path = folder / f"{threads}-threads" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**facts, "rows": [packed(found) for found in rows], **more}), encoding="utf-8")


def test_each_way_is_beside_the_first_of_its_size() -> None:
    """× is of the first row of the same size; sizes have tables of their own."""
    rows = [row("ours", 2), row("theirs", 8), row("ours", 10, (200, 50)), row("theirs", 30, (200, 50))]
    short, long = table.comparison(rows).split("\n\n")
    assert "| theirs | 8 | 4.00 | 8 | 4.00 | 800 | 1e-06 |" in short
    assert "| theirs | 30 | 3.00 | 30 | 3.00 | 3000 | 1e-06 |" in long


def test_what_was_left_out_says_why() -> None:
    """A peer that does not install is a line, never silence; without the first way there are no ratios."""
    rows = [Row("ours", (23, 40), problem="no memory"), row("theirs", 8)]
    text = table.comparison(rows)
    assert "| ours | left out: no memory |" in text
    assert "| theirs | 8 |  | 8 |  | 800 |" in text


def test_the_distance_from_the_floor_is_told() -> None:
    """100 GFLOP at 200 GFLOP/s are half a second: two seconds are four times that."""
    assert "4.00 × that" in table.comparison([row("ours", 2, GFLOP=100)], speed=200)
    assert "×" not in table.comparison([row("ours", 2, GFLOP=100)]).splitlines()[-1]


def test_growth_has_an_exponent_beside_that_of_the_work() -> None:
    """CPU seconds ∝ T² and operations ∝ T have exponents 2 and 1."""
    sizes = [(25, 25), (50, 50), (100, 100)]
    rows = [row("ours", sum(size) ** 2 / 1e4, size, GFLOP=sum(size)) for size in sizes]
    assert table.growth(rows).splitlines()[-1].endswith("| 2.00 | 1.00 |")


def test_the_page_has_every_section_with_its_date_machine_and_versions(tmp_path: Path) -> None:
    """Numbers without the machine that they are of say nothing."""
    keep(tmp_path, "saliency", [row("this project", 2), row("captum, x", 8)])
    keep(tmp_path, "article", [], text="all 1.2 ×", result="all 1.2 ×")
    keep(tmp_path, "saliency", [row("this project", 3)], threads=1)
    page = table.page(tmp_path)
    assert page.index("## 2 threads") < page.index("## 1 thread\n")
    assert page.count("*2030-01-02 03:04, 3 rounds.*") == 3
    assert page.count("On A processor, 2 cores; Python 3.11.") == 2
    assert "```text\nall 1.2 ×\n```" in page


def test_the_summary_is_of_the_most_threads(tmp_path: Path) -> None:
    """The README quotes one setting, the machine's whole."""
    keep(tmp_path, "saliency", [row("this project", 2), row("captum, `X`", 8), row("this project, more", 3)])
    keep(tmp_path, "saliency", [row("this project", 4), row("captum, `X`", 8)], threads=1)
    summary = table.summary(tmp_path)
    assert "captum, `X` 4.0" in summary
    assert "more" not in summary
    assert "2030-01-02, 2 threads, A processor, 2 cores; Python 3.11." in summary


PRINTED = {
    "article": (
        "all against the dearest alone, saliency: CPU 1.20 ×, wall 1.15 ×",
        "saliency: CPU 1.20 ×, wall 1.15 ×",
    ),
    "memory": (f"{'an article with all of these':36}{900:16.0f}{2100:16.0f}{41.5:8.1f}{60.1:8.1f}", "900 2100"),
    "cluster": (
        f"{'median':12}{40.0:10.2f} s{24.0:10.2f} s{0.6:8.2f}   (goal: 0.7 on two cores)",
        "40.00 s 24.00 s 0.60",
    ),
    "preview": ("prose of the longest article, guide (29 kB): 0.245 s, at most 0.327 s", "0.245 s"),
    "start-up": (f"{'fanlight --help':36}{0.161:8.3f} s wall{0.05:8.3f} s CPU", "0.161 s"),
}
"""The line of each program that tells the most, as it is printed, and what the README says of it."""


@pytest.mark.parametrize("name", PRINTED)
def test_what_a_program_tells_the_most_by_is_found(name: str) -> None:
    """A pattern that no longer meets what is printed would leave the README without it."""
    line, expected = PRINTED[name]
    assert programs.result(programs.PROGRAMS[name], f"something before\n{line}\nand after") == expected


def test_programs_are_there() -> None:
    """What the suite calls are modules of the benchmarks."""
    folder = Path(programs.__file__).parent
    assert [name for name, one in programs.PROGRAMS.items() if not (folder / f"{one.call[0]}.py").is_file()] == []


def test_the_readme_keeps_all_but_what_is_between_the_marks(tmp_path: Path) -> None:
    """Quoting twice is quoting once; backslashes of a table stay what they are."""
    readme = tmp_path / "README.md"
    marks = f"{table.BEGIN}AVX2 -->", table.END
    readme.write_text(f"before\n\n{marks[0]}\nold\n{marks[1]}\n\nafter\n", encoding="utf-8")
    for _ in range(2):
        assert table.quote(readme, "a \\| b \\1", "AVX2")
    assert readme.read_text(encoding="utf-8") == f"before\n\n{marks[0]}\n\na \\| b \\1\n\n{marks[1]}\n\nafter\n"


def test_the_readme_quotes_one_kind_of_processor(tmp_path: Path) -> None:
    """What was measured on another kind has its page, and leaves the README as it is."""
    readme = tmp_path / "README.md"
    text = f"{table.BEGIN}AVX-512 -->\nold\n{table.END}\n"
    readme.write_text(text, encoding="utf-8")
    assert not table.quote(readme, "new", "AVX2")
    assert readme.read_text(encoding="utf-8") == text


def test_a_readme_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    """A mark that was lost is told, and nothing is written."""
    readme = tmp_path / "README.md"
    readme.write_text("no marks\n", encoding="utf-8")
    with pytest.raises(ValueError, match="needs"):
        table.quote(readme, "text", "AVX2")
    assert readme.read_text(encoding="utf-8") == "no marks\n"


def test_the_projects_readme_has_the_marks() -> None:
    """`make bench` finds the place that it writes to."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert text.count(table.BEGIN) == text.count(table.END) == 1
    assert text.index(table.BEGIN) < text.index(table.END)


def test_aims_are_judged_by_the_fastest_of_a_program(tmp_path: Path) -> None:
    """Ecco is to take eight times as long as ours, by its loop alone and by its whole call: 7.5 is not there yet."""
    ecco = [row("Ecco’s algorithm", 3), row("Ecco’s algorithm, the text generated too", 4.6)]
    rows = [row("this project", 0.61, GFLOP=100), *ecco, row("inseq, one way", 3.66), row("inseq, another", 9)]
    found = {"saliency": {"rows": [packed(one) for one in rows]}, "cluster": {"result": "40.00 s 24.00 s 0.60"}}
    told = {line[0]: line[1:] for line in goals.judged(found, speed=200)}
    said = "saliency, 23 + 40: times as long takes "
    assert told[f"{said}Ecco’s algorithm, the text generated too"] == ("≥ 8", "7.5", "no")
    assert told[f"{said}Ecco’s algorithm"] == ("≥ 8", "4.9", "no")
    assert told[f"{said}inseq"] == ("≥ 6", "6.0", "yes")
    assert told["saliency, 23 + 40: MB above the model"] == ("≤ 200", "61", "yes")
    assert told["saliency, 23 + 40: error"] == ("≤ 1e-05", "1e-06", "yes")
    assert told["saliency, 23 + 40: times its floor"] == ("≤ 1.5", "1.22", "yes")
    assert told["cluster"] == ("≤ 0.7", "0.60", "yes")
    assert len(told) == 7
