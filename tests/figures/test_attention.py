"""The figure that joins three views of attention: each gets what it would publish alone, shared data stand once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from networks import Load

from builder.errors import BuildError
from builder.figure import RunSpec

from . import Ask, Part

TEXT = RunSpec(model="tiny", prompt="1, 1, 1, 1,\nThe Union", generate=6)


@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral"])
def test_each_view_gets_what_it_would_publish_alone(name: str, tiny: Load, ask: Ask, part: Part) -> None:
    """The same head of the same layer, the same numbers: only what they share is not written three times."""
    model = tiny(name)
    answer = ask("attention", model, TEXT, layer=1, head=2, token=3)
    assert all(check.holds for check in answer.checks.values())
    of = part("attention", "analysis").of
    alone: dict[str, Any] = {
        "model": ask("model_view", model, TEXT, layer=1, head=2).data,
        "neuron": ask("neuron_view", model, TEXT, layer=1, layers=("all",), heads=("2", "0", "1", "3"), token=3).data,
    }
    for view, data in alone.items():
        ours = of(answer.data, view)
        assert {key: ours[key] for key in data if key != "parts"} == {key: data[key] for key in data if key != "parts"}
    lines = ask("head_view", model, TEXT, layer=1, heads=(2,), token=3).data
    assert of(answer.data, "head")["edges"] == lines["edges"]
    assert answer.data["weights"] == lines["weights"]


def test_pieces_hold_every_other_layer_once(tiny: Load, ask: Ask) -> None:
    """Weights of a layer under its number, vectors of its heads beside it."""
    answer = ask("attention", tiny("llama"), TEXT, layer=1)  # two key-value heads
    assert {name for name in answer.pieces if name.count("-") == 1} == {"self-0", "self-2"}
    assert {"self-0-0", "self-0-1", "self-1-0", "self-1-1", "self-2-0", "self-2-1"} <= set(answer.pieces)


def test_some_layers_only_where_all_are_too_much(tiny: Load, ask: Ask) -> None:
    """Neither their pictures nor their pieces are there."""
    answer = ask("attention", tiny("llama"), TEXT, layers=("1-2",))
    assert answer.data["parts"]["self"]["layers"] == [1, 2]
    assert not [name for name in answer.pieces if name.startswith("self-0")]


def test_without_queries_and_keys_two_views_are_left(tiny: Load, ask: Ask, kinds: Any) -> None:
    """A model whose attention goes past transformers' interface has weights; readers are told what is missing."""
    answer = ask("attention", tiny("bloom"), TEXT)
    assert answer.data["neuron"] is None
    assert answer.data["warning"].startswith("One of the three views is missing: the queries and keys of bloom")
    assert kinds["attention"].analysis.describe(answer.data).endswith(".")


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_encoders_and_encoder_decoders_have_all_three(name: str, tiny: Load, ask: Ask) -> None:
    """Of every part that they have."""
    spec = RunSpec(model="tiny", prompt="The Union", generate=4, pair="1, 1" if name == "bert" else None)
    answer = ask("attention", tiny(name), spec)
    assert all(check.holds for check in answer.checks.values())
    assert list(answer.data["parts"]) == (["self"] if name == "bert" else ["encoder", "decoder", "cross"])
    assert json.loads(json.dumps(answer.data)) == answer.data


def test_what_is_not_there_is_told(tiny: Load, ask: Ask) -> None:
    """With the nearest that is; and a model without attention has nothing to show."""
    for params, why in (
        ({"layer": 3}, r"^invalid layer: 3 is not between 0 and 2 \(did you mean 2\?\)"),
        ({"head": 4}, r"^invalid head: 4 is not between 0 and 3 \(did you mean 3\?\)"),
        ({"part": "slf"}, r"^unknown part: slf: model llama has self \(did you mean self\?\)"),
    ):
        with pytest.raises(BuildError, match=why):
            ask("attention", tiny("llama"), TEXT, **params)
    with pytest.raises(BuildError, match=r"^unsupported model: mamba \(MambaForCausalLM\) has no attention"):
        ask("attention", tiny("mamba"), TEXT)
