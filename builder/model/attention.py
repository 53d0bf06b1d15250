"""`Attention`: who looks at whom in a text, in every layer and head, and the vectors that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from ..errors import BuildError, nearest
from .interface import Call, attending
from .placement import present

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Attention", "AttentionPart", "HeadVectors", "read_attention"]

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
    `layers` are the numbers of the layers that have it; a mixed model has gaps. `windows` say of each of them how many
    tokens a token sees at most, itself included; None where it sees all.
    """

    name: str
    queries: tuple[int, int]
    keys: tuple[int, int]
    causal: bool
    layers: tuple[int, ...]
    n_heads: int
    windows: tuple[int | None, ...]


class HeadVectors(NamedTuple):
    """What a layer's heads attend with. Grouped heads share keys and values; here each has its own copy of them."""

    query: Tensor
    """[heads, Q, d_head] float32, as the attention function gets them: rotated, normed."""
    key: Tensor
    """[heads, K, d_head] float32"""
    value: Tensor
    """[heads, K, d_value] float32"""
    output: Tensor
    """[heads, Q, d_value] float32: weights @ value, before the output projection."""
    scale: float
    """What q·k is multiplied with."""
    softcap: float | None
    """Where the model has one: scores go through softcap · tanh(score / softcap) before the bias is added."""
    bias: Tensor
    """[1 or heads, Q, K] float32, added to the scores: 0, position biases (T5), the lowest of numbers where masked."""
    sinks: Tensor | None
    """[heads] float32, or None: the score of a place that is no token and takes attention too (gpt-oss)."""
    n_kv_heads: int

    @property
    def scores(self) -> Tensor:
        """[heads, Q, K]: what the softmax is taken of."""
        scores = self.query @ self.key.mT * self.scale
        if self.softcap is not None:
            scores = self.softcap * (scores / self.softcap).tanh()
        return scores + self.bias

    @property
    def weights(self) -> Tensor:
        """[heads, Q, K]: softmax(scale · q·kᵀ + bias), the attention that these vectors give."""
        scores = self.scores
        if self.sinks is None:
            return scores.softmax(-1)
        sinks = self.sinks[:, None, None].expand(-1, scores.shape[1], 1)
        return torch.cat([scores, sinks], -1).softmax(-1)[..., :-1]


class Attention:
    """All attention of one text, captured in one forward pass.

    attention = run.attention
    attention.weights("self", 5)[2, 7]       # what the token at position 7 looks at, in head 2 of layer 5
    attention.heads("self", 5).query[2, 7]   # the query it looks with
    """

    def __init__(
        self,
        name: str,
        weights: Mapping[str, Sequence[Tensor]],
        calls: Mapping[str, Sequence[Call]],
        places: Mapping[str, tuple[tuple[int, int], tuple[int, int]]],
        *,
        causal: bool,
    ) -> None:
        self._name = name
        self._calls = {part: dict(zip(_numbers(found), found, strict=True)) for part, found in calls.items()}
        self._weights: dict[str, dict[int, Tensor]] = {}
        self.parts: dict[str, AttentionPart] = {}
        for part, found in weights.items():
            called = self._calls.get(part)
            layers = tuple(called) if called else tuple(range(len(found)))
            queries, keys = places[part]
            self._weights[part] = dict(zip(layers, found, strict=True))
            windows = tuple(_window(called[layer]) if called else None for layer in layers)
            is_causal = causal and part in ("self", "decoder")
            self.parts[part] = AttentionPart(part, queries, keys, is_causal, layers, found[0].shape[1], windows)

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
        return self._weights[part][layer][0].float()

    @property
    def has_vectors(self) -> bool:
        """Whether queries, keys and values could be captured."""
        return bool(self._calls)

    def heads(self, part: str, layer: int) -> HeadVectors:
        """Return the queries, keys and values of a layer.

        Raises `BuildError` where the model's attention does not go through transformers' interface.
        """
        if not self.has_vectors:
            raise BuildError(
                f"unsupported model: the queries and keys of {self._name} cannot be captured: its attention does not "
                "go through transformers' attention interface"
            )
        call = self._calls[part][layer]
        module, options = call.module, call.options
        query = call.query[0].float()
        groups = query.shape[0] // call.key.shape[1]
        scaling, softcap = options.get("scaling"), options.get("softcap")
        bias = torch.zeros(1, 1, 1, 1, device=query.device)
        for added in (call.mask, options.get("position_bias")):
            bias = bias if added is None else bias + added.float()
        with present(module):
            sinks = getattr(module, "sinks", None)
        return HeadVectors(
            query=query,
            key=call.key[0].float().repeat_interleave(groups, 0),
            value=call.value[0].float().repeat_interleave(groups, 0),
            output=call.output[0].float().transpose(0, 1),
            scale=float(scaling) if scaling is not None else query.shape[-1] ** -0.5,
            softcap=float(softcap) if softcap else None,
            bias=bias[0].expand(-1, query.shape[1], call.key.shape[2]),
            sinks=sinks.detach().float() if isinstance(sinks, Tensor) else None,
            n_kv_heads=call.key.shape[1],
        )

    def module(self, part: str, layer: int) -> torch.nn.Module | None:
        """Return the network's attention module of a layer; None where it could not be captured."""
        return self._calls[part][layer].module if self.has_vectors else None


@torch.no_grad()
def read_attention(
    name: str,
    network: torch.nn.Module,
    forward: Callable[[], Any],
    places: Mapping[str, tuple[tuple[int, int], tuple[int, int]]],
    *,
    causal: bool,
) -> Attention:
    """Run `forward()`, which returns transformers' output with its attentions, and return what was attended to.

    `name` is the model's, for messages; `places` are the ranges of tokens that attend and are attended to, by part.
    Raises `BuildError` for a network that has no attention to be read.
    """
    calls: list[Call] = []

    def record(call: Call) -> None:
        call.proceed()
        calls.append(call)

    output = None
    try:
        with attending(network, record):
            output = forward()
    except (LookupError, TypeError, ValueError):  # an attention of its own that knows no other name than its own
        calls.clear()
    listed = _listed(output, places)
    if output is None or not calls or sum(map(len, listed.values())) != len(calls):
        calls.clear()
        listed = _listed(forward(), places)
    if not listed:
        kind = type(network).__name__
        raise BuildError(f"unsupported model: {name} ({kind}) has no attention weights: there is nothing to look at")
    return Attention(name, listed, _sorted(calls, listed), places, causal=causal)


def _listed(output: Any, places: Mapping[str, Any]) -> dict[str, list[Tensor]]:
    """Return the attention weights that transformers hands out, by part."""
    found = {}
    for part in places:
        given = getattr(output, LISTS[part], None) or ()
        weights = [w for w in given if isinstance(w, Tensor) and w.dim() == 4]
        if weights:
            found[part] = weights
    return found


def _sorted(calls: Sequence[Call], listed: Mapping[str, Sequence[Tensor]]) -> dict[str, list[Call]]:
    """Return the calls by part, in the order of the weights listed there; none where one of them cannot be told."""
    rest = {part: list(found) for part, found in listed.items()}
    found: dict[str, list[Call]] = {part: [] for part in listed} if calls else {}
    for call in calls:
        for part, expected in rest.items():
            if expected and expected[0].shape == call.weights.shape and torch.equal(expected[0], call.weights):
                expected.pop(0)
                found[part].append(call)
                break
        else:
            return {}
    return found


def _numbers(calls: Sequence[Call]) -> list[int]:
    """Return the layers' numbers by the modules' own count; their order where they keep none, or share one module."""
    own = [getattr(call.module, "layer_idx", None) for call in calls]
    numbers = [number for number in own if isinstance(number, int)]
    whole = len(numbers) == len(calls) and all(a < b for a, b in pairwise(numbers))
    return numbers if whole else list(range(len(calls)))


def _window(call: Call) -> int | None:
    """Return how many keys a query may read at most, by the mask; None where one may read all of them."""
    if call.mask is None:
        return None
    allowed = call.mask[0, 0] > torch.finfo(call.mask.dtype).min / 2
    widest = int(allowed.sum(-1).max())
    return widest if widest < allowed.shape[-1] else None
