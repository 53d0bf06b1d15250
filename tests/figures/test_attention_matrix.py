"""The attention matrix: heads and means are the plain ones, and a page without scripts shows the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from networks import Load

from builder.errors import BuildError
from builder.figure import Answer, Check, RunSpec
from builder.quantised import unpack_weights

from . import Ask, Part

if TYPE_CHECKING:
    from builder.kind import Kind

TEXT = RunSpec(model="tiny", prompt="1, 1, 1, 1,\nThe Union", generate=6)
STEP = 1 / 255


def naive(model: Any, part: str, layer: int | None, head: int | None) -> np.ndarray:
    """Return a matrix by loops over layers and heads."""
    attention = model.run(TEXT).attention
    found = attention.parts[part]
    chosen = [
        attention.weights(part, each)[h].double().numpy()
        for each in (found.layers if layer is None else [layer])
        for h in (range(found.n_heads) if head is None else [head])
    ]
    return sum(chosen) / len(chosen)


def shown(answer: Answer) -> np.ndarray:
    """Return the rows that a page without scripts shows, [Q, K]."""
    part = answer.data["parts"][answer.data["shown"]["part"]]
    width = part["keys"][1] - part["keys"][0]
    return np.array([row + [0] * (width - len(row)) for row in answer.data["rows"]]) / 1000


@pytest.mark.parametrize("name", ["llama", "bert", "t5", "lfm2"])
def test_means_are_plain_means(name: str, tiny: Load, ask: Ask) -> None:
    """Of all heads and layers, for every part: of the one that is shown in the data, of others in pieces."""
    answer = ask("attention_matrix", tiny(name), TEXT)
    assert all(check.holds for check in answer.checks.values())
    for part in answer.data["parts"]:
        first = part == answer.data["shown"]["part"]
        packed = answer.data["mean"] if first else answer.pieces[f"{part}-mean"]["weights"]
        assert np.abs(unpack_weights(packed)[0] - naive(tiny(name), part, None, None)).max() <= STEP / 2 + 1e-6


@pytest.mark.parametrize(
    ("params", "layer", "head"),
    [({"layer": -1}, 2, None), ({"layer": 0, "head": -1}, 0, 3), ({"over": "layers"}, None, None)],
)
def test_rows_are_those_of_what_is_asked_for(
    params: dict[str, Any], layer: int | None, head: int | None, tiny: Load, ask: Ask
) -> None:
    """A head, the mean of a layer's heads, or the mean of all; in thousandths, up to the token itself."""
    answer = ask("attention_matrix", tiny("llama"), TEXT, **params)
    expected = naive(tiny("llama"), "self", layer, head)
    assert [len(row) for row in answer.data["rows"]] == list(range(1, len(expected) + 1))
    assert np.abs(shown(answer) - expected).max() <= 0.0005 + 1e-6
    assert answer.data["first"] == pytest.approx(expected[1:, 0].mean(), rel=1e-3)


def test_without_the_first_token_rows_sum_to_one_again(tiny: Load, ask: Ask) -> None:
    """Its column is empty, and so is a row that has nothing else to look at."""
    answer = ask("attention_matrix", tiny("llama"), TEXT, layer=1, head=2, exclude_first=True)
    rows, whole = shown(answer), naive(tiny("llama"), "self", 1, 2)
    assert not rows[:, 0].any()
    assert not rows[0].any()
    for q in range(1, len(rows)):
        assert np.abs(rows[q] * (1 - whole[q, 0]) - whole[q] * (np.arange(len(rows)) > 0)).max() <= 0.0006


def test_where_next_to_nothing_is_left_a_row_is_empty(part: Part) -> None:
    """Of a weight of 0.03 that is stored in steps of 0.004, rescaling would show mostly the steps."""
    matrix = np.array([[1.0, 0, 0], [0.97, 0.03, 0], [0.9, 0.025, 0.075]])
    found = part("attention_matrix", "glance").without_first(matrix)
    assert found.tolist() == pytest.approx(np.array([[0, 0, 0], [0, 0, 0], [0, 0.25, 0.75]]))


def test_long_texts_have_their_strongest_weights(tiny: Load, ask: Ask) -> None:
    """And no rows: a table of thousands of cells is none that anybody reads."""
    answer = ask("attention_matrix", tiny("gpt2"), RunSpec("tiny", "1, " * 18, generate=8), layer=1, head=0)
    attention = tiny("gpt2").run(RunSpec("tiny", "1, " * 18, generate=8)).attention
    weights = attention.weights("self", 1)[0].numpy()
    assert answer.data["rows"] is None
    edges = answer.data["edges"]
    assert len(edges) == 16
    assert edges[0]["weight"] == pytest.approx(weights[2:, 1:].max(), rel=1e-3)
    for edge in edges:
        assert edge["weight"] == pytest.approx(weights[edge["from"], edge["to"]], rel=1e-3)
    assert [edge["weight"] for edge in edges] == sorted((edge["weight"] for edge in edges), reverse=True)


def test_a_mean_that_is_another_fails_its_check(part: Part, tiny: Load, ask: Ask) -> None:
    """The check reads what is published, layer by layer."""
    answer = ask("attention_matrix", tiny("llama"), TEXT)
    distance = part("attention_matrix", "means").distance_of_means
    data = dict(answer.data)
    assert distance(data, answer.pieces).holds
    wrong: Check = distance(data | {"mean": data["weights"]}, answer.pieces)
    assert not wrong.holds


def test_what_is_not_there_is_told(tiny: Load, ask: Ask) -> None:
    """With the nearest that is; and a model without attention has nothing to show."""
    for params, why in (
        ({"layer": 3}, r"^invalid layer: 3 is not between 0 and 2 \(did you mean 2\?\)"),
        ({"head": -5}, r"^invalid head: -5 is not between 0 and 3 \(did you mean 0\?\)"),
        ({"part": "cross"}, r"^unknown part: cross: model llama has self"),
    ):
        with pytest.raises(BuildError, match=why):
            ask("attention_matrix", tiny("llama"), TEXT, **params)
    with pytest.raises(BuildError, match=r"^unsupported model: mamba"):
        ask("attention_matrix", tiny("mamba"), TEXT)


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("llama", {"layer": 1, "head": 2}, "Attention, head 2 of layer 1 of 3, as a matrix of "),
        ("bert", {"over": "layers"}, "Attention, the mean of all 4 heads of 3 layers, as a matrix of "),
        ("t5", {}, "Attention from decoder to encoder, the mean of the 4 heads of layer 1 of 3, as a matrix of "),
    ],
)
def test_it_can_be_said(
    name: str, params: dict[str, Any], words: str, tiny: Load, ask: Ask, kinds: dict[str, Kind]
) -> None:
    """Whose attention, how much of it the first token gets, and what is strongest besides."""
    text = kinds["attention_matrix"].analysis.describe(ask("attention_matrix", tiny(name), TEXT, **params).data)
    assert text.startswith(words)
    assert "goes to the first token" in text
    assert text.endswith(".")
