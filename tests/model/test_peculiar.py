"""What a network may do that others do not: write over its inputs, mask by its states, list what is no attention."""

from __future__ import annotations

import pytest
import torch
from networks import Load

from builder.figure import RunSpec
from builder.model.backward import products

IDS = torch.tensor([[3, 5, 7, 11, 13, 2, 17, 19, 23]])


def test_embeddings_are_not_written_over(tiny: Load) -> None:
    """CTRL scales them in place: what is computed next of the same ones would be of others."""
    model = tiny("ctrl")
    embeddings = model.embed(IDS).detach()
    before = embeddings.clone()
    final = model.forward_embeddings(embeddings)
    assert torch.equal(embeddings, before)
    assert torch.equal(final, model.forward_ids(IDS))
    leaf = before.clone().requires_grad_()
    assert torch.autograd.grad(model.forward_embeddings(leaf).sum(), leaf)[0].any()


def test_a_mask_that_is_made_of_states_has_a_gradient(tiny: Load) -> None:
    """Doge's attention is a softmax of masked products, and its mask says how much each value is worth."""
    model = tiny("doge")
    assert model.chained
    embeddings = model.embed(IDS).detach()
    cotangents = torch.randn(2, 1, embeddings.shape[-1], generator=torch.Generator().manual_seed(0))
    mine = model.backward(embeddings, 2).pull(cotangents, [4, 9])
    leaf = embeddings.clone().requires_grad_()
    final = model.forward_embeddings(leaf)
    behind = torch.zeros(2, *final.shape)
    behind[[0, 1], :, [3, 8]] = cotangents
    theirs = products(final, leaf, behind)
    assert (mine - theirs).abs().max() < 1e-4 * theirs.abs().max()


@pytest.mark.parametrize("output", [",", None])
def test_a_state_that_is_listed_is_no_attention(output: str | None, tiny: Load) -> None:
    """MiniMax lists [1, heads, 8, 8] of its linear layers, also where a text is of eight tokens; all are counted."""
    model = tiny("minimax")
    run = model.run(RunSpec(model="", prompt="1, 1, 1, 1", output=output, generate=0))
    length = len(run.ids)
    assert (length == 8) == (output is not None)
    part = run.attention.parts["self"]
    assert (part.layers, part.n_layers) == ((1,), 3)
    weights = run.attention.weights("self", 1)
    assert weights.shape == (4, length, length)
    assert weights.sum(-1).allclose(torch.ones(4, length))
    assert run.attention.heads("self", 1).weights.allclose(weights, atol=1e-5)
