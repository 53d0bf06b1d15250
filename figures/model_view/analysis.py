"""Model view: the attention of every head of a model as a small picture, and what tells each apart in a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.parts import Part
from builder.ranges import choose, misread
from builder.spoken import counted, listed, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import AnyRun
    from builder.model.attention import AttentionPart

READS = ("decoder", "encoder", "encoder-decoder")
NEEDS = ("attention",)


@dataclass(frozen=True)
class Params:
    """Which heads are shown, and what is told of them at first.

    `layers` and `heads`: `4`, `[4, 20]`, `4-9` or `all`, in that order; of every part of an encoder-decoder, of which
    `part` (`encoder`, `decoder`, `cross`) is shown at first. `layer` and `head` say which head is drawn large at
    first: unless given, the one that looks most like an induction head, or else at the previous token. `measure` is
    what stands under each head, and `display` whether heads are drawn as matrices or as lines; a reader can change
    both, narrow rows and columns, and sort all heads by a measure.
    """

    part: str | None = None
    layer: int | None = None
    head: int | None = None
    layers: tuple[str, ...] = ("all",)
    heads: tuple[str, ...] = ("all",)
    measure: Literal["none", "entropy", "distance", "first", "previous", "induction"] = "none"
    display: Literal["matrix", "lines"] = "matrix"

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        for name, noun in (("layers", "layer"), ("heads", "head")):
            entries = getattr(self, name)
            if not entries:
                yield name, "none is named"
            for wrong in misread(entries, noun):
                yield name, wrong


def analyse(run: AnyRun, params: Params) -> Answer:
    """Return all heads as thumbnails, their summaries, and in pieces their weights, a layer each.

    To the data of every figure of attention come, in each of its `parts`: `heads`, the numbers of those that are
    shown; `thumbs`, their weights [L · heads, rows, columns] pooled so that a dot is the largest of `dots` (queries,
    keys) tokens each way and packed as the weights are; and `stats`, for each measure that means something there a row
    a layer, in it a number a head. A piece has all heads of its layer.

    Raises `BuildError` for a part, a layer or a head that the model has not, or that is not among those shown, and for
    a measure that this text has not.
    """
    import numpy as np

    from builder.model.packing import attention_data, pack_layer, prove_layer
    from builder.quantised import pack_weights, unpack_weights

    from .summaries import Summaries
    from .thumbnails import pool, tokens_a_dot

    attention = run.attention
    part = attention.part(params.part)
    shown = {name: _chosen(found, params, run.model.name) for name, found in attention.parts.items()}
    n_heads = sum(len(layers) * len(heads) for layers, heads in shown.values())
    stats, thumbs, apart = {}, {}, 0.0
    for name, found in attention.parts.items():
        numbers, heads = shown[name]
        own = found.queries == found.keys
        ids = run.ids.new_tensor([token["id"] for token in run.tokens[slice(*found.queries)]]) if own else None
        queries, keys = (end - start for start, end in (found.queries, found.keys))
        dots = tuple(tokens_a_dot(side, n_heads, causal=found.causal) for side in (queries, keys))
        summaries, pictures = Summaries(ids), []
        for number in numbers:  # all that is asked of a layer, before the next one is captured
            weights = attention.weights(name, number)[heads]
            summaries.add(weights)
            pictures.append(pool(weights, (dots[0], dots[1])))
            prove_layer(attention, name, number)
            pack_layer(attention, name, number)
        stats[name] = summaries.told()
        pooled = np.concatenate(pictures)
        packed = pack_weights(pooled, triangle=found.causal)
        apart = max(apart, float(abs(unpack_weights(packed) - pooled).max()))
        thumbs[name] = {"heads": heads, "dots": list(dots), "thumbs": packed}
    layer, head = _first(part, shown[part.name], stats[part.name], params)
    data, pieces, checks = attention_data(run, part.name, layer, {name: layers for name, (layers, _) in shown.items()})
    for name, published in data["parts"].items():
        numbers = shown[name][0]
        windows = dict(zip(published["layers"], published["windows"], strict=True))
        published.update(layers=numbers, windows=[windows[number] for number in numbers])
        published.update(thumbs[name], stats=stats[name])
    data["shown"] |= {"head": head}
    data |= {"measure": params.measure, "display": params.display}
    checks["thumbnails against the largest weights"] = Check(apart, 0.5 / 255 + 1e-4)
    return Answer(data, checks, pieces)


def _chosen(part: AttentionPart, params: Params, model: str) -> tuple[list[int], list[int]]:
    """Return the numbers of the layers and of the heads that are shown of a part."""
    numbers = choose(params.layers, part.n_layers, model)
    layers = [number for number in numbers if number in part.layers]
    if not layers:
        few = listed([str(number) for number in part.layers[:8]])
        raise BuildError(f"invalid layers: none of them has attention; layers of model {model} that do are {few}")
    return layers, choose(params.heads, part.n_heads, model, "head")


def _first(
    part: AttentionPart,
    shown: tuple[list[int], list[int]],
    stats: Mapping[str, list[list[float]]],
    params: Params,
) -> tuple[int, int]:
    """Return layer and head that are drawn large at first."""
    from builder.model.packing import choose_layer, head_number

    layers, heads = shown
    if params.measure not in ("none", *stats):
        why = "no token comes again" if params.measure == "induction" else "it means nothing there"
        raise BuildError(f"invalid measure: {params.measure} cannot be told of this text and part: {why}")
    wanted = None if params.layer is None else choose_layer(part, params.layer)
    if wanted is not None and wanted not in layers:
        raise BuildError(f"invalid layer: {params.layer} is not among the layers that are shown")
    head = None if params.head is None else head_number(part, params.head, "head")
    if head is not None and head not in heads:
        raise BuildError(f"invalid head: {params.head} is not among the heads that are shown")
    table = next(stats[name] for name in ("induction", "previous", "first", "entropy") if name in stats)
    among = [
        (score, -number, -h)
        for number, row in zip(layers, table, strict=True)
        for h, score in zip(heads, row, strict=True)
        if wanted in (None, number) and head in (None, h)
    ]
    _, number, h = max(among)
    return -number, -h


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: heads of the part shown first, `5.1` or, of that layer, `1`; and its layers."""
    shown = data["shown"]
    part = data["parts"][shown["part"]]
    named = {f"{layer}.{head}": Part(f"{layer}.{head}") for layer in part["layers"] for head in part["heads"]}
    return {
        "head": named | {str(head): Part(f"{shown['layer']}.{head}") for head in part["heads"]},
        "layer": {str(layer): Part(layer) for layer in part["layers"]},
    }


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest entropy in nats and the largest mean distance in tokens: where their bars end."""
    tables = [part["stats"] for part in data["parts"].values()]
    ends: dict[str, float] = {}
    for name in ("entropy", "distance"):
        numbers = [max(row) for stats in tables if name in stats for row in stats[name]]
        if numbers:
            ends[name] = max(numbers)
    return ends


def describe(data: Mapping[str, Any]) -> str:
    """Say how many heads there are, and which of them stand out."""
    shown = data["shown"]
    part, stats = data["parts"][shown["part"]], data["parts"][shown["part"]]["stats"]
    count = len(part["layers"]) * len(part["heads"])
    of = "" if shown["part"] == "self" else f" of the {shown['part']} attention"
    facts = [
        f"{share(best[0])} of the attention of layer {best[1]} head {best[2]} is on the {name} token"
        for name in ("first", "previous")
        if name in stats
        for best in [_best(part, name)]
    ]
    if "induction" in stats:
        score, layer, head = _best(part, "induction")
        facts.append(f"layer {layer} head {head} looks most like an induction head, with a score of {score:.2f}")
    most = f" At most, {listed(facts)}." if facts else ""
    tokens = counted(part["queries"][1] - part["queries"][0], "token")
    return f"{counted(count, 'head')}{of} in {counted(len(part['layers']), 'layer')}, on {tokens}, as pictures.{most}"


def _best(part: Mapping[str, Any], name: str) -> tuple[float, int, int]:
    """Return the largest of a measure, and the layer and head that have it; of equals the first."""
    score, layer, head = max(
        (score, -layer, -head)
        for layer, row in zip(part["layers"], part["stats"][name], strict=True)
        for head, score in zip(part["heads"], row, strict=True)
    )
    return score, -layer, -head
