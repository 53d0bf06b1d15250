"""Changed runs of one text that begin in different blocks, taken through the network together.

A run that is changed in block 20 is as before up to there, so it begins there. Runs that begin in each of 30 blocks go
through 465 blocks, a few tokens at a time, and each time a block's weights come from memory again. Where blocks are a
chain, all runs that have begun wait before each block, and go through it in batches as large as are fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from .memory import rows
from .rerun import at_once, batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from . import Model

__all__ = ["Beginning", "Changes", "sweep"]

HELD = 64 << 20
"""Bytes of streams that wait before a block, on a processor: with smollm2 those of 29,000 tokens."""
LOGITS = 16 << 20
"""Bytes of the logits that are made of what is yielded at once."""


class Beginning(NamedTuple):
    """Where a run begins: nothing before is computed."""

    block: int
    """The first one that it goes through, or the number of blocks where there is none."""
    position: int
    """The first token that does."""


class Changes(Protocol):
    """What is changed in runs, which are told by their numbers. Their tokens come run by run, N in all."""

    @property
    def beginnings(self) -> Sequence[Beginning]:
        """Where each run begins."""
        ...

    def enter(self, block: int, runs: list[int]) -> Tensor:
        """Return what enters a block, [N, d], in which the runs begin."""
        ...

    def through(self, blocks: range, runs: list[int], stream: Tensor) -> Tensor:
        """Take the runs through neighbouring blocks, in the first of which, or before it, they have begun; [N, d]."""
        ...


@torch.no_grad()
def sweep(model: Model, length: int, changes: Changes) -> Iterator[tuple[list[int], Tensor]]:
    """Yield the numbers of some runs of a text, and what the last block hands on at the last token of each, [n, d].

    They are as many as logits fit memory. Every run is there once.
    """
    held = rows(model.network.dtype.itemsize * model.d_model, model.device, most=HELD)
    logits = rows(4 * model.logits_size, model.device, most=LOGITS)
    beginnings = changes.beginnings
    whole = _Sweep(model, length, beginnings, changes)
    order = sorted(range(len(beginnings)), key=lambda run: beginnings[run].position)
    for part in batches([beginnings[run].position for run in order], length, held):
        for runs, last in whole.together(order[part]) if model.chained else whole.apart(order[part]):
            for start in range(0, len(runs), logits):
                yield runs[start : start + logits], last[start : start + logits]


class _Sweep(NamedTuple):
    model: Model
    length: int
    beginnings: Sequence[Beginning]
    changes: Changes

    def together(self, runs: list[int]) -> Iterator[tuple[list[int], Tensor]]:
        """Take runs through block after block, all that have begun at once."""
        sizes = [self._size(run) for run in runs]
        places = torch.split(torch.arange(sum(sizes), device=self.model.device), sizes)
        where = dict(zip(runs, places, strict=True))
        streams = None
        for block in range(self.model.n_layers + 1):
            joining = [run for run in runs if self.beginnings[run].block == block]
            if joining:
                entering = self.changes.enter(block, joining)
                if streams is None:
                    streams = entering.new_empty(sum(sizes), entering.shape[-1])
                streams[torch.cat([where[run] for run in joining])] = entering
            begun = [run for run in runs if self.beginnings[run].block <= block < self.model.n_layers]
            for some in self._batches(begun):
                at = torch.cat([where[run] for run in some])
                assert streams is not None  # they have begun
                streams[at] = self.changes.through(range(block, block + 1), some, streams[at])
        if streams is not None:
            yield runs, streams[torch.stack([where[run][-1] for run in runs])]

    def apart(self, runs: list[int]) -> Iterator[tuple[list[int], Tensor]]:
        """Take those that begin together to the end, block after block: more than the stream may go between blocks."""
        for first in sorted({self.beginnings[run].block for run in runs}):
            for some in self._batches([run for run in runs if self.beginnings[run].block == first]):
                stream = self.changes.enter(first, some)
                if first < self.model.n_layers:
                    stream = self.changes.through(range(first, self.model.n_layers), some, stream)
                ends = torch.tensor([self._size(run) for run in some], device=stream.device).cumsum(0)
                yield some, stream[ends - 1]

    def _size(self, run: int) -> int:
        return self.length - self.beginnings[run].position

    def _batches(self, runs: list[int]) -> Iterator[list[int]]:
        """Cut runs, by ascending position, into batches of like size."""
        total, most = sum(map(self._size, runs)), at_once(self.model, self.length)
        even = -(-total // max(1, -(-total // most)))
        for part in batches([self.beginnings[run].position for run in runs], self.length, even):
            yield runs[part]
