"""Head view: who looks at whom in a text, as lines between two columns of its tokens, a colour a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer
from builder.parts import Part, token_parts
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.model import AnyRun
    from builder.model.attention import AttentionPart

READS = ("decoder", "encoder", "encoder-decoder")
NEEDS = ("attention",)

MOST = 60
"""How many lines are published for pages without scripts, the strongest ones."""


@dataclass(frozen=True)
class Params:
    """What is shown first; a reader can change all of it.

    `part` is `self`, or of an encoder-decoder `encoder`, `decoder` or `cross`. `layer` counts from the end where it is
    negative; by default it is the middle one. `heads` are all unless some are named; negative ones count from the end
    too. `token` is the position that is selected, and `direction` whether what it attends to is shown (`from`), or what
    attends to it (`to`). `exclude_first` leaves out lines to the first token and rescales the rest of each row.
    """

    part: str | None = None
    layer: int | None = None
    heads: tuple[int, ...] | None = None
    token: int | None = None
    direction: Literal["from", "to"] = "from"
    exclude_first: bool = False

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if self.heads is not None and not self.heads:
            yield "heads", "none is named"
        if self.heads and len(set(self.heads)) < len(self.heads):
            yield "heads", "one of them stands there twice"


def analyse(run: AnyRun, params: Params) -> Answer:
    """Return attention as every figure of it publishes it, and the strongest `edges` of what is shown first.

    An edge is `{from, to, head, weight}`: two positions, and what the first gives to the second in that head, a share
    of 1. Tokens that are one character only together are one: an edge to them has the sum of their weights, one from
    them the mean. With `exclude_first` edges to the first token are missing, and the others of a row sum to 1.

    Raises `BuildError` for a model without attention, and for a part, layer, head or token that is not there.

    Vig 2019, https://arxiv.org/abs/1906.05714
    """
    from builder.model.packing import attention_data, head_number

    from .edges import strongest

    data, pieces, checks = attention_data(run, params.part, params.layer)
    part = run.attention.parts[data["shown"]["part"]]
    heads = None if params.heads is None else sorted({head_number(part, head, "heads") for head in params.heads})
    if heads is not None and len(heads) == part.n_heads:
        heads = None
    data["shown"] |= {"heads": heads, "token": _position(part, params), "side": params.direction}
    data["exclude_first"] = params.exclude_first
    weights = run.attention.weights(part.name, data["shown"]["layer"]).cpu().numpy()
    data["edges"] = strongest(data, weights, MOST)
    return Answer(data, checks, pieces)


def _position(part: AttentionPart, params: Params) -> int | None:
    """Return the position that is selected. Raises `BuildError` for one that does not stand on its side."""
    if params.token is None:
        return None
    start, end = part.queries if params.direction == "from" else part.keys
    position = params.token + end if params.token < 0 else params.token
    if not start <= position < end:
        does = "attends" if params.direction == "from" else "is attended to"
        nearest = min(max(position, start), end - 1)
        raise BuildError(
            f"invalid token: {params.token} is no position that {does}: those are {start} to {end - 1} "
            f"(did you mean {nearest}?)"
        )
    return position


def describe(data: Mapping[str, Any]) -> str:
    """Say what is shown, and which lines are the strongest."""
    shown, part = data["shown"], data["parts"][data["shown"]["part"]]
    which = {"encoder": " of the encoder", "decoder": " of the decoder", "cross": " from decoder to encoder"}
    start = (
        f"Attention{which.get(shown['part'], '')} in layer {shown['layer']} of "
        f"{part['layers'][-1] + 1}, {_heads(shown['heads'], part['n_heads'])}, as lines between "
        f"{_counts(part)}"
    )
    if data["exclude_first"]:
        start += ", those to the first token left out"
    named = [
        f"head {edge['head']} from {token(data['tokens'][edge['from']])} to {token(data['tokens'][edge['to']])} "
        f"({share(edge['weight'])})"
        for edge in data["edges"][:3]
    ]
    return f"{start}. Strongest: {listed(named)}."


def _heads(heads: Sequence[int] | None, count: int) -> str:
    if heads is None:
        return f"all {counted(count, 'head')}" if count > 1 else "its one head"
    return f"head{'s' if len(heads) > 1 else ''} {listed([str(head) for head in heads])}"


def _counts(part: Mapping[str, Any]) -> str:
    queries, keys = (end - start for start, end in (part["queries"], part["keys"]))
    if part["queries"] == part["keys"]:
        return counted(queries, "token")
    return f"{counted(queries, 'token')} and {counted(keys, 'token')}"


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: tokens, by position or text; layers such as `5`; heads such as `5.1`.

    Those of another part of the model than the one that is shown first begin with its name: `cross.5.1`.
    """
    layers: dict[str, Part] = {}
    heads: dict[str, Part] = {}
    for name, part in data["parts"].items():
        first = name == data["shown"]["part"]
        for layer in part["layers"]:
            whole = Part(f"{name}.{layer}")
            layers |= {f"{name}.{layer}": whole} | ({str(layer): whole} if first else {})
            for head in range(part["n_heads"]):
                one = Part(f"{name}.{layer}.{head}", head + 1)
                heads |= {f"{name}.{layer}.{head}": one} | ({f"{layer}.{head}": one} if first else {})
    return {"token": token_parts(data["tokens"]), "layer": layers, "head": heads}
