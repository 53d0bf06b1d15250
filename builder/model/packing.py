"""Attention as pages get it: eight bits a weight, the layer shown first at once, each other one when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BuildError
from ..figure import Check
from ..quantised import pack_weights, unpack_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from . import AnyRun
    from .attention import Attention, AttentionPart

__all__ = [
    "attention_checks",
    "attention_data",
    "choose_layer",
    "head_number",
    "pack_layer",
    "piece_name",
    "prove_layer",
]


class Proof(NamedTuple):
    """How far a layer's attention is from what it must be."""

    sums: float
    """Of rows from 1; 0 where a part of them goes to a place that is no token."""
    later: float
    """The largest weight on a later token, of a causal part."""
    softmax: float
    """Of softmax(scale · q·kᵀ + bias) from the weights; 0 where queries and keys are not captured."""


def attention_data(
    run: AnyRun,
    part: str | None = None,
    layer: int | None = None,
    layers: Mapping[str, Sequence[int]] | None = None,
) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]], dict[str, Check]]:
    """Return what every figure of attention publishes: data, pieces and checks.

    The data hold `tokens`, the `parts` of the model's attention, which of them is `shown` first, and the `weights` of
    that layer; each other layer of each part is a piece, `self-3`. `layer` counts from the end where it is negative,
    and is the middle one by default. `layers` are those that are published of each part, all unless given.

    Raises `BuildError` for a model without attention, and for a part or a layer that it has not.
    """
    attention = run.attention
    first = attention.part(part)
    number = choose_layer(first, layer)
    pieces: dict[str, Mapping[str, Any]] = {}
    shown: dict[str, Any] = {}
    apart = 0.0
    for name, found in attention.parts.items():
        for each in found.layers if layers is None else layers[name]:
            prove_layer(attention, name, each)  # while it is captured
            packed, error = pack_layer(attention, name, each)
            apart = max(apart, error)
            if (name, each) == (first.name, number):
                shown = packed
            else:
                pieces[piece_name(name, each)] = {"weights": packed}
    data = {
        "tokens": run.tokens,
        "parts": {name: _published(found) for name, found in attention.parts.items()},
        "shown": {"part": first.name, "layer": number},
        "weights": shown,
    }
    checks = attention_checks(run, layers)
    # half a step, and what float32 rounds
    checks["weights as published against the computed"] = Check(apart, 0.5 / 255 + 1e-4)
    return data, pieces, checks


def pack_layer(attention: Attention, part: str, layer: int) -> tuple[dict[str, Any], float]:
    """Return a layer's weights packed, and how far they are from the computed; figures of one run share them."""
    key = ("packed", part, layer)
    if key not in attention.shared:
        weights = attention.weights(part, layer).cpu().numpy()
        packed = pack_weights(weights, triangle=attention.parts[part].causal)
        attention.shared[key] = packed, float(abs(unpack_weights(packed) - weights).max())
    return attention.shared[key]  # type: ignore[no-any-return]


def prove_layer(attention: Attention, part: str, layer: int) -> Proof:
    """Return how far a layer is from what it must be; figures of one run share it."""
    key = ("proof", part, layer)
    if key not in attention.shared:
        weights = attention.weights(part, layer)
        found = attention.heads(part, layer) if attention.has_vectors else None
        whole = found is None or found.sinks is None  # what goes to a place that is no token is missing from the sum
        attention.shared[key] = Proof(
            float((weights.sum(-1) - 1).abs().max()) if whole else 0.0,
            float(weights.triu(1).max()) if attention.parts[part].causal else 0.0,
            float((found.weights - weights).abs().max()) if found is not None else 0.0,
        )
    return attention.shared[key]  # type: ignore[no-any-return]


def piece_name(part: str, layer: int) -> str:
    """Return the name of the piece that holds a layer's weights."""
    return f"{part}-{layer}"


def choose_layer(part: AttentionPart, layer: int | None) -> int:
    """Return the number of a layer that a part has; a negative one counts from the end, None is the middle one.

    Raises `BuildError` for one that is not there.
    """
    layers = part.layers
    if layer is None:
        return layers[len(layers) // 2]
    number = layer + layers[-1] + 1 if layer < 0 else layer
    if number not in layers:
        gaps = "" if len(layers) == layers[-1] - layers[0] + 1 else f"; those with attention are {_few(layers)}"
        nearest = min(layers, key=lambda known: abs(known - number))
        raise BuildError(
            f"invalid layer: {layer} is not between {layers[0]} and {layers[-1]}{gaps} (did you mean {nearest}?)"
        )
    return number


def head_number(part: AttentionPart, head: int, name: str) -> int:
    """Return the number of a head, which counts from the end where it is negative.

    Raises `BuildError` for a head that is not there; `name` is the parameter's that asked for it.
    """
    number = head + part.n_heads if head < 0 else head
    if not 0 <= number < part.n_heads:
        nearest = min(max(number, 0), part.n_heads - 1)
        last = part.n_heads - 1
        raise BuildError(f"invalid {name}: {head} is not between 0 and {last} (did you mean {nearest}?)")
    return number


def attention_checks(run: AnyRun, layers: Mapping[str, Sequence[int]] | None = None) -> dict[str, Check]:
    """Return what proves the captured attention, of some layers of each part or of all.

    Rows sum to 1; nothing in a causal part is attended to that comes later; and softmax(scale · q·kᵀ + bias) of the
    captured queries and keys is the weights, where the model lets them be captured.
    """
    from .precision import tolerance

    attention: Attention = run.attention
    bound = tolerance(run.model.network.dtype, 1e-5)
    wanted = {name: part.layers for name, part in attention.parts.items()} if layers is None else layers
    proofs = [prove_layer(attention, name, layer) for name, numbers in wanted.items() for layer in numbers]
    sums, later, apart = map(max, zip(*proofs, strict=True))
    checks = {"rows of attention against 1": Check(sums, bound)}
    if any(part.causal for part in attention.parts.values()):
        checks["attention to later tokens"] = Check(later, 0.0)
    if attention.has_vectors:
        checks["softmax of scaled q·k against the weights"] = Check(apart, bound)
    return checks


def _published(part: AttentionPart) -> dict[str, Any]:
    return {
        "queries": list(part.queries),
        "keys": list(part.keys),
        "causal": part.causal,
        "layers": list(part.layers),
        "n_heads": part.n_heads,
        "windows": list(part.windows),
    }


def _few(layers: tuple[int, ...]) -> str:
    return ", ".join(map(str, layers[:8])) + (" …" if len(layers) > 8 else "")
