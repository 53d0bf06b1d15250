"""`Piece`: neighbouring targets of some texts, which go through a block at once; and how the work is cut into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .parts import View
from .rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch
    from torch import Tensor

    from .. import Model
    from ..chain import Steps

__all__ = ["Extent", "Piece", "cut"]

ROWS, ROWS_OF_A_GRAPH = 2_500, 750
"""How many positions go through a block's way back at once, over all texts and targets: where it is written out, and
where the graph of as many is held."""
ROWS_OF_TEXTS = 1_250
"""The same where there are several texts, each with what is known of it: products of a thousand rows are as fast."""
TARGETS = 20
"""The most targets of a text at once: in attention all are as long as the last, so that more waste more."""
LEAST = 0.05
"""The share of rows from which on leaving them out pays: what is to be done apart for the tail costs that much."""
LENGTHS = 32
"""How many lengths pieces have at most: tensors of many sizes leave holes in memory, and oneDNN keeps a kernel for each
shape, 0.6 MB of memory. So lengths are rounded up, by a 64th on average."""


class Extent(NamedTuple):
    """Which targets of which texts a piece has, and of how many positions: up to its last target, or a few more."""

    targets: slice
    texts: slice
    length: int
    step: int
    """What lengths are rounded up to."""


class Piece:
    """Neighbouring targets of some texts: what goes through a block at once, N = texts · targets."""

    cotangents: Tensor
    """Of what a block handed on: rows [n, d]; of what the last one did [N, d], each at one position."""
    at: Tensor
    """Those positions, [N]."""

    def __init__(self, model: Model, embeddings: Tensor, extent: Extent, positions: Sequence[int]) -> None:
        self._model = model
        self.targets, self.texts, self.length, self._step = extent
        self._ends = positions[self.targets]
        self.embeddings = embeddings[self.texts, : self.length]
        """[texts, L, d]"""
        self.view = View(self.texts, self.length, self.targets.stop - self.targets.start)
        self._steps: dict[int, Steps] = {}
        self._rows: dict[tuple[torch.device, bool], Rows] = {}

    @property
    def where(self) -> tuple[slice, slice]:
        """Of which targets and texts."""
        return self.targets, self.texts

    def steps(self, copies: int) -> Steps:
        """Return the steps of a forward pass over so many texts, which are the piece's, or copies of its one."""
        if copies not in self._steps:
            given = self.embeddings
            self._steps[copies] = self._model.chain(given.expand(copies, *given.shape[1:]))
        return self._steps[copies]

    def rows(self, device: torch.device, *, causal: bool) -> Rows:
        """Return which rows its cotangents have: in a causal model each target's end where it does, if that pays."""
        key = device, causal
        if key not in self._rows:
            whole = [self.length] * self.view.copies
            pays = sum(self._ends) < (1 - LEAST) * sum(whole)
            ends = self._ends if causal and pays else whole
            self._rows[key] = Rows(self.texts, len(self.embeddings), self.length, ends, device, self._step)
        return self._rows[key]


def cut(positions: Sequence[int], texts: int, *, together: bool) -> Iterator[Extent]:
    """Cut the work into runs of targets, of one text each, or where there are more texts of one target.

    `together`, where all blocks are of the usual kind, several targets may come with several texts.
    """
    rows = ROWS if together else ROWS_OF_A_GRAPH
    step = 1 << ((positions[-1] - 1) // LENGTHS).bit_length()
    if texts > len(positions) and not together:
        for target, position in enumerate(positions):
            at_once, length = max(1, rows // position), min(-(-position // step) * step, positions[-1])
            for first in range(0, texts, at_once):
                yield Extent(slice(target, target + 1), slice(first, min(first + at_once, texts)), length, step)
        return
    most = min(TARGETS, max(1, ROWS_OF_TEXTS // (texts * positions[-1]))) if together and texts > 1 else TARGETS
    n = len(_runs(positions, most, rows))
    for start, end in _runs(positions, -(-len(positions) // n), rows):  # as many in each, as far as that goes
        at_once = max(1, rows // ((end - start) * positions[end - 1])) if together else 1
        length = min(-(-positions[end - 1] // step) * step, positions[-1])
        for first in range(0, texts, at_once):
            yield Extent(slice(start, end), slice(first, min(first + at_once, texts)), length, step)


def _runs(positions: Sequence[int], most: int, rows: int) -> list[tuple[int, int]]:
    """Cut targets into runs of so many at most, which all as long as the last one have so many positions at most."""
    runs, start = [], 0
    while start < len(positions):
        end = start + 1
        while end < min(len(positions), start + most) and (end + 1 - start) * positions[end] <= rows:
            end += 1
        runs.append((start, end))
        start = end
    return runs
