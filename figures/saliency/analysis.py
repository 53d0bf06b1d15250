"""Saliency: how much each token matters to each later output token, by gradients of the model."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from builder.model import Run

    from .attribution import Attribution

GAP = 0.1
"""From which typical gap on, as a share of f(x) − f(x′), a reader is warned of integrated gradients."""

METHODS = {
    "gradient_x_input": "gradient × input",
    "gradient": "gradient norm",
    "integrated_gradients": "integrated gradients",
}


@dataclass(frozen=True)
class Params:
    """How importance is measured.

    `target` is what is explained of an output token: its logit, or the logarithm of its probability. With `contrast`,
    one token of the vocabulary such as " are", it is the difference of the two logits: why this token and not that.
    `detail` adds a bar and a percentage to each token. `steps` and `baseline` are integrated gradients' own.
    """

    method: Literal["gradient_x_input", "gradient", "integrated_gradients"] = "gradient_x_input"
    target: Literal["logit", "logprob"] = "logit"
    contrast: str | None = None
    detail: bool = False
    steps: int = 50
    baseline: Literal["zero", "mean", "pad", "eos"] = "zero"

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not 1 <= self.steps <= 1000:
            yield "steps", f"{self.steps} is not between 1 and 1000"
        if self.contrast == "":
            yield "contrast", "it is empty"


def analyse(run: Run, params: Params) -> Answer:
    """Return `scores[t]`, the share of each earlier position in the importance for target t; a row sums to 1.

    A row is all 0 only where f does not depend on the inputs, as for a token contrasted with itself. Integrated
    gradients keep their signs in `values[t]`, and `completeness[t]` is |Σ values − (f(x) − f(x′))|.

    Raises `BuildError` for a text of one token, for a contrast that is not one, and for a baseline token that the
    tokenizer lacks.
    """
    import torch

    from .attribution import attribute
    from .baseline import baseline
    from .gradients import Network
    from .objective import Objective, softmax
    from .reference import plain_gradient

    model, positions = run.model, run.targets
    if not positions:
        raise BuildError("missing output: the prompt is one token and nothing follows it, so nothing can be explained")
    ids = run.ids[torch.tensor(positions, device=run.ids.device)]
    objective = Objective(params.target, _foil(run, params.contrast))
    x = model.embed(run.ids).detach()
    integrated = params.method == "integrated_gradients"
    sample = len(positions) // 2
    found = attribute(
        Network(run.forward_embeddings, model.head_logits),
        objective,
        x,
        positions,
        ids,
        method=params.method,
        baseline=baseline(model, params.baseline, x) if integrated else None,
        steps=params.steps,
        sample=sample,
    )
    plain = plain_gradient(model.network, objective, x[: positions[sample]], ids[sample], model.context)
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": positions,
        "scores": [_rounded(row.tolist(), 5) for row in found.scores],
        "probabilities": _rounded(softmax(run.logits).gather(-1, ids[:, None])[:, 0].tolist(), 4),
        "method": params.method,
        "target": params.target,
        "contrast": params.contrast,
        "detail": params.detail,
    }
    if integrated:
        data |= _completeness(found, params)
    return Answer(data, _checks(run, found, _distance(found.samples[sample], plain), data["scores"]))


def _foil(run: Run, contrast: str | None) -> int | None:
    """Return the id of the contrast, encoded as what could follow the prompt."""
    if contrast is None:
        return None
    model = run.model
    ids = model.encode_output(run.spec.prompt, model.encode(run.spec.prompt)[0], contrast)
    if len(ids) != 1:
        parts = listed([repr(model.token_text(part)) for part in ids])
        raise BuildError(
            f"invalid contrast: {contrast!r} is {counted(len(ids), 'token')} of model {model.name} and not one: {parts}"
        )
    return ids[0]


def _completeness(found: Attribution, params: Params) -> dict[str, Any]:
    """Return what tells how far the integral has come: a target's values should add up to f(x) − f(x′)."""
    changes = [there - here for there, here in zip(found.f, found.f_baseline, strict=True)]
    gaps = [abs(float(row.sum()) - change) for row, change in zip(found.values, changes, strict=True)]
    typical = median(gap / max(abs(change), 1e-6) for gap, change in zip(gaps, changes, strict=True))
    data: dict[str, Any] = {
        "values": [_rounded(row.tolist(), 5) for row in found.values],
        "completeness": _rounded(gaps, 3),
        "f": _rounded(found.f, 5),
        "f_baseline": _rounded(found.f_baseline, 5),
        "baseline": params.baseline,
        "steps": params.steps,
    }
    if typical > GAP:
        how = f"{counted(params.steps, 'step')} from the {params.baseline} baseline"
        data["warning"] = (
            f"Integrated gradients have not converged: with {how} the values of half of the tokens are off by more "
            f"than {typical:.0%} of the change that they share out."
        )
    return data


def _checks(run: Run, found: Attribution, distance: float, scores: list[list[float]]) -> dict[str, Check]:
    """Return what proves the scores; bounds are for float32, or half of the digits of a shorter format."""
    import torch

    eps = torch.finfo(run.model.network.dtype).eps
    bound = 1e-4 if eps < 1e-6 else eps**0.5
    own = [float(row[token]) for row, token in zip(run.logits, run.ids[run.targets[0] :], strict=True)]
    return {
        # five digits of each share are published: at most 5e-5 of the sum are lost
        "rows sum to 1": Check(max((abs(sum(row) - 1) for row in scores if any(row)), default=0.0), 1e-4),
        "gradient against plain autograd, one token": Check(distance, bound),
        "gradient by later tokens": Check(max(found.leaks), 1e-6),
        "logits against the model's own": Check(
            max(abs(a - b) for a, b in zip(found.logits, own, strict=True)), bound * float(run.logits.abs().max())
        ),
    }


def _distance(ours: Tensor, plain: Tensor) -> float:
    """Return the largest difference over the largest number; 0 for two that are 0 everywhere."""
    return float((ours - plain).abs().max() / plain.abs().max().clamp_min(1e-30))


def _rounded(values: list[float], digits: int) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in values]


def describe(data: Mapping[str, Any]) -> str:
    """Say which tokens matter most for the first output token, and for the last one."""
    what = "logit" if data["target"] == "logit" else "log-probability"
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
    parts = [f"{token(tokens[i])} ({share(row[i])})" for i in order]
    return f"For {token(tokens[data['targets'][t]])}: {listed(parts)}."
