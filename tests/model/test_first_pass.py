"""What the first pass over a short text keeps is what its layers, run again, give; of a long one nothing is kept."""

from __future__ import annotations

import pytest
import torch
from networks import Load
from networks.runs import blocks_run, new_run
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.model import Run, first_pass

BOTH = frozenset({"attention", "neurons"})


def neurons(run: Run) -> list[torch.Tensor] | str:
    """Return the neurons of all layers, or why there are none."""
    try:
        return run.activations(range(run.model.n_layers))
    except BuildError as error:
        return str(error)


@pytest.mark.parametrize("name", CAUSAL)
def test_what_is_kept_is_what_comes_later(tiny: Load, name: str) -> None:
    """Stream, neurons, attention and the vectors it comes from, on all architectures."""
    model = tiny(name)
    kept, plain = new_run(model, *BOTH), new_run(model)
    assert torch.equal(kept.stream, plain.stream)
    assert torch.equal(kept.final, plain.final)
    if isinstance(found := neurons(kept), str):
        assert found == neurons(plain)
    else:
        for ours, theirs in zip(found, neurons(plain), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
    ours, theirs = kept.attention, plain.attention
    assert ours.parts == theirs.parts
    for layer in ours.parts["self"].layers:
        torch.testing.assert_close(ours.weights("self", layer), theirs.weights("self", layer), rtol=1e-5, atol=1e-7)
        if ours.has_vectors:
            for vectors in ("query", "key", "value", "output", "bias"):
                mine, other = (getattr(each.heads("self", layer), vectors) for each in (ours, theirs))
                torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


def test_a_model_of_which_nothing_is_known_yet_keeps_it_too(tiny: Load) -> None:
    """Whether its blocks are a chain is found out on other texts, which nobody takes for this one."""
    model = tiny("llama")
    plain = new_run(model, *BOTH)
    _ = plain.stream
    model.__dict__.pop("chained", None)
    fresh = new_run(model, *BOTH)
    assert torch.equal(fresh.stream, plain.stream)
    assert set(fresh._first_pass.attention) == set(plain._first_pass.attention) != set()


@pytest.mark.parametrize("expected", [(), ("attention",), ("neurons",), ("attention", "neurons")])
def test_nothing_runs_again_for_what_was_expected(
    tiny: Load, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only that is kept."""
    run = new_run(tiny("llama"), *expected)
    ran = blocks_run(run, monkeypatch)
    layers = list(range(run.model.n_layers))
    run.activations(layers)
    assert ran == ([] if "neurons" in expected else layers)
    ran.clear()
    for layer in layers:
        run.attention.weights("self", layer)
    assert ran == ([] if "attention" in expected else layers)


def test_a_long_text_keeps_nothing(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound of all layers together it is as if nothing had been expected."""
    monkeypatch.setattr(first_pass, "SHORT", 100)
    run = new_run(tiny("llama"), *BOTH)
    ran = blocks_run(run, monkeypatch)
    layers = list(range(run.model.n_layers))
    run.activations(layers)
    assert run.attention.parts["self"].layers == tuple(layers)
    assert ran == [*layers, *layers]


def test_a_figure_may_write_over_what_it_was_given(tiny: Load) -> None:
    """The next one gets the same."""
    run = new_run(tiny("gpt2"), "neurons")
    (first,) = run.activations([0])
    before = first.clone()
    first.zero_()
    assert torch.equal(run.activations([0])[0], before)
