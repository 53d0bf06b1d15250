"""`Matrix`: the neurons of some layers over a text, as they are decomposed, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from builder.errors import BuildError
from builder.rounding import significant

from .decompose import ROWS, positive_parts
from .publish import about_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model import Run

__all__ = ["Matrix", "read_matrix"]

ROUNDING = 1e-10
"""The share of the energy below which what is left around the mean is what float32 rounds."""


class Matrix(NamedTuple):
    """What is decomposed of some layers."""

    x: Tensor
    """[T, N] of the tokens that are not left out; of a split, [T, 2N]."""
    widths: list[int]
    """How many neurons each layer has."""
    about: dict[str, Any]
    """What is told of them."""


def read_matrix(run: Run, name: str, span: list[int], first: int, *, signed: bool, split: bool) -> Matrix:
    """Return the neurons of some layers at the tokens from `first` on: what is above 0 of them, or around their mean.

    Raises `BuildError` for neurons that are no numbers, where none fires, and where nothing is left around the mean.
    """
    x, widths = _neurons(run, span)
    rows = x[first:]
    energy = torch.cat([part.square().sum(1, dtype=torch.float64) for part in torch.split(rows, ROWS)])
    if not bool(energy.isfinite().all()):
        raise BuildError(f"broken model: {run.model.name} has neurons that are no numbers (NaN or infinite)")
    about = about_layers(name, span, x, rows, signed=signed, split=split)
    about["loudest"] = [first + int(energy.argmax()), significant(float(energy.max() / energy.sum()))]
    # in place: the matrix of all neurons of a long text is large
    taken = rows.sub_(rows.mean(0)) if signed else positive_parts(rows, split=split)
    if not any(bool(part.any()) for part in torch.split(taken, ROWS)):
        raise BuildError(f"invalid layers: of {name}, no neuron fires in this text")
    if signed:
        left = [float(rest.square().sum(dtype=torch.float64)) for rest in torch.split(taken, ROWS)]
        if sum(left) <= ROUNDING * float(energy.sum()):
            raise BuildError(
                f"invalid layers: of {name}, each neuron fires alike at all tokens: no factor tells them apart"
            )
    return Matrix(taken, widths, about)


def _neurons(run: Run, span: Sequence[int]) -> tuple[Tensor, list[int]]:
    """Return the neurons of some layers side by side, [T, N] on the processor, and how many each layer has."""
    whole, width = torch.empty(0), 0
    for number, layer in enumerate(run.neurons(span)):
        if number == 0:
            width = layer.shape[1]
            whole = torch.empty(len(run.ids), width * len(span))
        if layer.shape[1] != width:  # layers of several widths: put together at the end, at twice the memory
            parts = [layer.cpu() for layer in run.neurons(span)]
            return torch.cat(parts, dim=1), [part.shape[1] for part in parts]
        whole[:, number * width : (number + 1) * width] = layer
    return whole, [width] * len(span)
