"""The residual stream at some positions, row by row, and what a lens reads there: as the model would, or Ecco."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

from ..errors import BuildError
from .lens import find_lens, read_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from . import Run
    from .lens import Reading

__all__ = ["ECCO", "Stream", "ecco_error", "read_positions", "read_stream"]

TOP = 10
"""How many top tokens are read at least, so that figures that show fewer share a reading."""

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

    Raises `BuildError` where Ecco's reading is asked for and the head reads something of another width than the stream.
    """
    where = torch.tensor(list(positions), device=run.ids.device)
    names = [str(layer) for layer in range(run.model.n_layers)]
    states = run.block_outputs[:, where]
    lens: Callable[[Tensor], Tensor] = run.model.unembed
    if reproduce == "ecco":
        final = run.final[where][None].float()
        if final.shape[-1] != states.shape[-1]:
            raise BuildError(
                f"unsupported reproduce: ecco: the head of model {run.model.name} reads {final.shape[-1]} numbers and "
                f"its blocks write {states.shape[-1]}, so it cannot read them without what stands between"
            )
        states = torch.cat((states[:-1], final))
        lens = run.model.head_logits
    if embeddings:
        names.insert(0, "embeddings")
        states = torch.cat((run.embeddings[where][None], states))
    return Stream(names, states.to(run.model.network.dtype), lens)


def read_positions(
    run: Run,
    positions: Sequence[int],
    ids: Tensor,
    *,
    top: int,
    embeddings: bool = False,
    reproduce: Literal["ecco"] | None = None,
) -> Reading:
    """Return what the lens reads at `positions` [N] after every layer about the tokens `ids` [N]; rows as `Stream`'s.

    Figures of one run share it. Raises `BuildError` as `read_stream` does.
    """
    key = ("lens", tuple(positions), tuple(ids.tolist()), reproduce)
    known = run.shared.get(key)
    vocab_size = run.model.logits_size
    if known is None or known.top.shape[-1] < min(top, vocab_size):
        stream = read_stream(run, positions, embeddings=True, reproduce=reproduce)
        final = run.final[torch.tensor(list(positions), device=run.ids.device)]
        lens = find_lens(run.model, normed=reproduce is None)
        known = read_layers(lens, stream.states, final, ids, vocab_size=vocab_size, top=max(top, TOP))
        run.shared[key] = known
    first = int(not embeddings)
    rows = {name: getattr(known, name)[first:] for name in ("ranks", "probabilities", "entropies", "divergences")}
    best = {name: getattr(known, name)[first:, :, :top] for name in ("top", "shares")}
    return known._replace(**rows, **best)


def ecco_error(run: Run, positions: Sequence[int], stream: Stream) -> float:
    """Return how far the layers' states are from those that Ecco is given, relative to the largest number there."""
    with torch.no_grad():
        listed = run.model.network(input_ids=run.ids[None], use_cache=False, output_hidden_states=True).hidden_states
    theirs = torch.stack([state[0, list(positions)] for state in listed[1:]]).float()
    ours = stream.states[-len(theirs) :].float()
    return float((ours - theirs).abs().max() / theirs.abs().max()) if ours.shape == theirs.shape else float("inf")
