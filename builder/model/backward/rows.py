"""`Rows`: the cotangents of a piece of the work without those that are 0, so that products are of what there is.

From its own position on a target's cotangents are 0 in a causal model. Rows come position by position. Up to where the
first target ends they are of all targets, and lie in one block: [texts, full, copies, d]. Behind it is the tail, in
which each position has rows of the targets that go further: [texts, tail, d]. `split` takes rows [n, d] apart into the
two, `spread` what is known of positions, and whatever is done row by row is done to each of them.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from .scratch import Scratch

__all__ = ["Rows", "Single", "Spread"]


class Spread(Protocol):
    """How rows belong to positions of texts."""

    def split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """[n, ...] → views of it."""
        ...

    def spread(self, known: Tensor, scratch: Scratch, name: str) -> tuple[Tensor, ...]:
        """What is known of positions [A, L, d] → tensors that can be multiplied with those views.

        They are read before the memory of that name is asked for again.
        """
        ...


class Single:
    """One row of each target: that of the position `at` [N] of the text `texts` [N]."""

    def __init__(self, texts: Tensor, at: Tensor) -> None:
        self._texts, self._at = texts, at

    def split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """[N, ...] as it is."""
        return (rows,)

    def spread(self, known: Tensor, scratch: Scratch, name: str) -> tuple[Tensor, ...]:  # noqa: ARG002
        """[A, L, d] → [N, d]"""
        return (known[self._texts, self._at],)


class Share(NamedTuple):
    """Some of what was found, of which positions it is, and where it belongs."""

    found: Tensor
    """[texts, positions, ...]"""
    positions: slice | Tensor
    into: Tensor


class _Within(NamedTuple):
    """Which rows some neighbouring positions have."""

    n: int
    """How many of these positions, the first ones, have rows of all targets."""
    which: slice
    """The rows of the tail that the others have; their positions, as such and among these, and their copies."""
    at: Tensor
    place: Tensor
    of: Tensor


class Rows:
    """Rows of `n_texts` texts, each with `copies`, one for each target; a text's `length` is as long as the longest."""

    def __init__(
        self, texts: slice, n_texts: int, length: int, ends: Sequence[int], device: torch.device, step: int = 1
    ) -> None:
        """Take at which positions the targets end, ascending.

        The number of a text's rows is rounded up to `copies` times so many, by rows of nothing: products are of few
        sizes then.
        """
        self.texts, self.n_texts, self.length, self.copies = texts, n_texts, length, len(ends)
        self.full = ends[0]
        """How many positions have rows of all targets."""
        tail = [(at, copy) for at in range(self.full, ends[-1]) for copy, end in enumerate(ends) if end > at]
        self._begins = [0, *accumulate(sum(end > at for end in ends) for at in range(self.full, length))]
        n, unit = self.full * self.copies + len(tail), self.copies * step
        self._real = len(tail)
        self._tail = len(tail) + min(-n % unit, self.copies * length - n)
        padded = [*tail, *[(0, 0)] * (self._tail - self._real)]
        self._known: dict[tuple[int, int], _Within] = {}
        self._at, self._of = torch.tensor(padded, dtype=torch.long, device=device).view(-1, 2).unbind(1)

    @property
    def n(self) -> int:
        """How many rows there are."""
        return self.n_texts * (self.full * self.copies + self._tail)

    def split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """[n, ...] → [texts, full, copies, ...] and, where there is one, the tail [texts, tail, ...]."""
        end = self.n_texts * self.full * self.copies
        block = rows[:end].view(self.n_texts, self.full, self.copies, *rows.shape[1:])
        if not self._tail:
            return (block,)
        return block, rows[end:].view(self.n_texts, self._tail, *rows.shape[1:])

    def spread(self, known: Tensor, scratch: Scratch, name: str) -> tuple[Tensor, ...]:
        """[A, L, d] → [texts, full, 1, d] and [texts, tail, d]."""
        seen = known[self.texts]
        block = seen[:, : self.full, None]
        if not self._tail:
            return (block,)
        room = scratch.take(name, seen, self.n_texts, self._tail, seen.shape[-1])
        return block, torch.index_select(seen, 1, self._at, out=room)

    def read(self, parts: Sequence[Tensor], positions: slice, into: Tensor) -> None:
        """Write the rows of neighbouring positions `into` [texts, positions, copies, ...], 0 where there are none."""
        n, which, _, place, of = self._within(positions.start, positions.stop)
        if n:
            into[:, :n].copy_(parts[0][:, positions.start : positions.start + n])
        if n < positions.stop - positions.start:
            into[:, n:].zero_()
            if which.stop > which.start:
                into[:, place, of] = parts[1][:, which]

    def write(self, found: Tensor, positions: slice, parts: Sequence[Tensor]) -> Iterator[Share]:
        """Yield what there are rows of, for each of the parts, of what was found [texts, positions, copies, ...]."""
        n, which, at, place, of = self._within(positions.start, positions.stop)
        if n:
            here = slice(positions.start, positions.start + n)
            yield Share(found[:, :n], here, parts[0][:, here])
        if which.stop > which.start:
            yield Share(found[:, place, of], at, parts[1][:, which])

    def clear(self, parts: Sequence[Tensor]) -> None:
        """Set the rows of nothing to 0."""
        if self._tail > self._real:
            parts[1][:, self._real :].zero_()

    def pack(self, whole: Tensor) -> Tensor:
        """[texts · copies, length, d] → rows [n, d]."""
        rows = whole.new_empty(self.n, whole.shape[-1])
        parts = self.split(rows)
        apart = whole.view(self.n_texts, self.copies, *whole.shape[1:]).transpose(1, 2)
        for share in self.write(apart, slice(0, self.length), parts):
            share.into.copy_(share.found)
        self.clear(parts)
        return rows

    def unpack(self, rows: Tensor) -> Tensor:
        """Rows [n, d] → [texts · copies, length, d]."""
        whole = rows.new_empty(self.n_texts, self.copies, self.length, rows.shape[-1])
        self.read(self.split(rows), slice(0, self.length), whole.transpose(1, 2))
        return whole.flatten(0, 1)

    def _within(self, start: int, stop: int) -> _Within:
        """Return which rows neighbouring positions have; each block of the model asks for the same ones."""
        if (start, stop) not in self._known:
            which = slice(*(self._begins[max(0, place - self.full)] for place in (start, stop)))
            at = self._at[which]
            self._known[start, stop] = _Within(
                max(0, min(stop, self.full) - start), which, at, at - start, self._of[which]
            )
        return self._known[start, stop]
