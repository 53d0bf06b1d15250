"""Factors: the FFN's neurons over a text, decomposed into a few groups that are active together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.parts import Part, Spark, numbered_parts, token_parts
from builder.ranges import choose, misread
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.model import Run

    from .decompose import Decomposition

NEEDS = ("neurons",)
USUAL = (2, 5, 10)
"""Numbers of factors where none are asked for, as far as the text has tokens for them."""
MOST = 64
SINK = 0.5
"""From which share of the energy on a reader is told of a single token that holds it."""


@dataclass(frozen=True)
class Params:
    """How activations are decomposed.

    `factors` are the numbers of factors that are built, the one to be shown first at the head; `layers` likewise what
    is decomposed together: `all`, a range such as `4-9`, one layer. `nmf` is non-negative: of the activations below 0
    it drops what it is given (`negative: clip`) or takes them as neurons of their own (`split`); `pca` and `fastica`
    (`ica` is the same) are signed and take all. A text's first token, on which models rest, is left out of the
    decomposition (`exclude`), decomposed but not drawn to scale (`grey`), or one like the others (`include`).
    `reproduce: ecco` is scikit-learn's NMF from a random start, with the first token.
    """

    method: Literal["nmf", "pca", "ica", "fastica"] = "nmf"
    factors: tuple[int, ...] | None = None
    layers: tuple[str, ...] = ("all",)
    first_token: Literal["exclude", "grey", "include"] = "exclude"  # noqa: S105 - a token of text
    negative: Literal["clip", "split"] = "clip"
    seed: int = 0
    reproduce: Literal["ecco"] | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if self.factors is not None:
            for k in (k for k in self.factors if not 1 <= k <= MOST):
                yield "factors", f"{k} is not between 1 and {MOST}"
            if len(set(self.factors)) < len(self.factors) or not self.factors:
                yield "factors", "a number stands there twice" if self.factors else "there is none"
        for wrong in misread(self.layers):
            yield "layers", wrong
        if len(set(self.layers)) < len(self.layers) or not self.layers:
            yield "layers", "some stand there twice" if self.layers else "there are none"
        if not 0 <= self.seed < 2**32:
            yield "seed", f"{self.seed} is not from 0 to 2**32 - 1"
        if self.reproduce and self.method != "nmf":
            yield "reproduce", f"Ecco's factors are those of nmf, not of {self.method}"
        if self.negative == "split" and (self.method != "nmf" or self.reproduce):
            yield "negative", "only nmf splits; pca and ica are signed and take all as it is"


def analyse(run: Run, params: Params) -> Answer:
    """Return `solutions`, one for each of `layers` and each number of `factors`, those of the first layers first.

    A solution's `weights[j][t]` say how active factor j is at position t, in the units of the activations (a factor's
    weights on its neurons have length 1), None where the token was left out. Activations at t are made of the token
    at t, and lead to the one at t + 1.

    Raises `BuildError` for layers that the model does not have, for more factors than there are tokens to tell apart,
    for neurons that never fire, and for a model whose neurons cannot be read.
    """
    from builder.model.nmf import Known

    from .decompose import decompose
    from .matrix import read_matrix
    from .proofs import Proofs
    from .publish import move_into_pieces, publish

    model = run.model
    method = "plain_nmf" if params.reproduce else {"ica": "fastica"}.get(params.method, params.method)
    signed = method in {"pca", "fastica"}
    spans = [choose([text], model.n_layers, model.name) for text in params.layers]
    near = _neurons_are_right(run, spans)
    excluded = params.first_token == "exclude" and not params.reproduce  # noqa: S105
    kept = list(range(int(excluded), len(run.ids)))
    if not kept:
        raise BuildError(
            "invalid prompt: it is one token, the first, which is left out (first_token: include keeps it)"
        )
    numbers = _numbers(params, len(kept) - signed, excluded=excluded, signed=signed)
    layers, solutions, found = [], [], []
    proofs = Proofs()
    for index, (name, span) in enumerate(zip(params.layers, spans, strict=True)):
        matrix = read_matrix(run, name, span, kept[0], signed=signed, split=params.negative == "split")
        layers.append(matrix.about)
        known = Known(matrix.x)
        for k in numbers:
            decomposition = decompose(known, k, method, seed=params.seed)
            found.append(decomposition)
            proofs.add(decomposition, known)
            facts = publish(decomposition, span, matrix.widths, len(run.ids), kept)
            solutions.append({"layers": index, "n_factors": k, **facts})
        del matrix, known  # of a long text large
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": run.targets,
        "method": params.method if params.method != "ica" else "fastica",
        "signed": signed,
        "negative": None if signed else params.negative,
        "first_token": "include" if params.reproduce else params.first_token,
        "layers": layers,
        "factors": numbers,
        "solutions": solutions,
    }
    if warning := _warning(params, run, layers[0], found):
        data["warning"] = warning
    pieces = move_into_pieces(solutions)
    checks = {"neurons times the down projection against the MLP’s output": near, **proofs.checks(method)}
    return Answer(data, checks, pieces)


def _neurons_are_right(run: Run, spans: Sequence[Sequence[int]]) -> Check:
    """Return the check that what is decomposed are the neurons, by the first, the middle and the last of all layers."""
    from builder.model.precision import tolerance

    from .projections import distance, watching

    model = run.model
    wanted = sorted({layer for span in spans for layer in span})
    watched = sorted({wanted[0], wanted[len(wanted) // 2], wanted[-1]})
    neurons = run.neurons(watched)
    with watching(model, watched) as outputs:
        run.rerun(watched)
    distances = [distance(model, *each) for each in zip(watched, neurons, outputs, strict=True)]
    return Check(max(distances), tolerance(model.network.dtype))


def _numbers(params: Params, most: int, *, excluded: bool, signed: bool) -> list[int]:
    """Return the numbers of factors to build. Raises `BuildError` for one that the tokens do not allow."""
    why = f"{', the first of which is left out' if excluded else ''}{', around their mean' if signed else ''}"
    tokens = most + signed + excluded
    if params.factors is None and most > 0:
        return [k for k in USUAL if k <= most] or [1]
    for k in params.factors or (1,):
        if k > most:
            hint = f" (did you mean {most}?)" if most else ""
            raise BuildError(f"invalid factors: {k} cannot be told apart in {counted(tokens, 'token')}{why}{hint}")
    return list(params.factors or ())


def _warning(params: Params, run: Run, about: dict[str, Any], found: list[Decomposition]) -> str | None:
    """Return what a reader has to know, or None."""
    if params.reproduce:
        return (
            "As Ecco computes them: NMF from a random start, the first token included, on which factors are spent; "
            f"it holds {share(about['first_token'])} of the energy."
        )
    if any(not solution.converged for solution in found):
        return "FastICA has not converged: what it found may depend on the seed."
    position, held = about["loudest"]
    if held > SINK and len(run.ids) > 2 and not (params.first_token == "grey" and position == 0):  # noqa: S105
        return (
            f"A single token, {token(run.tokens[position])} at position {position}, holds {share(held)} of the energy."
        )
    return None


def describe(data: Mapping[str, Any]) -> str:
    """Say how much the first solution explains, and at which tokens each of its first factors is strongest."""
    solution = data["solutions"][0]
    about = data["layers"][solution["layers"]]
    k = solution["n_factors"]
    shown = [_strongest(data, solution, j) for j in range(min(3, k))]
    rest = f", and {counted(k - 3, 'factor')} more" if k > 3 else ""
    what = f"{counted(k, 'factor')} of the activations of {about['n_neurons']:,} neurons, {_layers(about)}"
    return f"{what}, hold {share(solution['explained'])} of their energy: {'; '.join(shown)}{rest}."


def _layers(about: Mapping[str, Any]) -> str:
    name = str(about["name"])
    return "all layers" if name == "all" else f"layer{'s' if len(about['span']) > 1 else ''} {name}"


def _strongest(data: Mapping[str, Any], solution: Mapping[str, Any], j: int) -> str:
    row = solution["weights"][j]
    order = sorted((t for t, w in enumerate(row) if w is not None), key=lambda t: -abs(row[t]))
    names = list(dict.fromkeys(token(data["tokens"][t]) for t in order[:6]))[:2]
    return f"factor {j + 1} is strongest at {listed(names)}"


def parts(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Part]]:
    """Return factors and tokens: `2` is one of the solution shown first, `5.2` of five, `4-9/5.2` of those layers."""
    first = data["solutions"][0]
    named = numbered_parts(first["n_factors"])
    for solution in data["solutions"]:
        where = "" if solution["layers"] == 0 else f"{data['layers'][solution['layers']]['name']}/"
        for number in range(1, solution["n_factors"] + 1):
            name = f"{where}{solution['n_factors']}.{number}"
            named[name] = Part(name, number)
    return {"factor": named, "token": token_parts(data["tokens"])}


SPARKS = ("factor",)


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001
    """Return a factor's course over the tokens, its own largest weight at the top."""
    solution, number = _find(data, part.value)
    if "weights" not in solution:
        raise BuildError(
            f"unsupported factor: {part.value} is fetched when it is asked for; put its number first in factors"
        )
    row = [w or 0.0 for w in solution["weights"][number - 1]]
    most = max((abs(w) for w in row), default=0.0) or 1.0
    values = tuple(round((w / most + 1) / 2 if data["signed"] else w / most, 3) for w in row)
    label = f"{_strongest(data, solution, number - 1)}, of {counted(len(row), 'token')}"
    return Spark(values, label[0].upper() + label[1:], colour=number)


def _find(data: Mapping[str, Any], value: int | str) -> tuple[Mapping[str, Any], int]:
    """Return the solution and the number that a part's value means."""
    if isinstance(value, int):
        return data["solutions"][0], value
    where, _, rest = value.rpartition("/")
    k, _, number = rest.partition(".")
    for solution in data["solutions"]:
        name = data["layers"][solution["layers"]]["name"] if solution["layers"] else ""
        if (name, str(solution["n_factors"])) == (where, k):
            return solution, int(number)
    raise KeyError(value)


def extent(data: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the largest weight of the solution shown first, the first token left out unless it is one like others."""
    start = int(data["first_token"] != "include")  # noqa: S105
    weights = [abs(w) for row in data["solutions"][0]["weights"] for w in row[start:] if w is not None]
    return {"weight": max(weights, default=0.0)}
