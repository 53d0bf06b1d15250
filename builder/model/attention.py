"""`Attention`: who looks at whom in a text, in every layer and head, and the vectors that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import BuildError, nearest
from .capture import Captured, Recent, from_blocks, from_lists, from_passes, note
from .head_vectors import read_heads
from .interface import AttentionCall, attending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .capture import Note
    from .chain import Steps
    from .head_vectors import HeadVectors

__all__ = ["Attention", "AttentionPart", "read_attention", "read_chain"]

LISTS = {
    "self": "attentions",
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}
"""Parts, and what transformers' outputs call them."""


@dataclass(frozen=True)
class AttentionPart:
    """One kind of attention of a model: `self` where it has only one, else `encoder`, `decoder` and `cross`.

    `queries` and `keys` are ranges of the run's tokens, end exclusive: those that attend, and those attended to.
    `layers` are the numbers of those of its `n_layers` layers that have it; a mixed model has gaps. `windows` say of
    each of them how many tokens a token sees at most, itself included; None where it sees all.
    """

    name: str
    queries: tuple[int, int]
    keys: tuple[int, int]
    causal: bool
    layers: tuple[int, ...]
    n_layers: int
    n_heads: int
    windows: tuple[int | None, ...]


class Attention:
    """All attention of one text. What a layer attends with is captured when it is asked for, and not kept for long.

    attention = run.attention
    attention.weights("self", 5)[2, 7]       # what the token at position 7 looks at, in head 2 of layer 5
    attention.heads("self", 5).query[2, 7]   # the query it looks with

    Whoever goes over all layers takes all it needs of one before it asks for the next.
    """

    def __init__(
        self,
        name: str,
        notes: Mapping[str, Mapping[int, tuple[int, Note]]],
        places: Mapping[str, tuple[tuple[int, int], tuple[int, int]]],
        recent: Recent,
        *,
        causal: bool,
        n_layers: int = 0,
    ) -> None:
        """Take for each part, and in it for each layer, the number under which `recent` has it, and what is known.

        `n_layers` is how many layers a decoder has, where some of the last ones have no attention.
        """
        self._name = name
        self._notes = notes
        self._recent = recent
        self.shared: dict[Any, Any] = {}
        """Small answers about it that several figures ask for, by whatever tells them apart."""
        self.parts: dict[str, AttentionPart] = {}
        for part, found in notes.items():
            queries, keys = places[part]
            is_causal = causal and part in ("self", "decoder")
            windows = tuple(note.window for _, note in found.values())
            n_heads = next(iter(found.values()))[1].shape[1]
            count = max(n_layers, max(found) + 1)
            self.parts[part] = AttentionPart(part, queries, keys, is_causal, tuple(found), count, n_heads, windows)

    def part(self, name: str | None = None) -> AttentionPart:
        """Return the part of that name, by default the one that writes: `self`, `cross` of an encoder-decoder.

        Raises `BuildError` for one that the model has not.
        """
        if name is None:
            return self.parts["self" if "self" in self.parts else "cross"]
        if name not in self.parts:
            raise BuildError(
                f"unknown part: {name}: model {self._name} has {', '.join(self.parts)}{nearest(name, self.parts)}"
            )
        return self.parts[name]

    def weights(self, part: str, layer: int) -> Tensor:
        """Return the attention weights of a layer, [heads, Q, K] float32; each row sums to 1."""
        return self._recent[self._notes[part][layer][0]].weights[0].float()

    @property
    def has_vectors(self) -> bool:
        """Whether queries, keys and values can be captured."""
        return all(note.module is not None for found in self._notes.values() for _, note in found.values())

    def heads(self, part: str, layer: int) -> HeadVectors:
        """Return the queries, keys and values of a layer.

        Raises `BuildError` where the model's attention does not go through transformers' interface.
        """
        call = self._recent[self._notes[part][layer][0]].call if self.has_vectors else None
        if call is None:
            raise BuildError(
                f"unsupported model: the queries and keys of {self._name} cannot be captured: its attention does not "
                "go through transformers' attention interface"
            )
        return read_heads(call)

    def module(self, part: str, layer: int) -> torch.nn.Module | None:
        """Return the network's attention module of a layer; None where it could not be captured."""
        return self._notes[part][layer][1].module


@torch.no_grad()
def read_attention(
    name: str,
    network: torch.nn.Module,
    forward: Callable[..., Any],
    places: Mapping[str, tuple[tuple[int, int], tuple[int, int]]],
    *,
    causal: bool,
    n_layers: int = 0,
) -> Attention:
    """Run `forward(output_attentions=True)`, and return what was attended to; layers come from passes of their own.

    `name` is the model's, for messages; `places` are the ranges of tokens that attend and are attended to, by part;
    `n_layers` is how many layers a decoder has.
    Raises `BuildError` for a network that has no attention to be read.
    """
    notes: list[Note] = []
    weights: list[Tensor] = []

    def record(call: AttentionCall) -> None:
        call.proceed()
        notes.append(note(Captured(call.weights, call)))
        weights.append(call.weights)

    output = None
    try:
        with attending(network, record):
            output = forward(output_attentions=True)
    except (LookupError, TypeError, ValueError):  # an attention of its own that knows no other name than its own
        weights.clear()
    listed = _listed(output, places)
    if output is None or not weights or sum(map(len, listed.values())) != len(weights):
        weights.clear()
        listed = _listed(forward(output_attentions=True), places)
    if not listed:
        raise _nothing(name, network)
    found = _sorted(weights, listed)
    if found:
        numbers = {part: _numbers([notes[at].module for at in own]) for part, own in found.items()}
        by_layer = {
            part: {layer: (at, notes[at]) for layer, at in zip(numbers[part], own, strict=True)}
            for part, own in found.items()
        }
        recent = Recent(from_passes(network, forward, notes))
        known = by_layer["self"].values() if "self" in by_layer else ()
        own = [getattr(note.module, "layer_idx", None) for _, note in known]
        counted = n_layers if own == numbers.get("self") else 0
        return Attention(name, by_layer, places, recent, causal=causal, n_layers=counted)
    notes = [note(Captured(weights, None)) for own in listed.values() for weights in own]
    count = iter(range(len(notes)))
    by_layer = {
        part: {layer: (at, notes[at]) for layer, at in zip(range(len(own)), count, strict=False)}
        for part, own in listed.items()
    }

    def in_a_row() -> list[Tensor]:
        return [each for own in _listed(forward(output_attentions=True), places).values() for each in own]

    return Attention(name, by_layer, places, Recent(from_lists(in_a_row, notes)), causal=causal)


def read_chain(
    name: str,
    network: torch.nn.Module,
    steps: Steps,
    stream: Tensor,
    layers: Sequence[int],
    known: Mapping[int, Captured],
) -> Attention | None:
    """Return the attention of a decoder whose blocks are a chain; None where it does not go through the interface.

    `stream` [n_layers + 1, T, d] is what entered each block and what the last handed on, `layers` those that attend,
    `known` what is there already of them, by their number.
    """
    recent = Recent(from_blocks(network, steps, stream, layers))
    recent.keep(known)
    notes = []
    for number in range(len(layers)):
        try:
            notes.append(note(recent[number]))
        except (LookupError, TypeError, ValueError):  # an attention of its own, here or in some layers
            return None
    if not notes:
        return None
    numbers = _numbers([note.module for note in notes])
    whole = (0, stream.shape[1])
    by_layer = {"self": {layer: (at, notes[at]) for at, layer in enumerate(numbers)}}
    n_layers = len(stream) - 1 if numbers == [*layers] else 0
    return Attention(name, by_layer, {"self": (whole, whole)}, recent, causal=True, n_layers=n_layers)


def _nothing(name: str, network: torch.nn.Module) -> BuildError:
    kind = type(network).__name__
    return BuildError(f"unsupported model: {name} ({kind}) has no attention weights: there is nothing to look at")


def _listed(output: Any, places: Mapping[str, tuple[tuple[int, int], tuple[int, int]]]) -> dict[str, list[Tensor]]:
    """Return the attention weights that transformers hands out, by part."""
    found = {}
    for part, spans in places.items():
        queries, keys = (end - start for start, end in spans)
        given = getattr(output, LISTS[part], None) or ()
        weights = [w for w in given if _are_weights(w, queries, keys)]
        if weights:
            found[part] = weights
    return found


def _are_weights(given: Any, queries: int, keys: int) -> bool:
    """Whether something listed says who looks at whom: a layer that is linear in its keys lists the state it is in."""
    if not isinstance(given, Tensor) or given.dim() != 4 or given.shape[-2:] != (queries, keys):
        return False
    return bool((given >= 0).all())


def _sorted(weights: Sequence[Tensor], listed: Mapping[str, Sequence[Tensor]]) -> dict[str, list[int]]:
    """Return which of the captured weights are each part's, in the order listed there; none where one is nobody's."""
    rest = {part: list(found) for part, found in listed.items()}
    found: dict[str, list[int]] = {part: [] for part in listed} if weights else {}
    for number, own in enumerate(weights):
        for part, expected in rest.items():
            if expected and expected[0].shape == own.shape and torch.equal(expected[0], own.to(expected[0].device)):
                expected.pop(0)
                found[part].append(number)
                break
        else:
            return {}
    return found


def _numbers(modules: Sequence[Any]) -> list[int]:
    """Return the layers' numbers by the modules' own count; their order where they keep none, or share one module."""
    own = [getattr(module, "layer_idx", None) for module in modules]
    numbers = [number for number in own if isinstance(number, int)]
    whole = len(numbers) == len(modules) and all(a < b for a, b in pairwise(numbers))
    return numbers if whole else list(range(len(modules)))
