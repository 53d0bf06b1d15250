"""Decoding: the candidates at each step of a text, what temperature, top-k and top-p make of them, and other paths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.errors import BuildError
from builder.figure import Answer
from builder.parts import Part, Spark, token_parts
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.figure import RunSpec
    from builder.model import Run

TEMPERATURES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
TOP_PS = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Where the sliders stop, beside what the text was written with: sums over the whole vocabulary are kept for each."""

DEPTH = 100
"""Up to which top-k the logits of all tokens that it keeps are stored; sums for it take less room beyond."""

SPARKS = ("token",)
BARS = 8
"""How many candidates a word-sized graphic shows."""


@dataclass(frozen=True)
class Params:
    """`candidates`: how many of the likeliest tokens are shown at a step.

    `forks`: how many of those that were not taken are followed, each by `fork_length` tokens of greedy decoding.
    """

    candidates: int = 20
    forks: int = 3
    fork_length: int = 8

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not 2 <= self.candidates <= 50:
            yield "candidates", f"{self.candidates} is not between 2 and 50"
        if not 0 <= self.forks <= min(10, self.candidates - 1):
            yield "forks", f"{self.forks} is not between 0 and {min(10, max(self.candidates, 1) - 1)}"
        if not 0 <= self.fork_length <= 50:
            yield "fork_length", f"{self.fork_length} is not between 0 and 50"


def analyse(run: Run, params: Params) -> Answer:
    """Return each step's candidates with their logits, sums over the vocabulary, and where others would have led.

    A step is a target t: `logits[t]` of the likeliest tokens at the position before it, relative to the first one's;
    `candidates[t]`, indices into `vocabulary`, of those that are shown; `places[t]` and `own[t]` are the place and
    logit of the token that stands in the text, `probabilities[t]` what it had with the settings it was written with
    (`initial`), when `left[t]` tokens could be drawn. `levels` holds, for the vocabulary as a whole (`top_k` 0) and for
    a large top-k, what makes probabilities exact at every stop of the sliders; see `tables`.

    Raises `BuildError` for a text of one token.
    """
    from .checks import checks
    from .forks import follow
    from .tables import drawn, read_levels, read_steps
    from .words import Words

    if not run.targets:
        raise BuildError("missing output: the prompt is one token and nothing follows it, so no step was taken")
    initial = _initial(run.spec)
    temperatures = sorted({*TEMPERATURES, initial["temperature"]})
    top_ps = sorted({*TOP_PS, initial["top_p"]} - {1.0})
    n = min(params.candidates, run.logits.shape[-1])
    beyond = [initial["top_k"]] if n < initial["top_k"] < run.logits.shape[-1] else []
    depth = max(n, *(k for k in beyond if k <= DEPTH), 0)
    steps = read_steps(run.logits, run.ids[run.targets[0] :], depth)
    levels = read_levels(run.logits, depth, temperatures, top_ps, [*(k for k in beyond if k > DEPTH), 0])
    forks = follow(run, steps.ids, params.forks, params.fork_length)
    probabilities, left = drawn(run.logits, run.ids[run.targets[0] :], initial)
    words = Words(run.model.pieces)
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": run.targets,
        "candidates": [[words.index(v) for v in row[:n]] for row in steps.ids],
        "logits": steps.logits,
        "tied": steps.tied,
        "places": steps.places,
        "own": steps.own,
        "probabilities": probabilities,
        "left": left,
        "temperatures": temperatures,
        "top_ks": [*range(1, n + 1), *beyond, 0],
        "top_ps": [*top_ps, 1.0],
        "levels": levels,
        "forks": [[words.fork(fork) for fork in step] for step in forks],
        "vocab_size": run.logits.shape[-1],
        "written": "given" if not _generated(run.spec) else "sampled" if run.spec.do_sample else "greedy",
        "initial": initial,
    }
    data["vocabulary"] = words.texts
    return Answer(data, checks(run, data, steps.ids, forks))


def _generated(spec: RunSpec) -> bool:
    return spec.output is None and spec.generate > 0


def _initial(spec: RunSpec) -> dict[str, Any]:
    """Return what the text was written with; what greedy decoding does not read is off."""
    if _generated(spec) and spec.do_sample:
        return {"temperature": spec.temperature, "top_k": spec.top_k, "top_p": spec.top_p}
    return {"temperature": 1.0, "top_k": 0, "top_p": 1.0}


def _probabilities(data: Mapping[str, Any], t: int) -> list[float]:
    """Return the candidates' probabilities at the temperature that the text was written with, nothing cut off."""
    at = data["temperatures"].index(data["initial"]["temperature"])
    total = data["levels"][-1]["log_sums"][t][at]
    return [math.exp(z / data["initial"]["temperature"] - total) for z in data["logits"][t]]


def parts(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Part]]:
    """The tokens that a step wrote, by text and position."""
    return {"token": token_parts(data["tokens"], data["targets"])}


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is one aspect
    """The first candidates of a step as bars, the one that stands in the text marked."""
    t = data["targets"].index(part.value)
    found = _probabilities(data, t)[:BARS]
    place = data["places"][t]
    named = zip(data["candidates"][t][:3], found, strict=False)
    first = [f"{token({'text': data['vocabulary'][v]})} {share(p)}" for v, p in named]
    return Spark(
        values=tuple(p / found[0] for p in found),
        label=f"candidates for {token(data['tokens'][part.value])}: {', '.join(first)}",
        shape="bars",
        mark=place - 1 if place <= len(found) else None,
    )


def describe(data: Mapping[str, Any]) -> str:
    """Say how the text was written, and what else the first step could have been."""
    how = {
        "greedy": "the likeliest token at each step",
        "sampled": f"drawn at temperature {data['initial']['temperature']:g}",
        "given": "given, not generated",
    }[data["written"]]
    first = zip(data["candidates"][0][:3], _probabilities(data, 0), strict=False)
    shown = listed([f"{token({'text': data['vocabulary'][v]})} ({share(p)})" for v, p in first])
    taken = token(data["tokens"][data["targets"][0]])
    steps = f"Candidates at {counted(len(data['targets']), 'step')} of a text, {how}"
    return f"{steps}. For the first, {taken}, they begin with {shown}."
