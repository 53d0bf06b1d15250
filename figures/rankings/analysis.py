"""Rankings: the place of every output token among all tokens, after every layer, by the logit lens."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer
from builder.parts import Part, Spark, token_parts
from builder.rounding import significant
from builder.spoken import counted, listed, token

from .packed import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.model import Run
    from builder.model.lens import Reading

SPARKS = ("token",)

AT_ONCE = 3
"""How many top tokens of each cell lie in the figure's data; more are fetched, a layer at a time."""

WARNING = (
    "Read as Ecco reads it, without the model’s final normalisation before the last layer, to match its numbers: "
    "they are not what the model would say if it stopped there."
)


@dataclass(frozen=True)
class Params:
    """What is ranked and how it is shown.

    `top`: how many of the likeliest tokens a cell tells, 1 to 10. `embeddings`: whether what enters block 0 is read
    too. `display`: a `grid` of numbers, or the `text` with each token's course under it; a reader can switch.
    `reproduce: ecco` leaves out the final norm before the last layer, as Ecco does.
    """

    top: int = 3
    embeddings: bool = True
    display: Literal["grid", "text"] = "grid"
    reproduce: Literal["ecco"] | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not 1 <= self.top <= 10:
            yield "top", f"{self.top} is not between 1 and 10"


def analyse(run: Run, params: Params) -> Answer:
    """Return ranks, probabilities, top tokens, entropy and KL at the position before each target, after each block.

    `ranks[layer][t]` is 1 + #{v : z_v > z_t} of target t in the logits z that the model's own norm and head make of
    block `layer`'s output at the position before it; layer 0 is block 0. `probabilities[layer][t]` has four digits.
    `embeddings` holds the same of what enters block 0. The packed arrays begin with its row, if there is one:
    `entropy` and `kl` (of the last layer's distribution from the row's) in nats, off by half of their `scale` at most,
    and `top`, indices into `vocabulary`. `means` are those of each row, in nats.

    Raises `BuildError` for a text of one token.

    nostalgebraist 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens
    Belrose et al. 2023, https://arxiv.org/abs/2303.08112
    """
    import torch

    from builder.model.stream import read_positions
    from builder.model.tokens import Vocabulary

    from .checks import checks
    from .packed import pack

    model = run.model
    if not run.targets:
        raise BuildError("missing output: the prompt is one token and nothing follows it, so nothing can be ranked")
    places = [position - 1 for position in run.targets]
    ids = run.ids[torch.tensor(run.targets, device=run.ids.device)]
    reading = read_positions(run, places, ids, top=params.top, embeddings=params.embeddings, reproduce=params.reproduce)

    first = int(params.embeddings)
    ranks = reading.ranks.tolist()
    probabilities = [[significant(p) for p in row] for row in reading.probabilities.tolist()]
    vocabulary = Vocabulary(model.pieces)
    top = reading.top[..., :AT_ONCE].clone().apply_(vocabulary.__getitem__)
    entropy, kl = (
        pack(reading.entropies.clamp(min=0).numpy()),
        pack(reading.divergences.clamp(min=0).numpy()),
    )
    data = {
        "tokens": run.tokens,
        "targets": run.targets,
        "n_layers": model.n_layers,
        "vocab_size": model.logits_size,
        "display": params.display,
        "layers": [*["embeddings"] * first, *map(str, range(model.n_layers))],
        "ranks": ranks[first:],
        "probabilities": probabilities[first:],
        "embeddings": {"ranks": ranks[0], "probabilities": probabilities[0]} if first else None,
        "entropy": entropy,
        "kl": kl,
        "means": _means(reading),
        "most_top": params.top,
        "top": pack(top.numpy()),
        "vocabulary": vocabulary.texts,
    }
    if params.reproduce == "ecco":
        data["warning"] = WARNING
    pieces = {}
    if params.top > AT_ONCE:
        names = [f"layer-{name}" if name.isdecimal() else name for name in data["layers"]]
        texts = [[[model.pieces.shown(v) for v in tops] for tops in row] for row in reading.top.tolist()]
        pieces = {name: {"top": row} for name, row in zip(names, texts, strict=True)}
    return Answer(data, checks(run, reading, data, params), pieces)


def _means(reading: Reading) -> dict[str, list[float]]:
    """Return means over the targets, a number a row: entropy, KL and cross-entropy, in nats."""
    rows = {
        "entropy": reading.entropies.mean(-1),
        "kl": reading.divergences.clamp(min=0).mean(-1),
        "cross_entropy": -reading.probabilities.clamp(min=1e-300).log().mean(-1),
    }
    return {name: [significant(mean) for mean in means.tolist()] for name, means in rows.items()}


def describe(data: Mapping[str, Any]) -> str:
    """Say from which layer on each of the first output tokens ranks first."""
    shown = [_course(data, t) for t in range(min(3, len(data["targets"])))]
    rest = len(data["targets"]) - len(shown)
    more = f", and {counted(rest, 'token')} more" if rest else ""
    ranked = f"Ranks of {counted(len(data['targets']), 'token')} after each of {counted(data['n_layers'], 'layer')}"
    return f"{ranked}: {listed(shown)}{more}."


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: ranked tokens, by position, and layers, by number."""
    layers = {name: Part(int(name) if name.isdecimal() else name) for name in data["layers"]}
    return {"token": token_parts(data["tokens"], data["targets"]), "layer": layers}


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is one aspect
    """Return a token's rank over the layers, on a logarithmic scale: 1 is rank 1, 0 the last of the vocabulary."""
    ranks = _column(data, data["targets"].index(part.value))
    depth = log(data["vocab_size"])
    values = tuple(round(1 - log(rank) / depth, 4) for rank in ranks)
    start = "in the embeddings" if data.get("embeddings") else "after layer 0"
    name = token(data["tokens"][part.value])
    label = f"rank of {name}: {ranks[0]:,} {start}, {ranks[-1]:,} after layer {data['n_layers'] - 1}"
    return Spark(values, label, mark=_since(ranks))


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the upper ends of the scales: rank, and in nats entropy, KL and surprisal."""
    rows = [*data["probabilities"], *([data["embeddings"]["probabilities"]] if data.get("embeddings") else [])]
    least = min(p for row in rows for p in row)
    return {
        "rank": data["vocab_size"],
        "entropy": round(log(data["vocab_size"]), 4),
        "kl": round(max(data["kl"]["scale"]) * STEPS, 4),
        "surprisal": round(-log(max(least, 1e-300)), 4),
    }


def _course(data: Mapping[str, Any], t: int) -> str:
    """Return the layer from which a token keeps the first place, or where it ends."""
    ranks = _column(data, t)
    name = token(data["tokens"][data["targets"][t]])
    first = _since(ranks)
    if first is None:
        return f"{name} ends at rank {ranks[-1]:,}"
    layer = data["layers"][first]
    return f"{name} stays first from {f'layer {layer}' if layer.isdecimal() else f'the {layer}'} on"


def _column(data: Mapping[str, Any], t: int) -> list[int]:
    """Return the ranks of target t from the first row to the last."""
    rows = [*([data["embeddings"]["ranks"]] if data.get("embeddings") else []), *data["ranks"]]
    return [row[t] for row in rows]


def _since(ranks: Sequence[int]) -> int | None:
    """Return the row from which on a rank stays 1, or None."""
    first = max((row for row, rank in enumerate(ranks) if rank > 1), default=-1) + 1
    return first if first < len(ranks) else None
