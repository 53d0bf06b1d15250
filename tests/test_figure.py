"""The address of an answer: the same question has one, another question another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builder.figure import Check, RunSpec, address

RUN = RunSpec("smollm2", "A prompt", generate=5)
QUESTION: dict[str, Any] = {
    "kind": "saliency",
    "code": "c0de",
    "model": "f1",
    "run": RUN,
    "params": {"method": "gradient", "layers": (1, 2)},
    "numerics": {"dtype": "float32"},
}


def test_the_same_question_has_the_same_address() -> None:
    """Neither the order of parameters nor tuple or list makes a difference."""
    again = {**QUESTION, "params": {"layers": [1, 2], "method": "gradient"}}
    assert address(**QUESTION) == address(**again)
    assert len(address(**QUESTION)) == 64


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("kind", "rankings"),
        ("code", "c0df"),
        ("model", "f2"),
        ("run", replace(RUN, prompt="A prompt ")),
        ("run", replace(RUN, generate=6)),
        ("run", replace(RUN, output=" x")),
        ("run", replace(RUN, do_sample=True)),
        ("params", {"method": "gradient", "layers": (1, 3)}),
        ("numerics", {"dtype": "bfloat16"}),
    ],
)
def test_every_part_of_a_question_counts(part: str, value: Any) -> None:
    """A changed model, analysis, text or setting is never invisible."""
    assert address(**{**QUESTION, part: value}) != address(**QUESTION)


def test_what_greedy_decoding_does_not_read_does_not_count() -> None:
    """A seed changes nothing without sampling, and everything with it; nor does the name given to a model."""
    assert address(**{**QUESTION, "run": replace(RUN, seed=3, temperature=0.5)}) == address(**QUESTION)
    assert address(**{**QUESTION, "run": replace(RUN, model="another-name")}) == address(**QUESTION)
    sampled = replace(RUN, do_sample=True)
    assert address(**{**QUESTION, "run": sampled}) != address(**{**QUESTION, "run": replace(sampled, seed=3)})


def test_a_check_holds_up_to_its_bound_and_never_for_nan() -> None:
    """NaN compares false with everything; a check must not pass by it."""
    assert Check(1e-6, 1e-6).holds
    assert not Check(2e-6, 1e-6).holds
    assert not Check(float("nan"), 1.0).holds
