"""Attention flow: how much attention reaches each token from each output token, through all layers, by four methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError, Problem
from builder.figure import Answer
from builder.parts import Part, Spark, token_parts
from builder.ranges import choose, misread
from builder.shares import share_bars
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import AnyRun

READS = ("decoder", "encoder", "encoder-decoder")
NEEDS = ("attention",)
METHODS = {
    "value_norms": "attention × value norms",
    "raw": "raw attention",
    "rollout": "attention rollout",
    "flow": "attention flow",
}
SPARKS = ("token",)
Method = Literal["value_norms", "raw", "rollout", "flow"]


@dataclass(frozen=True)
class Params:
    """By which methods attention is followed, and how it is shown.

    `methods` are those that a reader can choose among: all that the model and the length of its text allow, unless they
    are named. `method` is shown first, by default the first of them. `layers`: `all`, or those next to each other that
    are followed, such as `0-5`. `exclude_first`: whether the first token, which many heads look at when they find
    nothing, is taken out at first; readers can switch. `display`: a `strip` of shaded tokens, `sparks` under them for
    the layers, or a `sankey` of the rollout. `token`: the position of the token that is chosen first.

    An encoder-decoder is followed through all of its layers, and has no first token to take out: it reads two texts.
    """

    method: Method | None = None
    methods: tuple[Method, ...] | None = None
    display: Literal["strip", "sparks", "sankey"] = "strip"
    layers: str = "all"
    exclude_first: bool = False
    token: int | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        methods = self.methods or ()
        if len(set(methods)) < len(methods):
            yield "methods", "one of them stands there twice"
        if methods and self.method and self.method not in methods:
            yield "method", f"{self.method} is none of the methods {', '.join(methods)}"
        if self.display == "sankey" and methods and "rollout" not in methods:
            yield "display", "a sankey draws the rollout, which is none of the methods"
        for wrong in misread([self.layers]):
            yield "layers", wrong


def analyse(run: AnyRun, params: Params) -> Answer:
    """Return `scores[t]`, how much of what is known of target t comes from each token, in shares that sum to 1.

    A decoder's token at position p is predicted at position p − 1: its row is what reaches that position, and has p
    numbers. An encoder's is what reaches the position of the token itself, and has one for each token. A row is all 0
    where only the first token is left to look at and is excluded. An encoder-decoder's tokens are the source's, then
    the decoder's; the rows are a decoder's, of raw attention and value norms over the source alone.

    The other methods lie in pieces of their names, `value-norms`; without the first token, in `value-norms-rest`; what
    reaches a position layer by layer in `raw-layers`, and what a Sankey draws in `ribbons`.

    Raises `BuildError` for a text of one token, for a method that the model or the length of the text does not allow,
    for layers or a token that are not there, and for what an encoder-decoder has not (LED looks at parts of a text).
    """
    from .published import publish
    from .sublayers import sublayer_names

    part = run.attention.part()
    both = part.name == "cross"
    if both and (lacking := {"encoder", "decoder"} - run.attention.parts.keys()):
        raise BuildError(
            f"unsupported model: the attention of the {listed(sorted(lacking))} of {run.model.name} cannot be read, "
            "and flow goes through it"
        )
    causal = part.causal or both
    everyone = range(len(run.ids))
    targets = _written(run, params) if both else list(run.targets if causal else everyone)
    if len(run.ids) < 2:
        raise BuildError("missing output: the prompt is one token, and there is no other to which attention could flow")
    chosen = set(choose((params.layers,), part.n_layers, run.model.name))
    layers = [layer for layer in part.layers if layer in chosen]
    if not layers:
        raise BuildError(f"invalid layers: {params.layers} of model {run.model.name} have no attention")
    methods, left_out = _methods(run, params)
    method = params.method or methods[0]
    if params.display == "sankey":
        method = "rollout"
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": targets,
        "causal": causal,
        "token": _first(params.token, targets, run.tokens),
        "method": method,
        "methods": methods,
        "left_out": left_out,
        "display": params.display,
        "exclude_first": params.exclude_first,
        "layers": sublayer_names(run.attention) if both else layers,
    }
    gaps = [layer for layer in sorted(chosen) if layer not in layers]
    if gaps:
        data["warning"] = (
            f"{len(gaps)} of {counted(len(chosen), 'layer')} have no attention; how tokens learn of each other there "
            "is not in this figure."
        )
    published, pieces, checks = publish(run, part, data)
    return Answer(data | published, checks, pieces)


def _written(run: AnyRun, params: Params) -> list[int]:
    """Return the positions of what an encoder-decoder has written, after the token that its decoder starts with.

    Raises `BuildError` where that is nothing, and for parameters that mean nothing to such a model.
    """
    name, size = run.model.name, len(run.tokens)
    problems = []
    if params.layers != "all":
        problems.append(f"unsupported layers: {params.layers}: an encoder-decoder, {name}, is followed through all")
    if params.exclude_first:
        problems.append(f"unsupported exclude_first: model {name} has two texts, and no one token that is the first")
    if len(run.ids) < 2:
        problems.append(f"missing output: model {name} has written nothing that attention could reach")
    if problems:
        raise BuildError(problems=map(Problem, problems))
    return list(range(size - len(run.ids) + 1, size))


def _methods(run: AnyRun, params: Params) -> tuple[list[str], dict[str, str]]:
    """Return the methods, and why others are left out. Raises `BuildError` where one is that was asked for by name."""
    from .flow import MOST_TOKENS

    cannot = {}
    if not run.attention.has_vectors:
        cannot["value_norms"] = f"the value vectors of model {run.model.name} cannot be captured"
    if len(run.tokens) > MOST_TOKENS:
        cannot["flow"] = f"it is computed for at most {MOST_TOKENS} tokens, and these are {len(run.tokens)}"
    asked = params.methods or ()
    named = [*asked, *([params.method] if params.method else [])]
    methods = [name for name in asked or METHODS if name not in cannot]
    for name in named:
        if name in cannot:
            field = "methods" if name in asked else "method"
            others = ", ".join(methods or [other for other in METHODS if other not in cannot])
            raise BuildError(f"unsupported {field}: {name}: {cannot[name]} (did you mean {others}?)")
    return methods, {} if asked else cannot


def _first(wanted: int | None, targets: list[int], tokens: list[dict[str, Any]]) -> int:
    """Return the position of the token that is chosen first. Raises `BuildError` for one that cannot be."""
    if wanted is None:
        if targets[0] == 1 and tokens[-1]["type"] == "input":  # a text without output: the last one has most before it
            return targets[-1]
        return next((position for position in targets if not tokens[position].get("special")), targets[0])
    position = wanted + len(tokens) if wanted < 0 else wanted
    if position not in targets:
        nearest = min(targets, key=lambda known: abs(known - position))
        raise BuildError(
            f"invalid token: {wanted} is not between {targets[0]} and {targets[-1]} (did you mean {nearest}?)"
        )
    return position


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return the tokens, by position and by text."""
    return {"token": token_parts(data["tokens"])}


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is but one aspect
    """Return what reaches a target from each token, or of another token what it gives to each target, as bars."""
    name = token(data["tokens"][int(part.value)])
    return share_bars(data, int(part.value), lambda t: f"What reaches {name}. {_strongest(data, t)}")


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest share of any row."""
    return {"share": max(map(max, data["scores"]))}


def describe(data: Mapping[str, Any]) -> str:
    """Say from which tokens most reaches the chosen output token, and the last one."""
    targets = data["targets"]
    which = "output token" if data["tokens"][targets[0]]["type"] == "output" else "token"
    by = METHODS[data["method"]] + (", the first token excluded" if data["exclude_first"] else "")
    ends = sorted({targets.index(data["token"]), len(targets) - 1})
    start = f"How much attention reaches {counted(len(targets), which)} from each other token, by {by}"
    return f"{start}. {' '.join(_strongest(data, t) for t in ends)}"


def _strongest(data: Mapping[str, Any], t: int) -> str:
    tokens, row = data["tokens"], data["scores"][t]
    order = [i for i in sorted(range(len(row)), key=lambda i: -row[i])[:3] if row[i] > 0]
    name = token(tokens[data["targets"][t]])
    if not order:
        return f"For {name}: nothing but the first token stands before it."
    return f"For {name}: {listed([f'{token(tokens[i])} ({share(row[i])})' for i in order])}."
