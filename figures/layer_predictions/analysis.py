"""Layer predictions: the likeliest next tokens after every layer, by the logit lens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.parts import Part, Spark, layer_parts, token_parts
from builder.rounding import significant
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.model import Model, Run
    from builder.model.lens import Reading
    from builder.model.stream import Stream
    from builder.model.tokens import Vocabulary

SPARKS = ("token",)
INLINE = 4000
"""Cells that every reader gets: 13 positions of 30 layers × 10, about 60 KB. The rest comes when it is stepped to."""


@dataclass(frozen=True)
class Params:
    """`top`: how many tokens, 1 to 20. `position`: of the token that is predicted, else every output token in turn.

    The position after the last token is what would come next. `layer`: that one alone; −1 is the last. `embeddings`
    adds what enters the first layer. `reproduce: ecco` leaves out the final norm, as Ecco does.
    """

    top: int = 10
    position: int | None = None
    layer: int | None = None
    embeddings: bool = False
    reproduce: Literal["ecco"] | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not 1 <= self.top <= 20:
            yield "top", f"{self.top} is not between 1 and 20"
        if self.embeddings and self.layer is not None:
            yield "embeddings", "with one layer alone there is no row for them (leave out layer)"


def analyse(run: Run, params: Params) -> Answer:
    """Return the `top` likeliest tokens and their probabilities after each layer, for each target.

    A step is one target: `tokens[row][choice]` indexes a vocabulary, `probabilities` is of the same shape. Steps beyond
    `INLINE` are null and stand in pieces `step-POSITION`, each with a vocabulary of its own. `ranks[row][step]` and
    `probabilities[row][step]` follow the winner: the token that stands there, or after the text the model's first
    choice. `enters[step]` and `settles[step]` are the rows from which it stays in the top k, and first.

    Raises `BuildError` for a text of one token, for a position that nothing stands before and for an unknown layer.
    """
    import torch

    from builder.model.precision import tolerance
    from builder.model.stream import ECCO, ecco_error, read_positions, read_stream
    from builder.model.tokens import Vocabulary

    from .predictions import since

    model = run.model
    targets = _targets(run, params.position)
    reads = [position - 1 for position in targets]
    stream = read_stream(run, reads, embeddings=params.embeddings, reproduce=params.reproduce)
    chosen = [int(run.ids[p]) if p < len(run.ids) else _first_choice(run) for p in targets]
    vocab_size = model.logits_size
    top = min(params.top, vocab_size)
    ids = torch.tensor(chosen, device=run.ids.device)
    found = read_positions(run, reads, ids, top=top, embeddings=params.embeddings, reproduce=params.reproduce)
    shown = _rows(params.layer, model, len(stream.names))
    ranks = found.ranks.tolist()
    vocabulary = Vocabulary(model.pieces)
    winners = [vocabulary[winner] for winner in chosen]
    inline = max(1, INLINE // (len(shown) * top))
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": targets,
        "n_layers": model.n_layers,
        "vocab_size": vocab_size,
        "top": top,
        "layers": stream.names,
        "shown": shown,
        "winners": winners,
        "ranks": ranks,
        "probabilities": [[_rounded(p) for p in row] for row in found.probabilities.tolist()],
        "enters": [since([row[step] for row in ranks], top) for step in range(len(targets))],
        "settles": [since([row[step] for row in ranks], 1) for step in range(len(targets))],
        "steps": [_step(found, step, shown, vocabulary) if step < inline else None for step in range(len(targets))],
        "vocabulary": vocabulary.texts,
    }
    pieces = {}
    for step in range(inline, len(targets)):
        own = Vocabulary(model.pieces)
        winner = own[chosen[step]]
        pieces[f"step-{targets[step]}"] = {
            **_step(found, step, shown, own),
            "winner": winner,
            "vocabulary": own.texts,
        }
    checks = _checks(run, targets, stream, found)
    if params.reproduce == "ecco":
        data["warning"] = ECCO
        checks["states against transformers' hidden states"] = Check(
            ecco_error(run, reads, stream), tolerance(model.network.dtype)
        )
    return Answer(data, checks, pieces)


def _checks(run: Run, targets: list[int], stream: Stream, found: Reading) -> dict[str, Check]:
    """Return what proves a reading: the model's own logits, and a sort of those of one state in the middle."""
    import torch

    from builder.model.precision import tolerance

    from .predictions import top_shares

    bound, top = tolerance(run.model.network.dtype), found.top.shape[-1]
    middle = (len(stream.names) // 2, len(targets) // 2)
    with torch.no_grad():
        alone = stream.unembed(stream.states[middle]).float()
    alone_sorted = alone.cpu().double().softmax(-1).sort(descending=True).values[:top]
    plain = [float((found.shares[-1, block] - own).abs().max()) for block, own in top_shares(run, targets, top)]
    return {
        "lens after the last block against the model's logits": Check(found.apart, bound * found.size),
        "top probabilities after the last block against a sort of the model's": Check(max(plain), bound),
        "top probabilities of one state by itself, sorted": Check(
            float((found.shares[middle] - alone_sorted).abs().max()), bound
        ),
    }


def _first_choice(run: Run) -> int:
    """Return the token that the model would go on with after the text."""
    ((_, logits),) = run.blocks_of_logits([len(run.ids)])
    return int(logits.argmax())


def _targets(run: Run, position: int | None) -> list[int]:
    """Return the positions whose tokens are predicted."""
    length = len(run.ids)
    if position is None:
        if not run.targets:
            raise BuildError("missing output: the prompt is one token and nothing follows it, so nothing was predicted")
        return run.targets
    if not 1 <= position <= length:
        known = f"1 to {length - 1} are tokens of the text, " if length > 1 else ""
        why = "nothing stands before it; " if position == 0 else ""
        raise BuildError(f"unknown position: {position} ({why}{known}{length} is what would come next)")
    return [position]


def _rows(layer: int | None, model: Model, rows: int) -> list[int]:
    """Return the rows that are shown: all, or that of one layer."""
    if layer is None:
        return list(range(rows))
    if not -model.n_layers <= layer < model.n_layers:
        last = model.n_layers - 1
        raise BuildError(f"unknown layer: {layer} (model {model.name} has layers 0 to {last}; -1 is the last)")
    return [layer % model.n_layers]


def _step(found: Reading, step: int, shown: list[int], vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "tokens": [[vocabulary[v] for v in found.top[row, step].tolist()] for row in shown],
        "probabilities": [[_rounded(p) for p in found.shares[row, step].tolist()] for row in shown],
    }


def _rounded(value: float) -> float:
    """Return a probability of four digits; what is less than 1 stays so."""
    return min(significant(value), 0.9999) if value < 1 else 1.0


def describe(data: Mapping[str, Any]) -> str:
    """Say when each of the first predicted tokens came to the top."""
    steps = range(min(3, len(data["targets"])))
    rest = len(data["targets"]) - len(steps)
    more = f", and {counted(rest, 'token')} more" if rest else ""
    rows = len(data["shown"])
    where = f"layer {data['layers'][data['shown'][0]]}" if rows == 1 else f"each of {data['n_layers']} layers"
    start = f"The likeliest next tokens after {where}, {data['top']} of them"
    return f"{start}: {listed([_course(data, step) for step in steps])}{more}."


def _course(data: Mapping[str, Any], step: int) -> str:
    name = _winner(data, step)
    end = f"{name} ({share(data['probabilities'][-1][step])} in the end)"
    first, enters = data["settles"][step], data["enters"][step]
    if first is not None:
        return f"{end} stays first from {_layer(data, first)} on"
    if enters is not None:
        return f"{end} stays in the first {data['top']} from {_layer(data, enters)} on"
    return f"{end} ends at rank {data['ranks'][-1][step]:,}"


def _winner(data: Mapping[str, Any], step: int) -> str:
    position = data["targets"][step]
    if position < len(data["tokens"]):
        return token(data["tokens"][position])
    return token({"text": data["vocabulary"][data["winners"][step]]})


def _layer(data: Mapping[str, Any], row: int) -> str:
    name = data["layers"][row]
    return f"layer {name}" if name.isdecimal() else f"the {name}"


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return the predicted tokens and the layers."""
    known = [position for position in data["targets"] if position < len(data["tokens"])]
    return {"token": token_parts(data["tokens"], known), "layer": layer_parts(data["layers"])}


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is one aspect
    """Return the probability of a token of the text after each layer."""
    step = data["targets"].index(part.value)
    values = tuple(row[step] for row in data["probabilities"])
    ends = f"from {share(values[0])} after {_layer(data, 0)} to {share(values[-1])}"
    return Spark(values, f"probability of {_winner(data, step)} {ends}", mark=data["settles"][step])
