"""A factor's neurons, taken out together: what is said of the answer without them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import torch

from builder.errors import BuildError
from builder.model.nmf import nmf
from builder.spoken import counted

from .heads import masked
from .text import Effects

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Run

    from .text import Text

__all__ = ["Factors", "find_factors", "without_neurons"]


class Factors(NamedTuple):
    """Groups of neurons that are active together on a text."""

    members: Tensor
    """[k, N] bool, over the neurons of all layers one after another."""
    drawn: Tensor
    """[k, N] bool: as many others of the same layers, drawn at random."""
    widths: list[int]
    """How many neurons each layer has."""
    weights: Tensor
    """[k, T], how active each is at each position; 0 at the first, which is left out."""


def find_factors(run: Run, text: Text, k: int) -> Factors:
    """Return the k factors of all layers' neurons over the text, the one of most energy first.

    As in the figure `factors`: NMF of what is above 0, without the first token. A factor's own neurons are those that
    weigh more than 1/√N of its length, what each of N would if it were spread evenly.

    Raises `BuildError` for more factors than there are tokens, and for a model whose neurons cannot be read.
    """
    length = len(text.ids)
    if k > length - 1:
        raise BuildError(
            f"invalid factors: {k} cannot be told apart in {counted(length - 1, 'token')} after the first"
            + (f" (did you mean {length - 1}?)" if length > 1 else "")
        )
    activations = [layer[:length] for layer in run.activations(range(run.model.n_layers))]
    x = torch.cat(activations, dim=1)[1:].clamp_min(0).cpu()
    if not bool(x.any()):
        raise BuildError("invalid factors: no neuron fires in this text, so there is none to take out")
    w, h = nmf(x, k)
    lengths = h.norm(dim=1)
    w, h = w * lengths, h / lengths.clamp_min(torch.finfo(h.dtype).tiny)[:, None]
    order = (w * (x @ h.T)).sum(0).argsort(descending=True, stable=True)
    members = h[order] > h.shape[1] ** -0.5
    widths = [layer.shape[1] for layer in activations]
    weights = torch.cat([torch.zeros(k, 1), w[:, order].T], dim=1)
    return Factors(members, _others(members, widths), widths, weights)


def _others(members: Tensor, widths: list[int]) -> Tensor:
    """Return as many neurons of each layer that are none of a factor's, always the same."""
    draw = torch.Generator().manual_seed(0)
    rows = []
    for row in members:
        layers = []
        for own in row.split(widths):
            chance = torch.rand(len(own), generator=draw).masked_fill(own, -1)
            count = min(int(own.sum()), int((~own).sum()))
            layers.append(torch.zeros_like(own).index_fill(0, chance.topk(count).indices, True))
        rows.append(torch.cat(layers))
    return torch.stack(rows)


@torch.no_grad()
def without_neurons(text: Text, groups: Tensor, widths: list[int]) -> Effects:
    """Return what is said without each group of neurons, [n, N] bool, at every position."""
    model, found = text.model, []
    size = text.at_once
    for batch in torch.split(groups.to(text.ids.device), size):
        with contextlib.ExitStack() as stack:
            for down, mask in zip(model.structure.down_projections, torch.split(batch, widths, dim=1), strict=True):
                if down is not None and bool(mask.any()):
                    stack.enter_context(masked(down, mask))
            found.append(text.effects(model.forward_ids(text.ids.expand(len(batch), -1))))
    return Effects.join(found)
