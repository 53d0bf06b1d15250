"""The residual stream at some positions, row by row, and how a lens reads it: as the model would, or as Ecco does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from . import Run

__all__ = ["ECCO", "Stream", "read_stream"]

ECCO = (
    "Read as Ecco reads it, without the model’s final normalisation, to compare with its figures: before the last "
    "layer these are not the places that the model itself would give."
)


class Stream(NamedTuple):
    """States of a text at N positions, and the lens."""

    names: list[str]
    """Of the rows: "embeddings" where they are asked for, then the layers, "0" the first block."""
    states: Tensor
    """[rows, N, d], in the format of the weights."""
    unembed: Callable[[Tensor], Tensor]
    """[..., d] → [..., vocab]."""


def read_stream(
    run: Run, positions: Sequence[int], *, embeddings: bool = False, reproduce: Literal["ecco"] | None = None
) -> Stream:
    """Return what stands at `positions` after every layer.

    The lens is the model's own norm and head. For `reproduce="ecco"` it is the head alone, and the last row what the
    norm made of the last block's output: transformers' `hidden_states`, of which only the last are normed.
    """
    where = torch.tensor(list(positions), device=run.ids.device)
    names = [str(layer) for layer in range(run.model.n_layers)]
    states = run.block_outputs[:, where]
    lens: Callable[[Tensor], Tensor] = run.model.unembed
    if reproduce == "ecco":
        states = torch.cat((states[:-1], run.final[where][None].float()))
        lens = run.model.head_logits
    if embeddings:
        names.insert(0, "embeddings")
        states = torch.cat((run.embeddings[where][None], states))
    return Stream(names, states.to(run.model.network.dtype), lens)
