"""Attention at every scale in one figure: all heads, one head's lines, and how one token's attention comes about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer

from ..head_view import analysis as head_view
from ..model_view import analysis as model_view
from ..neuron_view import analysis as neuron_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import AnyRun
    from builder.parts import Part

READS = ("decoder", "encoder", "encoder-decoder")
NEEDS = ("attention",)
USES = ("model_view", "head_view", "neuron_view")

SHARED = ("tokens", "parts", "weights")
"""What more than one of the three views reads, and is published once."""


@dataclass(frozen=True)
class Params:
    """What is shown first; a reader can change all of it.

    `part` is `self`, or of an encoder-decoder `encoder`, `decoder` or `cross`. `layer` and `head` count from the end
    where they are negative; by default they are those that look most like an induction head, or else at the previous
    token. `token` is the position that looks. `measure` is what stands under each head, `display` whether heads are
    drawn as matrices or as lines, and `exclude_first` leaves out lines to the first token. `layers` (`4`, `[4, 20]`,
    `4-9` or `all`) are those that are built, for models whose attention is too much for a page.
    """

    part: str | None = None
    layer: int | None = None
    head: int | None = None
    token: int | None = None
    measure: Literal["none", "entropy", "distance", "first", "previous", "induction"] = "none"
    display: Literal["matrix", "lines"] = "matrix"
    exclude_first: bool = False
    layers: tuple[str, ...] = ("all",)

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        yield from model_view.Params(layers=self.layers).validate()


def analyse(run: AnyRun, params: Params) -> Answer:
    """Return what `model_view`, `head_view` and `neuron_view` publish of the same head, what they share only once.

    `tokens`, `parts` (those of the model view) and the `weights` of the layer that is shown first are for all; `model`,
    `head` and `neuron` hold what each has of its own. `neuron` is None where queries and keys cannot be captured, and
    `warning` says so. Pieces are those of the views: `self-5` the weights of a layer, `self-5-0` the vectors of its
    heads that read key-value head 0.

    Raises `BuildError` for a model without attention, and for a part, layer, head or token that is not there.

    The three views: Vig 2019, https://arxiv.org/abs/1906.05714, who wished for them in one.
    """
    heads = model_view.Params(
        params.part,
        params.layer,
        params.head,
        layers=params.layers,
        measure=params.measure,
        display=params.display,
    )
    model = model_view.analyse(run, heads)
    shown = model.data["shown"]
    part, layer, head = shown["part"], shown["layer"], shown["head"]
    lines = head_view.analyse(
        run,
        head_view.Params(part, layer, heads=(head,), token=params.token, exclude_first=params.exclude_first),
    )
    answers = {"model": model, "head": lines}
    try:
        others = [str(other) for other in range(run.attention.parts[part].n_heads) if other != head]
        vectors = neuron_view.Params(layer=layer, layers=params.layers, heads=(str(head), *others), token=params.token)
        answers["neuron"] = neuron_view.analyse(run, vectors)
    except BuildError as error:
        if run.attention.has_vectors:
            raise
        warning = {"warning": f"One of the three views is missing: {_sentence(error)}"}
    else:
        warning = {}
    own = {
        name: {key: value for key, value in answer.data.items() if key not in SHARED}
        for name, answer in answers.items()
    }
    data = {**{key: model.data[key] for key in SHARED}, "neuron": None, **own, **warning}
    checks = {name: check for answer in answers.values() for name, check in answer.checks.items()}
    pieces = {**model.pieces, **(answers["neuron"].pieces if "neuron" in answers else {})}
    return Answer(data, checks, pieces)


def _sentence(error: BuildError) -> str:
    return f"{error.problems[0].message.partition(': ')[2]}."


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: tokens by position or text, layers, heads such as `5.1`."""
    return head_view.parts(of(data, "head"))


def of(data: Mapping[str, Any], view: str) -> dict[str, Any]:
    """Return the data of one of the three views, as if it stood alone."""
    return {**{key: data[key] for key in SHARED}, **data[view]}


def describe(data: Mapping[str, Any]) -> str:
    """Say what each of the views shows."""
    told = [model_view.describe(of(data, "model")), head_view.describe(of(data, "head"))]
    return " ".join(told + ([neuron_view.describe(of(data, "neuron"))] if data["neuron"] else []))
