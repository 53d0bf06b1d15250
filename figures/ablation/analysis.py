"""Ablation: what an answer loses without a head, an attention, an MLP, a factor's neurons or an attention edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.figure import Answer
from builder.parts import Part, Spark, layer_parts, numbered_parts, token_parts
from builder.ranges import window
from builder.spoken import listed, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import Run


NEEDS = ("attention",)
SPARKS = ("layer",)
MOST = 16


@dataclass(frozen=True)
class Params:
    """What is taken out, and of which answer.

    `answer` is one token, such as " Paris": by default the one that stands at `position`, and after the text the
    model's first choice. With a `foil`, such as " Rome", losses are those of the difference of the two logits.
    `position` is that of the predicted token, by default of the first output token. In the place of a part stands
    nothing (`replace: zero`) or its mean over the positions. `factors`: how many factors of the text, whose neurons are
    taken out as well. `edges: true` cuts what the last token looks at, an earlier token at a time, in each layer, or in
    a `window` of so many layers around it.
    """

    answer: str | None = None
    foil: str | None = None
    position: int | None = None
    replace: Literal["zero", "mean"] = "zero"
    factors: int = 0
    edges: bool = False
    window: int = 1

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        for name in ("answer", "foil"):
            if getattr(self, name) == "":
                yield name, "it is empty; name a token such as ' Paris'"
        if self.position is not None and self.position < 1:
            yield "position", f"{self.position} is below 1; nothing stands before the first token"
        if not 0 <= self.factors <= MOST:
            yield "factors", f"{self.factors} is not between 0 and {MOST}"
        if self.window < 1:
            yield "window", f"{self.window} is below 1"
        elif self.window > 1 and not self.edges:
            yield "window", "it is about edges, which are not asked for (did you mean edges: true?)"


def analyse(run: Run, params: Params) -> Answer:
    """Return what the answer's logit, less the foil's, loses without each part: what it is less what it then is.

    `heads`, `attentions`, `mlps`, `factors` and `edges` hold `lost`, `probabilities` of the answer, and `says`, the
    likeliest token by its index in `vocabulary`: [layer][head], [layer], [layer], [factor], [layer][position]. Without
    a layer's attention or MLP there is None. `factors.drawn` is what is lost without as many other neurons, and
    `edges.spans` are the first and last of the layers in which each row's edges are cut.

    Raises `BuildError` for texts that are no single tokens, for a position that nothing stands before, for more factors
    than tokens, and for a model whose heads, neurons or edges cannot be taken out.
    """
    from builder.model.answers import logits_at, read_question, said

    from .checks import Measured, checks
    from .edges import read_memory
    from .heads import read_heads
    from .neurons import find_factors
    from .parts import without_parts
    from .published import Told, picked, short, told_factors, turned
    from .text import read_text

    model = run.model
    question = read_question(run, params.answer, params.foil, params.position)
    text = read_text(run, question)
    heads = read_heads(run, text)
    memory = read_memory(run, text) if params.edges else None
    factors = find_factors(run, text, params.factors) if params.factors else None
    clean, vocabulary = text.clean, Told(model.pieces)
    logits = logits_at(run, question.position)

    layers = without_parts(text, heads, range(model.n_layers), params.replace)
    wholes = [vocabulary.told(clean, effects, slice(-2, None)) for effects in layers]
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "position": question.position,
        "answer": said(run, question.answer, logits),
        "foil": None if question.foil is None else said(run, question.foil, logits),
        "n_layers": model.n_layers,
        "n_heads": max(own.n for own in heads.values()),
        "value": short(float(clean.values)),
        "probability": short(float(clean.probabilities), 4),
        "replace": params.replace,
        "heads": turned([vocabulary.told(clean, effects, slice(0, -2)) for effects in layers]),
        "attentions": picked(wholes, 0, model.structure.attentions),
        "mlps": picked(wholes, 1, model.structure.mlps),
        "factors": None,
        "edges": None,
    }
    if factors is not None:
        data["factors"] = told_factors(text, factors, vocabulary)
    measured = Measured(run, text, heads, params.replace, layers)
    if memory is not None:
        spans = [window(layer, params.window, model.n_layers) for layer in range(model.n_layers)]
        cut = memory.without_edges(spans, range(len(text.ids)))
        told = turned([vocabulary.told(clean, effects) for effects in cut.effects])
        data["edges"] = {**told, "window": params.window, "spans": [[span[0], span[-1]] for span in spans]}
        measured = measured._replace(memory=memory, edges=cut, spans=spans)
    data["vocabulary"] = vocabulary.texts
    return Answer(data, checks(measured))


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: heads as "21.5", layers and MLPs by their layer's number, factors, tokens."""
    layers = layer_parts(map(str, range(data["n_layers"])))
    heads = {
        name: Part(name)
        for layer, row in enumerate(data["heads"]["lost"])
        for head in range(len(row))
        for name in [f"{layer}.{head}"]
    }
    named = {"head": heads, "layer": layers, "mlp": dict(layers)}
    if data["factors"]:
        named["factor"] = numbered_parts(len(data["factors"]["lost"]))
    if data["edges"]:
        named["token"] = token_parts(data["tokens"], range(data["position"]))
    return named


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is one aspect
    """Return what is lost without each head of a layer as bars, nothing in the middle."""
    row = data["heads"]["lost"][int(part.value)]
    most = max(map(abs, row), default=0.0) or 1.0
    values = tuple(round((v / most + 1) / 2, 3) for v in row)
    mark = max(range(len(row)), key=lambda h: abs(row[h]), default=None)
    strongest = "" if mark is None else f"; most without head {mark}: {signed(row[mark])}"
    return Spark(values, f"what is lost without each head of layer {part.value}{strongest}", "bars", mark=mark)


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest loss of any head, and edge, whatever its sign, and how far the bars go below and above 0."""
    factors = data["factors"]["lost"] if data["factors"] else []
    bars = [0.0, *(v for v in (*data["attentions"]["lost"], *data["mlps"]["lost"], *factors) if v is not None)]
    sizes = {"head": max(abs(v) for row in data["heads"]["lost"] for v in row), "above": max(bars), "below": -min(bars)}
    if data["edges"]:
        sizes["edge"] = max(abs(v) for row in data["edges"]["lost"] for v in row)
    return sizes


def describe(data: Mapping[str, Any]) -> str:
    """Say what is asked, and without which heads and MLPs most is lost."""
    heads = [
        (v, f"head {h} of layer {layer}") for layer, row in enumerate(data["heads"]["lost"]) for h, v in enumerate(row)
    ]
    mlps = [(v, f"the MLP of layer {layer}") for layer, v in enumerate(data["mlps"]["lost"]) if v is not None]
    most = sorted(heads, key=lambda found: -found[0])[:2] + sorted(mlps, key=lambda found: -found[0])[:1]
    foil = f" over {token(data['foil'])}" if data["foil"] else ""
    about = f"What the logit of {token(data['answer'])}{foil}, {signed(data['value'])}, loses without each part"
    return f"{about}: {listed([f'{signed(v)} without {name}' for v, name in most])}."


def signed(value: float) -> str:
    """Return a number with its sign and two digits behind the point."""
    return f"{value:+.2f}".replace("-", "−")
