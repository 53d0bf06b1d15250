"""Rankings, watched: how chosen tokens compete for one place, after every layer, by the logit lens."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.parts import Part, Spark, layer_parts
from builder.rounding import significant
from builder.spoken import listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from builder.model import Run

SPARKS = ("token",)
MOST = 8  # columns that a panel of a gallery holds on a phone
FIRST = 3  # how many of the likeliest tokens a layer tells


@dataclass(frozen=True)
class Params:
    """`watch`: tokens such as `[" is", " are"]`; the first is what log-odds are against.

    `position`: of the place they compete for, the token after which it is read being the one before. Negative ones
    count back from the place after the prompt, which is −1. `embeddings` adds what enters the first layer,
    `reproduce: ecco` leaves out the final norm, as Ecco does.
    """

    watch: tuple[str, ...] = ()
    position: int = -1
    embeddings: bool = False
    reproduce: Literal["ecco"] | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not self.watch:
            yield "watch", 'it is missing; name tokens such as [" is", " are"]'
        if any(not text for text in self.watch):
            yield "watch", "one of its tokens is empty"
        if len(self.watch) > MOST:
            yield "watch", f"{len(self.watch)} tokens are more than {MOST}"


def analyse(run: Run, params: Params) -> Answer:
    """Return rank, probability and log-odds of each watched token after each layer, [row][token].

    `log_odds` are ln(p / p₀) = z − z₀ against the first token: above 0 where the token is ahead of it. `vocabulary`
    begins with the watched tokens; `top[row]` are the first choices there. `ahead` are triples [a, b, row]: from that
    row on, a is always ahead of b.

    Raises `BuildError` for a string that is not one token, and for a position that nothing stands before.
    """
    import torch

    from builder.model.lens import largest, rank
    from builder.model.precision import tolerance
    from builder.model.stream import ECCO, ecco_error, read_stream
    from builder.model.tokens import Vocabulary

    from .watched import single_tokens

    model = run.model
    position = _place(run, params.position)
    ids = single_tokens(run, params.watch)
    stream = read_stream(run, [position - 1], embeddings=params.embeddings, reproduce=params.reproduce)
    with torch.no_grad():
        logits = stream.unembed(stream.states[:, 0]).float().cpu()  # one position: 6 MB for 30 layers
    own = logits[:, ids]
    ranks = torch.stack([rank(logits, z[:, None]) for z in own.T], 1)
    most = logits.amax(-1, keepdim=True)
    probabilities = (own - most).double().exp() / (logits - most).exp_().sum(-1, keepdim=True).double()
    odds = (own - own[:, :1]).double()
    vocabulary = Vocabulary(model.pieces)
    watched = [vocabulary[v] for v in ids]
    top = [[vocabulary[v] for v in row] for row in largest(logits, min(FIRST, logits.shape[-1])).tolist()]
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": [position],
        "n_layers": model.n_layers,
        "vocab_size": logits.shape[-1],
        "layers": stream.names,
        "watched": len(watched),
        "vocabulary": vocabulary.texts,
        "ranks": ranks.tolist(),
        "probabilities": [[min(significant(p), 0.9999) for p in row] for row in probabilities.tolist()],
        "log_odds": [[round(z, 4) for z in row] for row in odds.tolist()],
        "top": top,
        "ahead": _ahead(odds),
    }
    checks = _checks(run, position, ids, logits, data)
    if params.reproduce == "ecco":
        data["warning"] = ECCO
        checks["states against transformers' hidden states"] = Check(
            ecco_error(run, [position - 1], stream), tolerance(model.network.dtype)
        )
    return Answer(data, checks)


def _place(run: Run, position: int) -> int:
    """Return the position of the place that is competed for, from 1 on."""
    length = len(run.ids)
    place = position if position >= 0 else run.n_input + 1 + position
    if not 1 <= place <= length:
        why = "nothing stands before it; " if place == 0 else ""
        known = f"1 to {length - 1} are tokens of the text, " if length > 1 else ""
        after = f"{length} is what would come next, -1 the place after the prompt"
        raise BuildError(f"unknown position: {position} ({why}{known}{after})")
    return place


def _ahead(odds: Tensor) -> list[list[int]]:
    """Return for each pair of tokens which one is ahead in the end, and the row from which it always is."""
    n = odds.shape[1]
    found = []
    for a in range(n):
        for b in range(n):
            leads = (odds[:, a] > odds[:, b]).tolist()
            if leads[-1]:
                found.append([a, b, max((row + 1 for row, lead in enumerate(leads) if not lead), default=0)])
    return found


def _checks(run: Run, position: int, ids: list[int], logits: Tensor, data: Mapping[str, Any]) -> dict[str, Check]:
    """Return what proves the numbers: the network's own forward, a sort, and one measure against another."""
    import numpy as np
    import torch

    from builder.model.precision import tolerance

    own = _forward(run, position).cpu()
    bound = tolerance(run.model.network.dtype) * float(own.abs().max())
    log_p = own.double().log_softmax(-1)[ids]
    odds = torch.tensor(data["log_odds"], dtype=torch.float64)
    ascending = torch.from_numpy(np.sort(logits.numpy(), axis=-1))  # at a tenth of torch's time
    places = 1 + logits.shape[-1] - torch.searchsorted(ascending, logits[:, ids].contiguous(), right=True)
    by_probability = [
        abs(log(row[w] / row[0]) - odds[r, w].item())
        for r, row in enumerate(data["probabilities"])
        for w in range(len(ids))
        if min(row[w], row[0]) > 0
    ]
    return {
        "lens after the last block against the model's logits": Check(float((logits[-1] - own).abs().max()), bound),
        "log-odds after the last block against the model's own log-probabilities": Check(
            float((odds[-1] - (log_p - log_p[0])).abs().max()), 2 * bound
        ),
        "ranks by sorting": Check(float((places - torch.tensor(data["ranks"])).abs().max()), 0.0),
        # four digits of a probability are published: two of them are off by at most 1e-3 of their quotient
        "log-odds against the quotient of the probabilities": Check(max(by_probability, default=0.0), 2e-3),
    }


def _forward(run: Run, position: int) -> Tensor:
    """Return the logits [vocab] float32 about a position by the network's own forward on the tokens before it."""
    import torch

    from builder.model.network import last_logits

    with torch.no_grad():
        return last_logits(run.model.network, 1, input_ids=run.ids[None, :position])[0, -1].float()


def describe(data: Mapping[str, Any]) -> str:
    """Say how the watched tokens stand in the end, and since when in this order."""
    names = [token({"text": text}) for text in data["vocabulary"][: data["watched"]]]
    ranks, shares = data["ranks"][-1], data["probabilities"][-1]
    ends = [f"{name} rank {ranks[w]:,} ({share(shares[w])})" for w, name in enumerate(names)]
    text = f"After the last of {data['n_layers']} layers: {listed(ends)}."
    pairs = [f"{names[a]} is ahead of {names[b]} from {_layer(data, row)} on" for a, b, row in data["ahead"]]
    return f"{text} {listed(pairs[:3])}." if pairs else text


def _layer(data: Mapping[str, Any], row: int) -> str:
    name = data["layers"][row]
    return f"layer {name}" if name.isdecimal() else f"the {name}"


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return the watched tokens, in the colours of their numbers, by text and by text without spaces; the layers."""
    named: dict[str, Part] = {}
    for w, text in enumerate(data["vocabulary"][: data["watched"]]):
        for name in (text, text.strip()):
            if name:
                named.setdefault(name, Part(w, w + 1))
    return {"token": named, "layer": layer_parts(data["layers"])}


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is one aspect
    """Return the rank of a watched token over the layers, 1 at the top, in logarithm."""
    w = int(part.value)
    ranks = [row[w] for row in data["ranks"]]
    values = tuple(1 - log(rank) / log(data["vocab_size"]) for rank in ranks)
    name = token({"text": data["vocabulary"][w]})
    label = f"rank of {name}: {ranks[0]:,} after {_layer(data, 0)}, {ranks[-1]:,} in the end"
    return Spark(values, label, colour=part.colour)


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest rank, probability and size of log-odds."""
    return {
        "rank": max(max(row) for row in data["ranks"]),
        "probability": max(max(row) for row in data["probabilities"]),
        "odds": max(abs(z) for row in data["log_odds"] for z in row),
    }
