"""Where the attention of one layer comes from when a figure asks for it: the layer run again, or the network up to it.

Nothing of it is kept for the life of a run but what was asked for last, up to `KEPT` bytes: the weights of all heads
of a text of 500 tokens are 270 MB in SmolLM2, and what stands in a page is made of one layer after another.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from .interface import AttentionCall, attending
from .trace import Enough, may_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from .chain import Steps

__all__ = ["KEPT", "Captured", "Note", "Recent", "from_blocks", "from_lists", "from_passes", "note"]

KEPT = 64 << 20
"""Bytes of layers that were captured last: all layers of SmolLM2 over 130 tokens, five of them over 500."""


class Captured(NamedTuple):
    """The attention of one layer."""

    weights: Tensor
    """[1, heads, Q, K]"""
    call: AttentionCall | None
    """With the vectors it comes from; None where the network's attention goes through no interface."""

    @property
    def nbytes(self) -> int:
        """What it keeps in memory; a mask is shared by layers."""
        call = self.call
        held = [self.weights] + ([call.query, call.key, call.value, call.output] if call is not None else [])
        return sum(tensor.untyped_storage().nbytes() for tensor in held)


Source = "Callable[[int], Mapping[int, Captured]]"
"""Called with the number of a layer's attention, in the order in which they run; what it returns holds that one."""


@dataclass(frozen=True)
class Note:
    """What is known of a layer's attention when nothing of it is kept."""

    module: nn.Module | None
    shape: tuple[int, ...]
    """Of the weights: [1, heads, Q, K]."""
    window: int | None
    """How many keys a query may read at most, by the mask; None where one may read all of them."""
    nbytes: int


def note(found: Captured) -> Note:
    """Return what is to be known of a layer later."""
    call = found.call
    window = None if call is None else _window(call)
    return Note(None if call is None else call.module, tuple(found.weights.shape), window, found.nbytes)


def _window(call: AttentionCall) -> int | None:
    if call.mask is None:
        return None
    allowed = call.mask[0, 0] > torch.finfo(call.mask.dtype).min / 2
    widest = int(allowed.sum(-1).max())
    return widest if widest < allowed.shape[-1] else None


class Recent:
    """Captured layers, those that were asked for last; what is not among them comes from a source again."""

    def __init__(self, source: Callable[[int], Mapping[int, Captured]]) -> None:
        self._source = source
        self._kept: OrderedDict[int, Captured] = OrderedDict()

    def __getitem__(self, number: int) -> Captured:
        if number not in self._kept:
            self.keep(self._source(number))
        self._kept.move_to_end(number)
        return self._kept[number]

    def keep(self, found: Mapping[int, Captured]) -> None:
        """Take layers in, and let go of the oldest ones where all together are too large."""
        self._kept |= found
        size = sum(captured.nbytes for captured in self._kept.values())
        while size > KEPT and len(self._kept) > len(found):
            size -= self._kept.popitem(last=False)[1].nbytes


@contextlib.contextmanager
def _recording(network: nn.Module, wanted: Callable[[int], bool], last: int | None) -> Iterator[dict[int, Captured]]:
    """Within: the calls of attention by their number, those that are wanted; after the last one the pass is left."""
    found: dict[int, Captured] = {}
    count = iter(range(1 << 62))

    def record(call: AttentionCall) -> None:
        number = next(count)
        if wanted(number):
            call.proceed()
            found[number] = Captured(call.weights, call)
        if number == last:
            raise Enough

    with attending(network, record), contextlib.suppress(Enough), torch.no_grad():
        yield found


def from_blocks(network: nn.Module, steps: Steps, stream: Tensor, layers: Sequence[int]) -> Any:
    """Return a source that runs a block again on what entered it, and leaves it when it has attended.

    `stream` [n_layers + 1, T, d] is what entered each block, `layers` are those that attend. Of SmolLM2's blocks what
    attends is a quarter of the work.
    """
    last = 0 if may_stop(network) else None

    def capture(number: int) -> dict[int, Captured]:
        with _recording(network, lambda _: True, last) as found:
            steps.block(layers[number], stream[layers[number]][None])
        return {number: found[0]} if found else {}

    return capture


def from_passes(network: nn.Module, forward: Callable[[], Any], notes: Sequence[Note]) -> Any:
    """Return a source that runs a network up to the layer that is asked for, and to those after it that fit `KEPT`."""
    stops = may_stop(network)

    def capture(number: int) -> dict[int, Captured]:
        wanted = set(_fitting(number, notes))
        with _recording(network, wanted.__contains__, max(wanted) if stops else None) as found:
            forward()
        return found

    return capture


def from_lists(forward: Callable[[], Iterable[Tensor]], notes: Sequence[Note]) -> Any:
    """Return a source of weights alone: `forward` returns those of all layers, as transformers lists them."""

    def capture(number: int) -> dict[int, Captured]:
        with torch.no_grad():
            listed = list(forward())
        return {at: Captured(listed[at], None) for at in _fitting(number, notes)}

    return capture


def _fitting(number: int, notes: Sequence[Note]) -> Iterator[int]:
    """Yield a layer, and the ones after it that can be kept beside it."""
    size = 0
    for at in range(number, len(notes)):
        size += notes[at].nbytes
        if size > KEPT and at > number:
            return
        yield at
