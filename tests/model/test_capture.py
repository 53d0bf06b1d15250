"""Layers of attention come when they are asked for, are the same each time, and are not kept beyond a bound."""

from __future__ import annotations

import pytest
import torch
from networks import Load
from networks.runs import blocks_run, new_run
from networks.tiny import CAUSAL

from builder.model import capture


@pytest.mark.parametrize("chained", [True, False])
@pytest.mark.parametrize("name", CAUSAL)
def test_a_layer_is_the_same_however_it_comes(
    tiny: Load, name: str, chained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that runs again on what entered it, or the network up to it, gives what the whole forward pass gave."""
    model = tiny(name)
    monkeypatch.setattr(capture, "KEPT", 1)  # nothing but the layer that was asked for last
    run = new_run(model)
    if not chained:
        monkeypatch.setattr(run, "steps", None)
    base = model.structure.base
    with torch.no_grad():
        listed = base(input_ids=run.ids[None], use_cache=False, output_attentions=True).attentions
    attention = run.attention
    layers = attention.parts["self"].layers
    plain = [weights for weights in listed if weights is not None]
    for layer, weights in reversed(list(zip(layers, plain, strict=True))):
        assert torch.equal(attention.weights("self", layer), weights[0].float())


def test_what_was_asked_for_last_is_kept_up_to_a_bound(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the bound no block runs twice; beyond it those that were asked for longest ago are let go of."""
    run = new_run(tiny("llama"))
    ran = blocks_run(run, monkeypatch)
    attention = run.attention
    layers = attention.parts["self"].layers
    for layer in layers:
        attention.weights("self", layer)
    assert ran == list(layers)
    monkeypatch.setattr(capture, "KEPT", 1)
    for layer in (0, 1, 0):
        attention._recent.keep({})
        attention.weights("self", layer)
    assert ran == [*layers, 0, 1, 0]


@pytest.mark.parametrize("chained", [True, False])
def test_neurons_of_one_layer_are_those_of_all(tiny: Load, chained: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is asked for is captured, and it is the same."""
    run = new_run(tiny("llama"))
    every = run.activations([0, 1, 2])
    if not chained:
        monkeypatch.setattr(run, "steps", None)
    assert torch.equal(run.activations([1])[0], every[1])
    assert [torch.equal(a, b) for a, b in zip(run.neurons([2, 0]), (every[2], every[0]), strict=True)] == [True, True]
