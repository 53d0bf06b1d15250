"""Which parts, layers, heads and tokens of a model are built into a figure, and which are shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from builder import ranges
from builder.errors import BuildError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.model.attention import Attention, AttentionPart

    from .analysis import Params

__all__ = ["Built", "choose"]

T = TypeVar("T")


class Built(NamedTuple):
    """What is built, by part: layers and heads, the first of each shown at first; and the token that looks then."""

    layers: dict[str, list[int]]
    heads: dict[str, list[int]]
    part: str
    token: int


def choose(attention: Attention, params: Params, model: str) -> Built:
    """Return what `params` ask for: of the part that is named, or of all parts.

    Raises `BuildError`, with all that is wrong at once, for a part, a layer, a head or a token that is not there.
    """
    shown = attention.part(params.part)
    others = [] if params.part is not None else [part for part in attention.parts.values() if part is not shown]
    problems: list[Problem] = []

    def of(find: Callable[[], T], otherwise: T) -> T:
        try:
            return find()
        except BuildError as error:
            problems.extend(error.problems)
            return otherwise

    nothing: list[int] = []
    layers = {shown.name: of(lambda: _layers(shown, params, model), nothing)}
    heads = {shown.name: of(lambda: ranges.choose(params.heads or ("all",), shown.n_heads, model, "head"), nothing)}
    token = of(lambda: _token(shown, params.token), 0)
    if problems:
        raise BuildError(problems=problems)
    for part in others:  # of these, what there is of it
        found = [layer for layer in layers[shown.name] if layer in part.layers]
        layers[part.name] = found or [part.layers[len(part.layers) // 2]]
        heads[part.name] = [head for head in heads[shown.name] if head < part.n_heads] or [0]
    return Built(layers, heads, shown.name, token)


def _layers(part: AttentionPart, params: Params, model: str) -> list[int]:
    """Return the layers of a part that are meant, each once: the middle one where none is named.

    Of a range those that have attention; one that is named by itself and has none is a mistake.
    """
    from builder.model.packing import choose_layer

    named = [] if params.layer is None and params.layers else [choose_layer(part, params.layer)]
    for entry in params.layers:
        found = ranges.choose([entry], part.n_layers, model)
        named += [choose_layer(part, layer) for layer in found if layer in part.layers or len(found) == 1]
    return list(dict.fromkeys(named))


def _token(part: AttentionPart, token: int | None) -> int:
    """Return the position of the token that looks at first: the last one unless given; −1 is the last."""
    start, end = part.queries
    number = end - 1 if token is None else token + end if token < 0 else token
    if not start <= number < end:
        nearest = min(max(number, start), end - 1)
        raise BuildError(f"invalid token: {token} is not between {start} and {end - 1} (did you mean {nearest}?)")
    return number
