"""Attention as pages get it: eight bits a weight, the layer shown first at once, each other one when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BuildError
from ..figure import Check
from ..quantised import pack_weights, unpack_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from . import AnyRun
    from .attention import Attention, AttentionPart

__all__ = ["attention_checks", "attention_data", "choose_layer", "head_number", "piece_name"]


def attention_data(
    run: AnyRun, part: str | None = None, layer: int | None = None
) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]], dict[str, Check]]:
    """Return what every figure of attention publishes: data, pieces and checks.

    The data hold `tokens`, the `parts` of the model's attention, which of them is `shown` first, and the `weights` of
    that layer; each other layer of each part is a piece, `self-3`. `layer` counts from the end where it is negative,
    and is the middle one by default.

    Raises `BuildError` for a model without attention, and for a part or a layer that it has not.
    """
    attention = run.attention
    first = attention.part(part)
    number = choose_layer(first, layer)
    pieces: dict[str, Mapping[str, Any]] = {}
    shown: dict[str, Any] = {}
    apart = 0.0
    for name, found in attention.parts.items():
        for each in found.layers:
            weights = attention.weights(name, each).cpu().numpy()
            packed = pack_weights(weights, triangle=found.causal)
            apart = max(apart, float(abs(unpack_weights(packed) - weights).max()))
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
    checks = attention_checks(run)
    # half a step, and what float32 rounds
    checks["weights as published against the computed"] = Check(apart, 0.5 / 255 + 1e-4)
    return data, pieces, checks


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


def head_number(part: AttentionPart, head: int, name: str = "heads") -> int:
    """Return the number of a head, which counts from the end where it is negative.

    Raises `BuildError` for a head that is not there; `name` is the parameter's that asked for it.
    """
    number = head + part.n_heads if head < 0 else head
    if not 0 <= number < part.n_heads:
        nearest = min(max(number, 0), part.n_heads - 1)
        last = part.n_heads - 1
        raise BuildError(f"invalid {name}: {head} is not between 0 and {last} (did you mean {nearest}?)")
    return number


def attention_checks(run: AnyRun) -> dict[str, Check]:
    """Return what proves the captured attention.

    Rows sum to 1; nothing in a causal part is attended to that comes later; and softmax(scale · q·kᵀ + bias) of the
    captured queries and keys is the weights, where the model lets them be captured.
    """
    import torch

    attention: Attention = run.attention
    eps = torch.finfo(run.model.network.dtype).eps
    tolerance = 1e-5 if eps < 1e-6 else eps**0.5  # half of the digits of a short format
    sums = later = apart = 0.0
    for name, part in attention.parts.items():
        for layer in part.layers:
            weights = attention.weights(name, layer)
            found = attention.heads(name, layer) if attention.has_vectors else None
            if found is None or found.sinks is None:  # what goes to a place that is no token is missing from the sum
                sums = max(sums, float((weights.sum(-1) - 1).abs().max()))
            if part.causal:
                later = max(later, float(weights.triu(1).max()))
            if found is not None:
                apart = max(apart, float((found.weights - weights).abs().max()))
    checks = {"rows of attention against 1": Check(sums, tolerance)}
    if any(part.causal for part in attention.parts.values()):
        checks["attention to later tokens"] = Check(later, 0.0)
    if attention.has_vectors:
        checks["softmax of scaled q·k against the weights"] = Check(apart, tolerance)
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
