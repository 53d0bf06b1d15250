"""`Piece`: neighbouring targets of some texts, which go through a block at once; and how the work is cut into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .parts import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from .. import Model
    from ..chain import Steps

__all__ = ["Extent", "Piece", "cut"]

ROWS, ROWS_OF_A_GRAPH = 2_500, 750
"""How many positions go through a block's way back at once, over all texts and targets: where it is written out, and
where the graph of as many is held."""
TARGETS = 10
"""The most targets of a text at once: all are as long as the last, so that more waste more."""
LENGTHS = 32
"""How many lengths pieces have at most: tensors of many sizes leave holes in memory, and oneDNN keeps a kernel for each
shape, 0.6 MB of memory. So lengths are rounded up, by a 64th on average."""


class Extent(NamedTuple):
    """Which targets of which texts a piece has, and of how many positions: up to its last target, or a few more."""

    targets: slice
    texts: slice
    length: int


class Piece:
    """Neighbouring targets of some texts: what goes through a block at once, N = texts · targets."""

    cotangents: Tensor
    """[N, L, d] of what a block handed on, a text's targets side by side; of what the last one did [N, d], each at one
    position."""
    at: Tensor
    """Those positions, [N]."""

    def __init__(self, model: Model, embeddings: Tensor, extent: Extent) -> None:
        self._model = model
        self.targets, self.texts, self.length = extent
        self.embeddings = embeddings[self.texts, : self.length]
        """[texts, L, d]"""
        self.view = View(self.texts, self.length, self.targets.stop - self.targets.start)
        self._steps: dict[int, Steps] = {}

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


def cut(positions: Sequence[int], texts: int, *, together: bool) -> Iterator[Extent]:
    """Cut the work into runs of targets, of one text each, or where there are more texts of one target.

    `together`, where all blocks are of the usual kind, several targets may come with several texts.
    """
    rows = ROWS if together else ROWS_OF_A_GRAPH
    if texts > len(positions) and not together:
        for target, position in enumerate(positions):
            at_once, length = max(1, rows // position), _rounded(position, positions[-1])
            for first in range(0, texts, at_once):
                yield Extent(slice(target, target + 1), slice(first, min(first + at_once, texts)), length)
        return
    most = -(-len(positions) // -(-len(positions) // TARGETS))  # as many in each
    start = 0
    while start < len(positions):
        end = start + 1
        while end < min(len(positions), start + most) and (end + 1 - start) * positions[end] <= rows:
            end += 1
        at_once = max(1, rows // ((end - start) * positions[end - 1])) if together else 1
        length = _rounded(positions[end - 1], positions[-1])
        for first in range(0, texts, at_once):
            yield Extent(slice(start, end), slice(first, min(first + at_once, texts)), length)
        start = end


def _rounded(length: int, longest: int) -> int:
    """Return the length that a piece is given, of few that are up to the longest."""
    step = 1 << ((longest - 1) // LENGTHS).bit_length()
    return min(-(-length // step) * step, longest)
