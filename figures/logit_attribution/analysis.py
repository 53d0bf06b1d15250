"""Logit attribution: an answer's logit as the sum of what the embeddings, every head and every MLP wrote towards it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from builder.figure import Answer
from builder.parts import Part, Spark, layer_parts
from builder.rounding import significant
from builder.spoken import listed, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import Run

NEEDS = ("attention",)
SPARKS = ("layer", "head")


@dataclass(frozen=True)
class Params:
    """Whose logit is shared out, and where.

    `answer` is one token, such as " Paris": by default the one that stands at `position`, and after the text the
    model's first choice. With a `foil`, such as " Rome", it is the difference of the two logits: why this and not that.
    `position` is that of the predicted token, by default of the first output token.
    """

    answer: str | None = None
    foil: str | None = None
    position: int | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        for name in ("answer", "foil"):
            if getattr(self, name) == "":
                yield name, "it is empty; name a token such as ' Paris'"
        if self.position is not None and self.position < 1:
            yield "position", f"{self.position} is below 1; nothing stands before the first token"


def analyse(run: Run, params: Params) -> Answer:
    """Return what each part of the model adds to the answer's logit, less the foil's, in units of the logit.

    `heads[layer][head]`, `biases[layer]` (an attention's, no head's), `mlps[layer]`, `embeddings` by name and
    `constant` (biases after the last block) add up to `total`. `capped` says that the model squashes its logits
    afterwards: then `total` is about what goes into that soft cap.

    Raises `BuildError` for texts that are no single tokens, for a position that nothing stands before, and for a model
    whose blocks, or whose way from the last block to the logits, are no sums of parts.

    Elhage et al. 2021, https://transformer-circuits.pub/2021/framework/index.html
    Wang et al. 2022, https://arxiv.org/abs/2211.00593
    """
    from builder.model.answers import logits_at, read_question, said
    from builder.model.decomposition import decompose
    from builder.model.frozen import read_out

    from .checks import checks

    question = read_question(run, params.answer, params.foil, params.position)
    logits = logits_at(run, question.position)
    parts = decompose(run, question.position - 1)
    way = read_out(run.model, question, parts.stream[-1])
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "position": question.position,
        "answer": said(run, question.answer, logits),
        "foil": None if question.foil is None else said(run, question.foil, logits),
        "n_layers": run.model.n_layers,
        "n_heads": parts.heads.shape[1],
        "total": short(way.value),
        "capped": way.capped,
        "embeddings": {name: short(float(part @ way.direction)) for name, part in parts.embeddings.items()},
        "heads": [[short(v) for v in row] for row in (parts.heads @ way.direction).tolist()],
        "biases": [short(v) for v in (parts.biases @ way.direction).tolist()],
        "mlps": [short(v) for v in (parts.mlps @ way.direction).tolist()],
        "constant": short(way.constant),
    }
    return Answer(data, checks(run, question, parts, way, data))


def short(value: float) -> float:
    """Return a number of five digits, and nothing for what is lost in the rounding of float32."""
    return significant(value, 5) if abs(value) > 1e-6 else 0.0


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: heads as "21.5", layers and MLPs by their layer's number."""
    layers = layer_parts(map(str, range(data["n_layers"])))
    heads = {
        name: Part(name)
        for layer in range(data["n_layers"])
        for head in range(data["n_heads"])
        for name in [f"{layer}.{head}"]
    }
    return {"head": heads, "layer": layers, "mlp": dict(layers)}


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:
    """Return the heads of a layer as bars, nothing in the middle, and of a head's layer the head marked."""
    layer, _, head = str(part.value).partition(".")
    row = data["heads"][int(layer)]
    most = max(map(abs, row)) or 1.0
    values = tuple(round((v / most + 1) / 2, 3) for v in row)
    mark = int(head) if aspect == "head" else max(range(len(row)), key=lambda h: abs(row[h]))
    label = f"what the {len(row)} heads of layer {layer} add; head {mark}: {signed(row[mark])}"
    return Spark(values, label, "bars", mark=mark)


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest part of any head, whatever its sign, and how far the sum goes below and above 0."""
    layers = zip(data["heads"], data["biases"], data["mlps"], strict=True)
    steps = [*data["embeddings"].values(), *(v for row, bias, mlp in layers for v in (sum(row) + bias, mlp))]
    sums = [0.0, *accumulate([*steps, data["constant"]])]
    most = max(abs(v) for row in data["heads"] for v in row)
    return {"head": most, "above": round(max(sums), 4), "below": round(-min(sums), 4)}


def describe(data: Mapping[str, Any]) -> str:
    """Say what the sum is about, and which heads and MLPs add most to it."""
    heads = [(v, f"head {h} of layer {layer}") for layer, row in enumerate(data["heads"]) for h, v in enumerate(row)]
    mlps = [(v, f"the MLP of layer {layer}") for layer, v in enumerate(data["mlps"])]
    most = sorted(heads + mlps, key=lambda found: -abs(found[0]))[:3]
    foil = f" over {token(data['foil'])}" if data["foil"] else ""
    about = f"The logit of {token(data['answer'])}{foil}, {signed(data['total'])}, as a sum over the model’s parts"
    return f"{about}; most is added by {listed([f'{name} ({signed(v)})' for v, name in most])}."


def signed(value: float) -> str:
    """Return a number with its sign and two digits behind the point."""
    return f"{value:+.2f}".replace("-", "−")
