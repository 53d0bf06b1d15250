"""Rankings: the place of every output token among all tokens, after every layer, by the logit lens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.spoken import counted, listed, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import Run


@dataclass(frozen=True)
class Params:
    """`top`: how many of the likeliest tokens a cell tells, 1 to 10."""

    top: int = 3

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not 1 <= self.top <= 10:
            yield "top", f"{self.top} is not between 1 and 10"


def analyse(run: Run, params: Params) -> Answer:
    """Return ranks, probabilities and top tokens of each target after each block.

    `ranks[layer][t]` is 1 + #{v : z_v > z_t} of target t in the logits z that the model's own norm and head make of
    block `layer`'s output at the position before it; layer 0 is block 0. `top[layer][t]` indexes `vocabulary`.

    Raises `BuildError` for a text of one token.

    nostalgebraist 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens
    """
    import torch

    from builder.model.lens import read_layers

    model = run.model
    if not run.targets:
        raise BuildError("missing output: the prompt is one token and nothing follows it, so nothing can be ranked")
    targets = torch.tensor(run.targets, device=run.ids.device)
    states = run.block_outputs[:, targets - 1].to(model.network.dtype)
    reading = read_layers(model.unembed, states, run.ids[targets], vocab_size=run.logits.shape[-1], top=params.top)
    vocabulary: dict[str, int] = {}
    top = [
        [[vocabulary.setdefault(model.token_text(v), len(vocabulary)) for v in tops] for tops in layer]
        for layer in reading.top.tolist()
    ]
    data = {
        "tokens": run.tokens,
        "targets": run.targets,
        "n_layers": model.n_layers,
        "vocab_size": run.logits.shape[-1],
        "layers": [str(layer) for layer in range(model.n_layers)],
        "ranks": reading.ranks.tolist(),
        "probabilities": [[float(f"{p:.4g}") for p in row] for row in reading.probabilities.tolist()],
        "top": top,
        "vocabulary": list(vocabulary),
    }
    eps = torch.finfo(model.network.dtype).eps
    tolerance = 1e-4 if eps < 1e-6 else eps**0.5  # half of the digits of a short format
    softmax = run.logits.double().softmax(-1).gather(-1, run.ids[targets, None])[:, 0]
    checks = {
        "lens after the last block against the model's logits": Check(
            float((reading.last - run.logits).abs().max()), float(tolerance * run.logits.abs().max())
        ),
        "probabilities after the last block against the model's": Check(
            float((reading.probabilities[-1] - softmax).abs().max()), tolerance
        ),
    }
    return Answer(data, checks)


def describe(data: Mapping[str, Any]) -> str:
    """Say from which layer on each of the first output tokens ranks first."""
    shown = [_course(data, t) for t in range(min(3, len(data["targets"])))]
    rest = len(data["targets"]) - len(shown)
    more = f", and {counted(rest, 'token')} more" if rest else ""
    ranked = f"Ranks of {counted(len(data['targets']), 'token')} after each of {data['n_layers']} layers"
    return f"{ranked}: {listed(shown)}{more}."


def _course(data: Mapping[str, Any], t: int) -> str:
    """Return the layer from which a token keeps the first place, or where it ends."""
    ranks = [row[t] for row in data["ranks"]]
    name = token(data["tokens"][data["targets"][t]])
    if ranks[-1] > 1:
        return f"{name} ends at rank {ranks[-1]:,}"
    first = max((layer for layer, rank in enumerate(ranks) if rank > 1), default=-1) + 1
    return f"{name} stays first from layer {data['layers'][first]} on"
