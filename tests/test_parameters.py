"""What an author wrote becomes typed parameters, or problems that say what was wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from builder.figure import Option, RunSpec
from builder.parameters import read_parameters

PATH = Path("article.md")


@dataclass(frozen=True)
class Sample:
    """One field of each type that a kind may use."""

    text: str = ""
    count: int = 1
    share: float = 0.5
    switch: bool = False
    method: Literal["gradient", "occlusion"] = "gradient"
    contrast: str | None = None
    layers: tuple[int, ...] = ()
    limit: int | None = None
    watch: tuple[str, ...] = ()

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if self.count < 0:
            yield "count", "it is below 0"


def read(**values: Any) -> tuple[Any, list[str]]:
    """Read a `Sample` from values that stand on lines 10, 11, …"""
    options = {name: Option(value, 10 + number) for number, (name, value) in enumerate(values.items())}
    made, problems = read_parameters(Sample, options, PATH)
    return made, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("text", "  kept as it is ", "  kept as it is "),
        ("text", 5, "5"),
        ("count", "30", 30),
        ("count", 30, 30),
        ("share", "0.25", 0.25),
        ("share", 1, 1.0),
        ("switch", "yes", True),
        ("switch", False, False),
        ("method", "occlusion", "occlusion"),
        ("contrast", " token", " token"),
        ("contrast", "none", None),
        ("contrast", None, None),
        ("limit", "none", None),
        ("watch", '[" is", " are"]', (" is", " are")),
        ("watch", [" is", ","], (" is", ",")),
        ("watch", " is", (" is",)),
        ("watch", "is, are", ("is", "are")),
        ("count", "9007199254740993", 9007199254740993),
        ("layers", "[2, 5]", (2, 5)),
        ("layers", "2, 5", (2, 5)),
        ("layers", [2, 5], (2, 5)),
        ("layers", 3, (3,)),
        ("limit", "4", 4),
        ("limit", None, None),
    ],
)
def test_texts_and_yaml_values_are_read_alike(name: str, written: Any, value: Any) -> None:
    """`:count: 30` (a text) and `count: 30` in a YAML block (a number) mean the same."""
    made, problems = read(**{name: written})
    assert not problems
    assert getattr(made, name) == value
    assert type(getattr(made, name)) is type(value)


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("count", "thirty", "article.md:10: invalid count: thirty is not a whole number"),
        ("count", "1.5", "article.md:10: invalid count: 1.5 is not a whole number"),
        ("count", True, "article.md:10: invalid count: True is not a whole number"),
        ("count", "inf", "article.md:10: invalid count: inf is not a whole number"),
        ("share", "nan", "article.md:10: invalid share: nan is not a number"),
        ("switch", "maybe", "article.md:10: invalid switch: maybe is not true or false"),
        (
            "method",
            "gradeint",
            "article.md:10: invalid method: gradeint is not one of gradient, occlusion (did you mean gradient?)",
        ),
        ("layers", "[2, x]", "article.md:10: invalid layers: [2, x] is not a whole number"),
        ("layers", "[2,", "article.md:10: invalid layers: [2, is not a list such as [1, 2]"),
        ("layers", r'["\ud83d"]', r'article.md:10: invalid layers: ["\ud83d"] is not a list such as [1, 2]'),
        ("text", {"a": 1}, "article.md:10: invalid text: a mapping is not a text"),
        ("count", "-1", "article.md:10: invalid count: it is below 0"),
        ("metod", "x", "article.md:10: unknown parameter: metod (did you mean method?)"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(name: str, written: Any, message: str) -> None:
    """An error names the value, its line, what was wanted, and the nearest right value."""
    made, problems = read(**{name: written})
    assert made is None
    assert problems == [message]


def test_all_problems_come_in_one_run() -> None:
    """Nobody mends a figure one error at a time."""
    _, problems = read(share="y", switch="z", count="-1")
    assert [problem.split(":")[1] for problem in problems] == ["10", "11", "12"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("generate", "-1"),
        ("temperature", "0"),
        ("top_k", "-1"),
        ("top_p", "0"),
        ("top_p", "1.1"),
        ("seed", str(2**64)),
        ("seed", "-1"),
        ("temperature", "1e-30"),
        ("output", ""),
    ],
)
def test_a_run_that_no_model_can_do_is_invalid(field: str, value: str) -> None:
    """Decoding parameters are checked before a model is loaded."""
    options = {"model": Option("m", 1), "prompt": Option("p", 1), field: Option(value, 7)}
    run, problems = read_parameters(RunSpec, options, PATH)
    assert run is None
    assert str(problems[0]).startswith(f"article.md:7: invalid {field}: ")


@pytest.mark.parametrize(("generate", "told"), [("1e300", 1), ("100000001", 1), ("100000000", 0)])
def test_more_tokens_than_any_model_reads_are_told_before_one_is_asked(generate: str, told: int) -> None:
    """With so many, not even an estimate can be written down."""
    options = {"model": Option("m", 1), "prompt": Option("x", 2), "generate": Option(generate, 3)}
    _, problems = read_parameters(RunSpec, options, PATH)
    assert [problem.line for problem in problems] == [3] * told
