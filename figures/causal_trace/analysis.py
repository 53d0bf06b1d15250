"""Causal trace: a text and a corrupted one, and what each state of the one does when it is put into the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer
from builder.parts import Part, Spark, layer_parts, token_parts
from builder.ranges import window
from builder.spoken import listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from builder.model import Model, Run
    from builder.model.answers import Question
    from builder.model.interventions import State

    from .corruption import Corruption

READS = ("decoder",)
SPARKS = ("token",)
STATES = {"residual": "residual stream", "attention": "attention", "mlp": "MLP"}
MOST, LEAST = 0.5, 0.005
"""Of the difference: what a description calls most of it, and from where on it speaks of an effect."""
GAINS = (
    "The corrupted run speaks for the answer more than the clean one does: effects are shares of what it gains, not of "
    "what it loses."
)


@dataclass(frozen=True)
class Params:
    """What is measured, what is corrupted, and what is put back.

    `answer`: the token whose place is after the prompt, the first one of the output unless named. With a `foil` it is
    the difference of the two logits that is measured; without, by `metric`, the answer's log-probability unless said
    otherwise. `corrupted` is another prompt of as many tokens; or `subject` names words of the prompt whose embeddings
    get Gaussian noise, `noise` times as wide as embeddings are, in `samples` runs that are averaged. `window`: in how
    many layers around the one named attention and MLP outputs are put back. `direction: corrupt` puts states of the
    corrupted run into the clean one instead.
    """

    answer: str | None = None
    foil: str | None = None
    corrupted: str | None = None
    subject: str | None = None
    metric: Literal["logit", "logprob", "probability"] | None = None
    states: tuple[Literal["residual", "attention", "mlp"], ...] = ("residual", "attention", "mlp")
    window: int = 1
    direction: Literal["restore", "corrupt"] = "restore"
    noise: float = 3.0
    samples: int = 5
    seed: int = 0

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if self.corrupted is None and self.subject is None:
            yield "corrupted", "it is missing; write a prompt of as many tokens, or name a subject that gets noise"
        if self.corrupted is not None and self.subject is not None:
            yield "subject", "the prompt is corrupted either by another prompt or by noise on a subject, not by both"
        for name in ("corrupted", "subject", "answer", "foil"):
            if getattr(self, name) is not None and not getattr(self, name).strip(" " if name != "subject" else None):
                yield name, "it is empty"
        if self.foil is not None and self.metric in ("logprob", "probability"):
            yield "metric", "against a foil it is the difference of the two logits that is measured"
        if not self.states:
            yield "states", "it is empty; name residual, attention or mlp"
        if len(set(self.states)) < len(self.states):
            yield "states", "one of them stands there twice"
        if not 1 <= self.window <= 100:
            yield "window", f"{self.window} is not between 1 and 100"
        if not 0 < self.noise <= 100:
            yield "noise", f"{self.noise:g} is not above 0 and at most 100"
        if not 1 <= self.samples <= 50:
            yield "samples", f"{self.samples} is not between 1 and 50"


def analyse(run: Run, params: Params) -> Answer:
    """Return `effects[state][layer][position]`: the share of the difference of the two runs that one state makes.

    Traced is the prompt alone; its last position predicts the answer. `direction: restore`: (patched − corrupted) /
    (clean − corrupted), the state being the clean run's, in the corrupted one; `corrupt`: (clean − patched) / (clean −
    corrupted), the other way round. 0 is no effect, 1 all of it; four digits after the point. Before `first`, the first
    position where the texts differ, states are the same, and effects 0. Layer 0 is block 0; the residual stream is what
    a block hands on, attention and MLP what they hand on within it, before it is added; `spans` are the first and last
    layers in which these two are put back. Of noise, means over samples.

    Raises `BuildError` for an answer, a corrupted prompt, a subject or states that cannot be, and for runs that do not
    differ in what is measured.

    Meng et al. 2022, https://arxiv.org/abs/2202.05262; Wang et al. 2022, https://arxiv.org/abs/2211.00593
    """
    import torch

    from builder.model.answers import read_question
    from builder.model.interventions import record_states

    from .checks import checks
    from .published import about_noise, about_run, rows
    from .trace import trace

    model, ids = run.model, run.ids[: run.n_input]
    layers = range(model.n_layers)
    question = read_question(run, params.answer, params.foil)
    lacking = _lacking(model, params.states)
    corruption = _corrupt(run, params)
    metric = "logit" if params.foil is not None else params.metric or "logprob"
    measure = _measure(question, metric)
    clean = record_states(model.structure, lambda: model.forward_ids(ids[None]))
    first = corruption.positions[0]
    restore = params.direction == "restore"
    samples = list(corruption.states(model))
    pairs = [(corrupted, clean) if restore else (clean, corrupted) for corrupted in samples]
    with torch.no_grad():
        clean_logits = model.head_logits(clean.final[-1:]).float()
        corrupted_logits = torch.cat([model.head_logits(corrupted.final[-1:]).float() for corrupted in samples])
    ends_at = [float(measure(logits).cpu().double().mean()) for logits in (clean_logits, corrupted_logits)]
    gap = _gap(run, params, question, *ends_at)
    values = trace(
        model,
        corruption.ids if restore else ids,
        pairs,
        measure,
        states=params.states,
        positions=list(range(first, len(ids))),
        window=params.window,
    )
    start = measure(corrupted_logits if restore else clean_logits).cpu().double()[:, None, None, None]
    changes = values - start if restore else start - values
    effects = changes.mean(0) / gap
    data = {
        "tokens": run.tokens[: run.n_input],
        "positions": corruption.positions,
        "first": first,
        "n_layers": model.n_layers,
        "states": list(params.states),
        "lacking": lacking,
        "window": params.window,
        "spans": [[span[0], span[-1]] for span in (window(k, params.window, model.n_layers) for k in layers)],
        "direction": params.direction,
        "metric": metric,
        "runs": {
            "clean": about_run(run, question, clean_logits, ends_at[0]),
            "corrupted": {**about_run(run, question, corrupted_logits, ends_at[1]), "tokens": corruption.tokens},
        },
        "noise": about_noise(params, corruption),
        "effects": {s: rows(grid, first) for s, grid in zip(params.states, effects, strict=True)},
    }
    if gap < 0:
        data["warning"] = GAINS
    return Answer(data, checks(run, params, corruption, *pairs[0], measure, values[0]))


def _lacking(model: Model, states: Sequence[State]) -> dict[str, list[int]]:
    """Return for each state the layers without it. Raises `BuildError` for a state that no layer has."""
    from builder.model.interventions import modules_of

    lacking: dict[str, list[int]] = {}
    for state in states:
        modules = modules_of(model.structure, state)
        if not any(modules):
            have = [name for name in STATES if any(modules_of(model.structure, name))]  # type: ignore[arg-type]
            raise BuildError(f"unsupported states: model {model.name} has no {state} (did you mean {listed(have)}?)")
        lacking[state] = [layer for layer, module in enumerate(modules) if module is None]
    return lacking


def _corrupt(run: Run, params: Params) -> Corruption:
    """Return what is done to the prompt. Raises `BuildError` for what cannot be."""
    from .corruption import by_noise, by_prompt

    if params.corrupted is not None:
        return by_prompt(run, params.corrupted)
    return by_noise(run, params.subject or "", params.noise, params.samples, params.seed)


def _measure(question: Question, metric: str) -> Any:
    """Return what is measured of logits [B, vocab] at the last position, as a function to [B]."""

    def measure(logits: Tensor) -> Tensor:
        if metric == "logit":
            return question.value(logits)
        logs = logits.cpu().double().log_softmax(-1)[..., question.answer]
        return logs if metric == "logprob" else logs.exp()

    return measure


def _gap(run: Run, params: Params, question: Question, clean: float, corrupted: float) -> float:
    """Return what is shared out. Raises `BuildError` where it is nothing that float32 could tell from rounding."""
    gap = clean - corrupted
    if abs(gap) > 1e-3 * max(abs(clean), abs(corrupted)):
        return gap
    what = repr(run.model.token_text(question.answer))
    if question.foil is not None:
        what += f" against {run.model.token_text(question.foil)!r}"
    culprit = "corrupted" if params.corrupted is not None else "noise"
    raise BuildError(
        f"invalid {culprit}: it changes nothing of {what}, which is {clean:.4g} with the prompt and {corrupted:.4g} "
        "with the corrupted one, so there is nothing to restore"
    )


def describe(data: Mapping[str, Any]) -> str:
    """Say what is traced, where the residual stream carries the answer, and which outputs matter most."""
    answer, foil = (data["runs"]["clean"][name] for name in ("answer", "foil"))
    against = f" against {token(foil)}" if foil else ""
    verb = "restoring" if data["direction"] == "restore" else "corrupting"
    said = [f"What {verb} one state at a time does to {token(answer)}{against}"]
    if "residual" in data["effects"]:
        said.append(_carried(data))
    said += [_strongest(data, state) for state in ("attention", "mlp") if state in data["effects"]]
    return f"{'. '.join(said)}."


def _carried(data: Mapping[str, Any]) -> str:
    """Say at which tokens, and in which layers, a state of the residual stream makes most of the difference."""
    rows = data["effects"]["residual"]
    found = []
    for position in range(data["first"], len(data["tokens"])):
        layers = [layer for layer, row in enumerate(rows) if row[position] >= MOST]
        if layers:
            span = f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]} to {layers[-1]}"
            found.append((len(layers), position, f"at {token(data['tokens'][position])} in {span}"))
    shown = sorted(sorted(found, reverse=True)[:3], key=lambda entry: entry[1])
    where = listed([text for _, _, text in shown])
    return f"In the residual stream most of the difference is {where}" if found else "No state alone makes most of it"


def _strongest(data: Mapping[str, Any], state: str) -> str:
    """Say which output has the largest effect, whatever its sign."""
    rows = data["effects"][state]
    effect, layer, position = max((abs(e), -r, -c) for r, row in enumerate(rows) for c, e in enumerate(row))
    if effect < LEAST:
        return f"No {STATES[state]} output alone matters"
    signed = f"{rows[-layer][-position]:.0%}".replace("-", "−")
    where = f"layer {-layer} at {token(data['tokens'][-position])}"
    return f"Of {STATES[state]} outputs that of {where} has the largest effect, {signed}"


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: tokens from the first corrupted one on, layers by number, states by name."""
    return {
        "token": token_parts(data["tokens"], range(data["first"], len(data["tokens"]))),
        "layer": layer_parts(map(str, range(data["n_layers"]))),
        "state": {state: Part(state) for state in data["states"]},
    }


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is one aspect
    """Return the effect of a token's first kind of state over the layers, from none at the bottom to all at the top."""
    at, state = int(part.value), data["states"][0]
    course = [row[at] for row in data["effects"][state]]
    values = tuple(min(max(effect, 0.0), 1.0) for effect in course)
    best = max(range(len(course)), key=lambda layer: values[layer])
    name = token(data["tokens"][at])
    label = f"effect of the {STATES[state]} at {name}: at most {share(values[best])}, in layer {best}"
    return Spark(values, label, mark=best)


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest effect, whatever its sign."""
    return {"effect": max(abs(e) for rows in data["effects"].values() for row in rows for e in row)}
