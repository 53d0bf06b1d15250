"""Attention matrix: who looks at whom, as a heat map of one head, or of the mean over heads, or over layers too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.figure import Answer
from builder.rounding import significant
from builder.spoken import counted, listed, share, token

from ..head_view import analysis as head_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import AnyRun
    from builder.parts import Part

READS = ("decoder", "encoder", "encoder-decoder")
NEEDS = ("attention",)

SHORT = 40
"""Tokens up to which a page without scripts shows the whole matrix; of longer texts it shows the strongest weights."""


@dataclass(frozen=True)
class Params:
    """What is shown first; a reader can change all of it.

    `part` is `self`, or of an encoder-decoder `encoder`, `decoder` or `cross`. `layer` is the middle one by default,
    `head` one of its heads; both count from the end where they are negative. Without a head it is the mean over the
    layer's heads, and with `over: layers` that of all layers. `exclude_first` leaves out the first token, at which
    most heads of most models look most, and rescales the rest of each row.
    """

    part: str | None = None
    layer: int | None = None
    head: int | None = None
    over: Literal["heads", "layers"] = "heads"
    exclude_first: bool = False

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        for name in ("layer", "head"):
            if self.over == "layers" and getattr(self, name) is not None:
                yield "over", f"a mean over all layers is of no {name} of its own"


def analyse(run: AnyRun, params: Params) -> Answer:
    """Return attention as every figure of it publishes it, and the `mean` over all heads and layers, [1, Q, K] packed.

    The means of other parts are pieces, `cross-mean`. For pages without scripts, of what is shown first: `rows`, where
    the text is short, in thousandths, those of a causal part up to the token itself; and the strongest `edges`, those
    to the first token aside, `{from, to, weight}`. `first` is the mean weight on the first token.

    Raises `BuildError` for a model without attention, and for a part, layer or head that is not there.
    """
    import numpy as np

    from builder.model.packing import attention_data, head_number
    from builder.quantised import pack_weights

    from .glance import glance, without_first
    from .means import distance_of_means, mean_over_layers

    means = {name: mean_over_layers(run, name) for name in run.attention.parts}
    data, pieces, checks = attention_data(run, params.part, params.layer)
    shown = data["shown"]
    part = run.attention.parts[shown["part"]]
    head = None if params.head is None else head_number(part, params.head, "head")
    shown |= {"head": head, "over": params.over}
    data["exclude_first"] = params.exclude_first
    for name, mean in means.items():
        packed = pack_weights(mean[None], triangle=run.attention.parts[name].causal)
        if name == part.name:
            data["mean"] = packed
        else:
            pieces[f"{name}-mean"] = {"weights": packed}
    heads = run.attention.weights(part.name, shown["layer"]).cpu().numpy()
    chosen = heads.mean(0) if shown["head"] is None else heads[shown["head"]]
    matrix = means[part.name] if params.over == "layers" else chosen
    rows = matrix[1:] if part.queries == part.keys and len(matrix) > 1 else matrix  # the first has no choice
    data["first"] = significant(np.mean(rows[:, 0]))
    data |= glance(without_first(matrix) if params.exclude_first else matrix, part, SHORT)
    checks["mean over layers against that of the published weights"] = distance_of_means(data, pieces)
    return Answer(data, checks, pieces)


def describe(data: Mapping[str, Any]) -> str:
    """Say whose attention is shown, how much of it the first token gets, and which weights are the strongest."""
    shown, part = data["shown"], data["parts"][data["shown"]["part"]]
    which = {"encoder": " in the encoder", "decoder": " in the decoder", "cross": " from decoder to encoder"}
    layer = f"layer {shown['layer']} of {part['layers'][-1] + 1}"
    if shown["over"] == "layers":
        whose = f"the mean of all {counted(part['n_heads'], 'head')} of {counted(len(part['layers']), 'layer')}"
    elif shown["head"] is None:
        whose = f"the mean of the {counted(part['n_heads'], 'head')} of {layer}"
    else:
        whose = f"head {shown['head']} of {layer}"
    rows, columns = (end - start for start, end in (part["queries"], part["keys"]))
    size = f"{counted(rows, 'token')} that attend (rows) to {counted(columns, 'token')} (columns)"
    named = [
        f"from {token(data['tokens'][edge['from']])} to {token(data['tokens'][edge['to']])} ({share(edge['weight'])})"
        for edge in data["edges"][:3]
    ]
    rest = f" Apart from that, the strongest are {listed(named)}." if named else ""
    out = ", which is left out" if data["exclude_first"] else ""
    return (
        f"Attention{which.get(shown['part'], '')}, {whose}, as a matrix of {size}. "
        f"On average {share(data['first'])} goes to the first token{out}.{rest}"
    )


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name, as in a head view: tokens, layers such as `5`, heads such as `5.1`, `cross.5.1`."""
    return head_view.parts(data)
