"""Causal trace: what may be asked, what is told of what cannot be, and what prose may name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from networks import Load

from builder.errors import BuildError
from builder.figure import Option, Result
from builder.kind import Kind
from builder.parameters import read_parameters

from . import Ask
from .test_causal_trace import CIRCUIT, KIND, OTHER, TEXT, failed


@pytest.mark.parametrize(
    ("params", "why"),
    [
        (
            {"corrupted": "1. A"},
            r"invalid corrupted: it must be as many tokens as the prompt, and it is 4 tokens \('1' ",
        ),
        ({"corrupted": TEXT.prompt}, "invalid corrupted: its tokens are those of the prompt"),
        ({"corrupted": OTHER, "answer": "xyz"}, "invalid answer: 'xyz' is 3 tokens of model llama"),
        ({"subject": "Austria", "noise": 1e-7}, "invalid noise: it changes nothing of "),
    ],
)
def test_what_cannot_be_traced_is_an_error(params: dict[str, Any], why: str, tiny: Load, ask: Ask) -> None:
    """Both texts' tokens are shown where their numbers differ; a difference of nothing is not shared out."""
    with pytest.raises(BuildError, match=f"^{why}"):
        ask(KIND, tiny("llama"), TEXT, **params)


def test_a_model_without_attention_says_what_it_has(tiny: Load, ask: Ask) -> None:
    """Mamba's residual stream can be traced, its mixers are neither attention nor MLPs."""
    with pytest.raises(
        BuildError, match=r"^unsupported states: model mamba has no attention \(did you mean residual\?\)"
    ):
        ask(KIND, tiny("mamba"), TEXT, corrupted=OTHER)
    assert not failed(ask(KIND, tiny("mamba"), TEXT, corrupted=OTHER, states=("residual",)))


def test_an_answer_that_the_corruption_helps_is_warned_of(tiny: Load, ask: Ask) -> None:
    """Effects are then shares of what is gained."""
    answer = ask(KIND, tiny("hand_written"), CIRCUIT, answer="D", foil="B", corrupted="A D C A")
    assert "more than the clean one does" in answer.data["warning"]
    assert answer.data["effects"]["attention"][1][4] == 1.0


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "invalid corrupted: it is missing; write a prompt of as many tokens"),
        ({"corrupted": "a", "subject": "b"}, "not by both"),
        ({"corrupted": ""}, "invalid corrupted: it is empty"),
        (
            {"corrupted": "a", "foil": "b", "metric": "probability"},
            "invalid metric: against a foil it is the difference",
        ),
        ({"corrupted": "a", "states": ["mlp", "mlp"]}, "invalid states: one of them stands there twice"),
        ({"corrupted": "a", "states": ["mpl"]}, "did you mean mlp?"),
        ({"corrupted": "a", "window": 0}, "invalid window: 0 is not between 1 and 100"),
        ({"subject": "a", "noise": 0}, "invalid noise: 0 is not above 0 and at most 100"),
        ({"subject": "a", "samples": 0}, "invalid samples: 0 is not between 1 and 50"),
    ],
)
def test_a_wrong_parameter_is_named(values: dict[str, Any], why: str, kinds: dict[str, Kind]) -> None:
    """Before any model is loaded."""
    options = {name: Option(value, 7) for name, value in values.items()}
    made, problems = read_parameters(kinds[KIND].analysis.Params, options, Path("article.md"))
    assert made is None
    assert [str(problem) for problem in problems if why in str(problem)]


def test_the_description_names_places(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """Where the stream carries the answer, and which outputs matter most."""
    data = ask(KIND, tiny("hand_written"), CIRCUIT, answer="B", foil="D", corrupted="A D C A").data
    assert kinds[KIND].analysis.describe(data).split(". ") == [
        "What restoring one state at a time does to “B” against “D”",
        "In the residual stream most of the difference is at “B” in layer 0 and at “A” in layer 1",
        "Of attention outputs that of layer 1 at “A” has the largest effect, 100%",
        "No MLP output alone matters.",
    ]


def test_prose_may_name_tokens_layers_and_states(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """Tokens from the first corrupted one on, with a graphic of their course; panels share the largest effect."""
    data = ask(KIND, tiny("hand_written"), CIRCUIT, answer="B", foil="D", corrupted="A D C A").data
    named = kinds[KIND].parts(data)
    by_text, by_position = {"B": 2, "C": 3, "A": 4}, {"2": 2, "3": 3, "4": 4}
    assert {name: found.value for name, found in named["token"].items()} == by_text | by_position
    assert list(named["layer"]) == ["0", "1"]
    assert named["state"]["mlp"].value == "mlp"
    spark = kinds[KIND].spark(data, "token", named["token"]["B"])
    assert (spark.values, spark.mark) == ((1.0, 0.0), 0)
    assert kinds[KIND].extent(data) == {"effect": 1.0}


def test_the_example_has_the_shape_of_an_answer(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """`example.json` has the keys that the analysis writes today."""
    text = (kinds[KIND].folder / "example.json").read_text(encoding="utf-8")
    example = Result.from_json("0" * 64, text)
    answer = ask(KIND, tiny("hand_written"), CIRCUIT, answer="B", foil="D", corrupted="A D C A")
    assert set(example.data) == set(answer.data)
    assert set(example.checks) == set(answer.checks)
    assert all(check.holds for check in example.checks.values())
