"""Neuron view: how a token's query and the keys of the others, number by number, make the attention of a head."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.figure import Answer
from builder.parts import Part, token_parts
from builder.ranges import misread
from builder.rounding import significant
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.model import AnyRun
    from builder.model.attention import AttentionPart
    from builder.model.head_vectors import HeadVectors

READS = ("decoder", "encoder", "encoder-decoder")
NEEDS = ("attention",)


@dataclass(frozen=True)
class Params:
    """Which heads a reader may look into, and which is shown first.

    `part` is `self`, or of an encoder-decoder `encoder`, `decoder` or `cross`; unless given, all that the model has.
    `layer` is shown first, −1 is the last, by default the middle one; `layers` (`4`, `[4, 20]`, `4-9` or `all`) can be
    chosen too. `heads` (`5`, `[5, 0-2]` or `all`) are those of each layer that are built, the first one shown.
    `token` is the position that looks, by default the last. `expanded` shows how its attention comes about, else only
    what it looks at. `order` is that of the neurons: as they are (`index`), by their part in the differences between
    scores (`score`), or by how much they lower them with distance (`distance`).
    """

    part: str | None = None
    layer: int | None = None
    layers: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    token: int | None = None
    expanded: bool = True
    order: Literal["index", "score", "distance"] = "index"

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        for wrong in misread(self.layers):
            yield "layers", wrong
        for wrong in misread(self.heads, "head"):
            yield "heads", wrong


def analyse(run: AnyRun, params: Params) -> Answer:
    """Return queries, keys and values of the head that is shown; those of the others that are built, in pieces.

    They are as the attention function got them: rotated, normed. `head` holds the shown one's, see `group`; a piece
    `PART-LAYER-N` those of all heads that read key-value head N, and `PART-LAYER-states` the states before and after
    another layer. `told` is what is said of the token at first: its scores, weights, and weight times value's length.

    Raises `BuildError` for what the model has not, and where its queries and keys cannot be captured.

    Vig 2019, https://arxiv.org/abs/1906.05714
    """
    from .built import choose
    from .checks import Exact, Proof
    from .group import group
    from .states import states

    attention = run.attention
    built = choose(attention, params, run.model.name)
    proof = Proof(run)
    listed_layers: dict[str, list[dict[str, Any]]] = {}
    data: dict[str, Any] = {}
    pieces: dict[str, Any] = {}
    for name, layers in built.layers.items():
        part = attention.parts[name]
        listed_layers[name] = []
        for layer in layers:
            vectors = attention.heads(name, layer)
            exact = Exact.of(vectors, attention.weights(name, layer))
            groups = _groups(built.heads[name], vectors)
            listed_layers[name].append(
                {
                    "layer": layer,
                    "scale": significant(vectors.scale, 9),
                    "softcap": vectors.softcap,
                    "groups": groups,
                }
            )
            first = name == built.part and layer == layers[0]
            head = built.heads[name][0] if first else None
            for number, heads in groups.items():
                packed = group(part, layer, vectors, heads)
                proof.add(packed, exact, heads)
                if head in heads:
                    data["head"] = packed if len(heads) == 1 else group(part, layer, vectors, [head])
                    data["told"] = _told(part, vectors, head, built.token)
                if heads != [head]:
                    pieces[f"{name}-{layer}-{number}"] = packed
            seen = states(run, layer) if name == "self" else None
            if first:
                data["states"] = seen
            elif seen:
                pieces[f"{name}-{layer}-states"] = seen
    shown = {"part": built.part, "layer": built.layers[built.part][0], "head": built.heads[built.part][0]}
    return Answer(
        {
            "tokens": run.tokens,
            "parts": {name: _published(attention.parts[name]) for name in built.layers},
            "layers": listed_layers,
            "shown": {**shown, "token": built.token},
            "expanded": params.expanded,
            "order": params.order,
            **data,
            "error": proof.errors,
        },
        proof.checks(),
        pieces,
    )


def _groups(heads: Sequence[int], vectors: HeadVectors) -> dict[str, list[int]]:
    """Return heads by the number of the key-value head that they read."""
    each = vectors.query.shape[0] // vectors.n_kv_heads
    groups: dict[str, list[int]] = {}
    for head in heads:
        groups.setdefault(str(head // each), []).append(head)
    return groups


def _published(part: AttentionPart) -> dict[str, Any]:
    fields = asdict(part)
    del fields["name"]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _told(part: AttentionPart, vectors: HeadVectors, head: int, position: int) -> dict[str, Any]:
    """Return what a token of a head looks at: for each key its score, None where it is masked, its weight and share.

    A score is scale · q·k, capped where the model does that, before any bias; a share is the weight times the length of
    the value. `neurons` are the three with the largest part in the differences between scores, and that part.
    """
    import numpy as np

    from .group import allowed
    from .neurons import shares

    row = position - part.queries[0]
    seen = allowed(vectors)[head, row].cpu().numpy()
    products = (vectors.query[head, row] * vectors.key[head] * vectors.scale).cpu().double().numpy()
    scores = products.sum(axis=1)
    capped = scores if vectors.softcap is None else vectors.softcap * np.tanh(scores / vectors.softcap)
    weights = vectors.weights[head, row].cpu().numpy()
    lengths = vectors.value[head].norm(dim=-1).cpu().numpy()
    chosen = seen.copy()
    if part.causal and seen.sum() > 3:
        chosen[0] = False  # it takes attention whatever it is; what tells the others apart is asked
    parts = shares(products[chosen])
    most = np.argsort(-parts, kind="stable")[:3]
    return {
        "scores": [significant(score) if see else None for score, see in zip(capped, seen, strict=True)],
        "weights": [significant(weight) for weight in weights],
        "shares": [significant(size) for size in weights * lengths],
        "output": significant(vectors.output[head, row].norm()),
        "neurons": [[int(neuron), significant(parts[neuron], 3)] for neuron in most],
    }


def describe(data: Mapping[str, Any]) -> str:
    """Say what the token that is shown looks at, and which neurons make the difference."""
    shown, told = data["shown"], data["told"]
    first, looks = data["parts"][shown["part"]]["keys"][0], token(data["tokens"][shown["token"]])
    order = sorted(range(len(told["weights"])), key=lambda k: -told["weights"][k])[:3]
    most = [f"{token(data['tokens'][first + k])} {share(told['weights'][k])}" for k in order if told["weights"][k] > 0]
    neurons = [f"{neuron} ({share(part)})" for neuron, part in told["neurons"] if part > 0]
    made = f" Most of the differences between its scores come from neurons {listed(neurons)}." if neurons[1:] else ""
    return (
        f"Queries, keys and values of layer {shown['layer']}, head {shown['head']}, over "
        f"{counted(len(told['weights']), 'token')}. {looks} at position {shown['token']} "
        f"looks at {listed(most)}.{made}"
    )


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: tokens that look, heads such as `5.1` (`cross.5.1` of a part), and neurons."""
    shown = data["shown"]["part"]
    positions = dict.fromkeys(p for part in data["parts"].values() for p in range(*part["queries"]))
    heads = {}
    for name, layers in data["layers"].items():
        for layer in layers:
            for head in (head for heads in layer["groups"].values() for head in heads):
                address = f"{name}.{layer['layer']}.{head}"
                heads[address] = known = Part(address, head + 1)
                if name == shown:
                    heads[f"{layer['layer']}.{head}"] = known
    size = data["head"]["query"]["shape"][-1]
    return {
        "token": token_parts(data["tokens"], positions),
        "head": heads,
        "neuron": {str(neuron): Part(neuron) for neuron in range(size)},
    }
