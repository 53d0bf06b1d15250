"""A forward pass taken apart gives the network's own states and gradients, or says that it cannot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CONFIGS

from builder.model.chain import find_chain
from builder.model.trace import recording

IDS = torch.tensor([[3, 5, 7, 11, 2, 9, 4, 12, 6], [8, 1, 4, 4, 2, 6, 20, 31, 17]])


@pytest.mark.parametrize("name", CONFIGS)
def test_every_step_is_the_networks_own(tiny: Load, name: str) -> None:
    """What enters each block, and what the head reads, to the last bit: the same modules get the same arguments."""
    model = tiny(name)
    assert model.chained
    x = model.embed(IDS)
    with torch.no_grad(), recording(model.structure.blocks) as seen:
        final = model.forward_embeddings(x)
    steps = model.chain(x)
    for layer, entered in enumerate(steps.entered):
        assert torch.equal(entered, seen[layer - 1])
        assert torch.equal(steps.block(layer, entered), seen[layer])
    assert torch.equal(steps.leave(seen[model.n_layers - 1]), final)


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_go_back_step_by_step(tiny: Load, name: str) -> None:
    """One block's graph at a time: the chain rule, each link by itself."""
    model = tiny(name)
    x = model.embed(IDS).requires_grad_()
    seed = torch.Generator().manual_seed(1)
    cotangent = torch.randn(*IDS.shape, model.forward_embeddings(x).shape[-1], generator=seed)
    (whole,) = torch.autograd.grad(model.forward_embeddings(x), x, cotangent)
    steps = model.chain(x)

    def back(step: Any, given: torch.Tensor, behind: torch.Tensor) -> torch.Tensor:
        leaf = given.detach().requires_grad_()
        return torch.autograd.grad(step(leaf), leaf, behind)[0]

    last = steps.block(model.n_layers - 1, steps.entered[-1])
    behind = back(steps.leave, last, cotangent)
    for layer in reversed(range(model.n_layers)):
        behind = back(lambda hidden, layer=layer: steps.block(layer, hidden), steps.entered[layer], behind)
    assert torch.allclose(back(steps.enter, x, behind), whole, rtol=1e-4, atol=1e-5 * float(whole.abs().max()))


def test_steps_of_one_text_take_many(tiny: Load) -> None:
    """A disturbed text goes through a block beside the others: arguments of one text hold for all."""
    model = tiny("llama")
    one, both = model.chain(model.embed(IDS[:1])), model.chain(model.embed(IDS))
    assert torch.equal(one.block(1, both.entered[1]), both.block(1, both.entered[1]))


def network(second: Any) -> Any:
    """Return a structure of two blocks; `second(block, stream, first, embeddings)` says how the second is called."""

    class Block(torch.nn.Module):
        """A linear map beside the stream, and what else it is given, added."""

        def __init__(self) -> None:
            super().__init__()
            self.map = torch.nn.Linear(4, 4)

        def forward(self, hidden: torch.Tensor, extra: Any = None) -> torch.Tensor:
            if isinstance(extra, str):
                return hidden.add_(self.map(hidden.clone()))
            return hidden + self.map(hidden) + (0 if extra is None else extra)

    class Base(torch.nn.Module):
        """Two blocks."""

        def __init__(self) -> None:
            super().__init__()
            self.blocks = torch.nn.ModuleList([Block(), Block()])

        def forward(self, inputs_embeds: torch.Tensor, use_cache: bool) -> Any:
            assert not use_cache
            first = self.blocks[0](inputs_embeds)
            return SimpleNamespace(last_hidden_state=second(self.blocks[1], first, inputs_embeds))

    base = Base().requires_grad_(False)
    return SimpleNamespace(base=base, blocks=tuple(base.blocks), block_outputs=(torch.Tensor, torch.Tensor))


@pytest.mark.parametrize(
    ("second", "chained"),
    [
        (lambda block, first, x: block(first), True),
        (lambda block, first, x: block(first, 3.0), True),
        (lambda block, first, x: block(first, x), False),  # inputs for each layer
        (lambda block, first, x: block(first, first), False),  # a value of an earlier block
        (lambda block, first, x: block(first, [{"shared": 2 * first}]), False),
        (lambda block, first, x: block(2 * first), False),  # something stands between two blocks
        (lambda block, first, x: block(block(first)), False),
        (lambda block, first, x: block(first, SimpleNamespace()), False),  # who knows what is in it
        (lambda block, first, x: first, False),
        (lambda block, first, x: block(first, "in place"), False),
    ],
)
def test_what_is_no_chain_is_found_out(second: Any, chained: bool) -> None:
    """Where anything but the stream leads from block to block, nothing is taken apart."""
    x = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    assert find_chain(network(second), x) is chained


@pytest.mark.weights
def test_smollm2_is_a_chain(smollm2: Any) -> None:
    """The real model, and a text longer than the one it was tried on."""
    assert smollm2.chained
    x = smollm2.embed(torch.arange(40)[None])
    steps = smollm2.chain(x)
    with torch.no_grad():
        final = steps.leave(steps.block(smollm2.n_layers - 1, steps.entered[-1]))
        assert torch.equal(final, smollm2.forward_embeddings(x))
