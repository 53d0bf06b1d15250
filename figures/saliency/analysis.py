"""Saliency: how much each token matters to each later output token, by gradients or by taking tokens away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.parts import Part, Spark, token_parts
from builder.rounding import significant
from builder.shares import share_bars
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from builder.model import Run

    from .attribution import Attribution
    from .gradients import Network
    from .objective import Objective

GAP = 0.1
"""From which typical gap on, as a share of f(x) − f(x′), a reader is warned of integrated gradients."""

METHODS = {
    "gradient_x_input": "gradient × input",
    "gradient": "gradient norm",
    "integrated_gradients": "integrated gradients",
    "occlusion": "occlusion",
    "value_zeroing": "value zeroing",
}
TARGETS = {"logit": "logit", "logprob": "log-probability", "probability": "probability"}
SPARKS = ("token",)


@dataclass(frozen=True)
class Params:
    """How importance is measured.

    `target` is what is explained of an output token: its logit, or the logarithm of its probability. With `contrast`,
    one token of the vocabulary such as " are", it is the difference of the two logits: why this token and not that.
    `detail` adds a bar and a percentage to each token. `baseline` is what integrated gradients start from, zero unless
    said otherwise, and what occlusion puts in a token's place: the mean of all embeddings, which unlike zero is as long
    as a model expects of an input, and unlike a pad or end token means nothing to it. `steps` are integrated gradients'
    own. With `reproduce: ecco` it is the probability that is explained, as Ecco does.
    """

    method: Literal["gradient_x_input", "gradient", "integrated_gradients", "occlusion", "value_zeroing"] = (
        "gradient_x_input"
    )
    target: Literal["logit", "logprob"] = "logit"
    contrast: str | None = None
    detail: bool = False
    steps: int = 50
    baseline: Literal["zero", "mean", "pad", "eos"] | None = None
    reproduce: Literal["ecco"] | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not 1 <= self.steps <= 1000:
            yield "steps", f"{self.steps} is not between 1 and 1000"
        if self.contrast == "":
            yield "contrast", "it is empty"
        if self.reproduce and self.contrast:
            yield "reproduce", "ecco explains one token and knows no contrast"
        elif self.reproduce and self.method in ("occlusion", "value_zeroing"):
            yield "reproduce", f"ecco has no {self.method} (did you mean method gradient_x_input?)"


def analyse(run: Run, params: Params) -> Answer:
    """Return `scores[t]`, the share of each earlier position in the importance for target t; a row sums to 1.

    A row is all 0 only where f does not depend on the inputs, as for a token contrasted with itself. `values[t]` are
    the same with their sign, in units of f; the gradient norm has none. `completeness[t]` of integrated gradients is
    |Σ values − (f(x) − f(x′))|.

    Raises `BuildError` for a text of one token, for a contrast that is not one, for a baseline token that the
    tokenizer lacks, for values that cannot be zeroed, and for a model that answers with no numbers.
    """
    from .contrast import foil
    from .gradients import Network
    from .objective import Objective

    model, positions = run.model, run.targets
    if not positions:
        raise BuildError("missing output: the prompt is one token and nothing follows it, so nothing can be explained")
    target: Any = "probability" if params.reproduce else params.target
    objective = Objective(target, foil(run, params.contrast))
    if not math.isfinite(run.said.size):
        raise _no_numbers(run, "logits")
    x = model.embed(run.ids).detach()
    network = Network(run.forward_embeddings, model.head_logits, model if model.chained else None)
    how = _by_gradients if params.method in ("gradient_x_input", "gradient", "integrated_gradients") else _by_drops
    found, told, checks = how(run, params, network, objective, x)
    if not all(bool(row.isfinite().all()) for row in found.scores):
        raise _no_numbers(run, METHODS[params.method])
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": positions,
        "scores": [_rounded(row.tolist(), 5) for row in found.scores],
        "probabilities": _rounded(run.said.probabilities.tolist(), 4),
        "method": params.method,
        "target": target,
        "contrast": params.contrast,
        "detail": params.detail,
    }
    if found.values:
        data["values"] = [_rounded(row.tolist(), 5) for row in found.values]
    if params.reproduce:
        ecco = "As Ecco does it, this is about the token's probability after the softmax, not about its logit."
        told["warning"] = f"{ecco} {told['warning']}" if "warning" in told else ecco
    return Answer(data | told, _checks(run, found, data["scores"]) | checks)


Found = tuple["Attribution", dict[str, Any], dict[str, Check]]
"""The attribution, what else is published, and what proves it."""


def _by_gradients(run: Run, params: Params, network: Network, objective: Objective, x: Tensor) -> Found:
    from builder.model.precision import tolerance

    from .attribution import attribute
    from .baseline import baseline
    from .reference import plain_gradient

    model, positions = run.model, run.targets
    ids = run.ids[positions[0] :]
    integrated = params.method == "integrated_gradients"
    name = params.baseline or "zero"
    sample = len(positions) // 2
    found = attribute(
        network,
        objective,
        x,
        positions,
        ids,
        method=params.method,
        baseline=baseline(model, name, x) if integrated else None,
        steps=params.steps,
        sample=sample,
    )
    plain = plain_gradient(model, objective, x[: positions[sample]], ids[sample])
    # of a difference to the largest number; 0 for two that are 0 everywhere
    distance = float((found.samples[sample] - plain).abs().max() / plain.abs().max().clamp_min(1e-30))
    return (
        found,
        _completeness(found, name, params.steps) if integrated else {},
        {
            "gradient against plain autograd, one token": Check(distance, tolerance(run.model.network.dtype)),
            "gradient by later tokens": Check(max(found.leaks), 1e-6),
        },
    )


def _by_drops(run: Run, params: Params, network: Network, objective: Objective, x: Tensor) -> Found:
    from builder.model.precision import tolerance

    from .perturbation import by_occlusion, by_value_zeroing

    told = {}
    if params.method == "occlusion":
        told["baseline"] = params.baseline or "mean"
        found, measured = by_occlusion(run, network, objective, x, told["baseline"])
    else:
        found, measured = by_value_zeroing(run, network, objective, x)
    # f is a sum over the width of the model, about as exact as the largest logit is
    largest = max(run.said.size, 1.0)
    scale = {name: largest if name.startswith(("f ", "drop ")) else 1.0 for name in measured}
    return (
        found,
        told,
        {name: Check(value, tolerance(run.model.network.dtype) * scale[name]) for name, value in measured.items()},
    )


def _completeness(found: Attribution, baseline: str, steps: int) -> dict[str, Any]:
    """Return what tells how far the integral has come: a target's values should add up to f(x) − f(x′)."""
    changes = [there - here for there, here in zip(found.f, found.f_baseline, strict=True)]
    gaps = [abs(float(row.sum()) - change) for row, change in zip(found.values, changes, strict=True)]
    typical = median(gap / max(abs(change), 1e-6) for gap, change in zip(gaps, changes, strict=True))
    data: dict[str, Any] = {
        "completeness": _rounded(gaps, 3),
        "f": _rounded(found.f, 5),
        "f_baseline": _rounded(found.f_baseline, 5),
        "baseline": baseline,
        "steps": steps,
    }
    if typical > GAP:
        how = f"{counted(steps, 'step')} from the {baseline} baseline"
        data["warning"] = (
            f"Integrated gradients have not converged: with {how} the values of half of the tokens are off by more "
            f"than {typical:.0%} of the change that they share out."
        )
    return data


def _checks(run: Run, found: Attribution, scores: list[list[float]]) -> dict[str, Check]:
    """Return what proves any method's scores."""
    from builder.model.precision import tolerance

    return {
        # five digits of each share are published: at most 5e-5 of the sum are lost
        "rows sum to 1": Check(max((abs(sum(row) - 1) for row in scores if any(row)), default=0.0), 1e-4),
        "logits against the model's own": Check(
            max(abs(a - b) for a, b in zip(found.logits, run.said.logits.tolist(), strict=True)),
            tolerance(run.model.network.dtype) * run.said.size,
        ),
    }


def _no_numbers(run: Run, what: str) -> BuildError:
    """Return the error about numbers that are none: nothing can be said of them."""
    dtype = str(run.model.network.dtype).removeprefix("torch.")
    why = f"its weights are run as {dtype}" if "16" in dtype else "are its weights whole?"
    return BuildError(f"broken model: {what} of {run.model.name} are not all numbers (NaN or infinite); {why}")


def _rounded(values: list[float], digits: int) -> list[float]:
    return [significant(value, digits) for value in values]


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return the tokens, by position and by text."""
    return {"token": token_parts(data["tokens"])}


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is but one aspect
    """Return an explained token's row, or of another token what it gives to each of those that are, as bars."""
    name = token(data["tokens"][int(part.value)])
    return share_bars(data, int(part.value), lambda t: f"What matters to {name}. {_strongest(data, t)}")


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest share of any row, and the largest value, whatever its sign."""
    sizes = {"share": max(map(max, data["scores"]))}
    if "values" in data:
        sizes["value"] = max(abs(value) for row in data["values"] for value in row)
    return sizes


def describe(data: Mapping[str, Any]) -> str:
    """Say which tokens matter most for the first output token, and for the last one."""
    what = TARGETS[data["target"]] if data.get("contrast") is None else "logit"
    if data.get("contrast") is not None:
        what = f"logit minus that of {token({'text': data['contrast']})}"
    targets = data["targets"]
    output = "output token" if data["tokens"][targets[0]]["type"] == "output" else "token"
    start = f"Which tokens matter to {counted(len(targets), output)}, by {METHODS[data['method']]} of the {what}"
    ends = sorted({0, len(targets) - 1})
    return f"{start}. {' '.join(_strongest(data, t) for t in ends)}"


def _strongest(data: Mapping[str, Any], t: int) -> str:
    tokens, row = data["tokens"], data["scores"][t]
    order = sorted(range(len(row)), key=lambda i: -row[i])[:3]
    named = [f"{token(tokens[i])} ({share(row[i])})" for i in order]
    return f"For {token(tokens[data['targets'][t]])}: {listed(named)}."
