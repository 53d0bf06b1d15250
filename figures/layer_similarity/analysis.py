"""Layer similarity: how alike the layers of a model, or of two, arrange the tokens of a text: CKA, SVCCA, PWCCA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer
from builder.parts import layer_parts
from builder.spoken import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from builder.figure import Check
    from builder.model import Run
    from builder.parts import Part

NAMES = {"cka": "CKA", "svcca": "SVCCA", "pwcca": "PWCCA"}

LEAST = 5
"""Tokens below which nothing can be compared: debiased HSIC divides by n (n − 3)."""

HEAVY = 3
"""As few tokens decide CKA where they have more than half of a layer's variance, as in layers 2 to 7 of smollm2."""

FEW = 50
"""Tokens below which a reader is warned. Of one text, smollm2's CKA of the embeddings and the last layer is 0.28 over
29 tokens, 0.22 over 99 and 0.26 over 159."""


@dataclass(frozen=True)
class Params:
    """What is compared, and by which measures; the reader chooses among those that are built.

    `variance` is the share of a layer's variance that SVCCA and PWCCA keep, as far as the text has ten tokens for each
    direction. The first token is left out by default: in most models its state is so large that it alone decides.
    `versus` names a second model that reads the same text; its layers are the columns.
    """

    measure: tuple[Literal["cka", "svcca", "pwcca"], ...] = ("cka", "svcca", "pwcca")
    variance: float = 0.99
    first_token: Literal["exclude", "include"] = "exclude"  # noqa: S105 - no password
    versus: str | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        if not self.measure:
            yield "measure", f"it is empty; choose among {', '.join(NAMES)}"
        if len(set(self.measure)) < len(self.measure):
            yield "measure", "one of them stands there twice"
        if not 0 < self.variance <= 1:
            yield "variance", f"{self.variance} is not in (0, 1]"


def analyse(run: Run, params: Params) -> Answer:
    """Return `values[measure][row][column]`, the similarity of two layers over the tokens of the text.

    A layer is the residual stream after that block, before the final norm; row 0 is the embeddings. `kept` says how
    many directions of each layer SVCCA and PWCCA compare, `chance` what each measure gives for shuffled tokens.

    Raises `BuildError` for a text of fewer than five tokens, and for a second model that spells it otherwise.
    """
    from threadpoolctl import threadpool_limits

    from .alignment import aligned

    other = getattr(run, "versus", None)
    if params.versus is not None and other is None:
        raise BuildError(f"unsupported versus: nothing was read by {params.versus}")
    mine, its = aligned(run, other) if other is not None else (list(range(len(run.ids))),) * 2
    n_shared = len(mine)
    if params.first_token == "exclude":  # noqa: S105
        pairs = [(i, j) for i, j in zip(mine, its, strict=True) if i and j]
        mine, its = [i for i, _ in pairs], [j for _, j in pairs]
    if len(mine) < LEAST:
        raise BuildError(f"invalid prompt: {counted(len(mine), 'token')} to compare layers over; it takes {LEAST}")
    x = _states(run, mine, params.measure)
    y = x if other is None else _states(other, its, params.measure)
    with threadpool_limits(1, "blas"):  # thousands of small matrices: two threads took 40 times as long as one
        found, checks = _compare(x, y, params)
    data: dict[str, Any] = {
        "layers": _names(len(x)),
        "columns": _names(len(y)),
        "models": [run.model.name] if other is None else [run.model.name, other.model.name],
        **found,
        "n_tokens": len(mine),
        "n_text": len(run.ids),
        "n_shared": n_shared,
        "first_token": params.first_token,
        "variance": params.variance,
    }
    warning = " ".join(_warnings(data, x, len(mine)))
    return Answer({**data, "warning": warning} if warning else data, checks)


def _warnings(data: Mapping[str, Any], x: Sequence[np.ndarray], n: int) -> Iterator[str]:
    """Yield what a reader should know of these values."""
    if n < FEW:
        yield f"{counted(n, 'token')} are few to compare layers over: another text may give quite other values."
    shares = [(layer**2).sum(axis=1) / max(float((layer**2).sum()), 1e-300) for layer in x]
    heavy = [name for name, e in zip(data["layers"], shares, strict=True) if sum(sorted(e)[-HEAVY:]) > 0.5]
    if heavy and n >= FEW and "cka" in data["values"]:
        which = heavy[0] if len(heavy) == 1 else f"{heavy[0]} to {heavy[-1]}"
        where = f"In {counted(len(heavy), 'layer')} ({which})"
        yield f"{where} three tokens have more than half of the variance: there CKA compares hardly more than these."


def _compare(x: list[np.ndarray], y: list[np.ndarray], params: Params) -> tuple[dict[str, Any], dict[str, Check]]:
    """Return what is published of layers [n, d] of one model, `x` being `y`, or of two, and what proves it."""
    from . import cca, cka
    from .checks import checks

    left = cca.directions(x, params.variance)
    right = left if y is x else cca.directions(y, params.variance)

    def table(name: str, order: np.ndarray | None = None) -> np.ndarray:
        if name == "cka":
            return cka.cka(x, y, order)
        return cca.compare(left, right, cca.mean_correlation if name == "svcca" else cca.projection_weighted, order)

    values: dict[str, np.ndarray] = {name: table(name) for name in params.measure}
    shuffled = cka.shuffle(len(x[0]))
    data = {
        "values": {name: _rounded(value) for name, value in values.items()},
        "chance": {name: round(float(table(name, shuffled).mean()), 3) + 0.0 for name in params.measure},
        "kept": [len(layer.values) for layer in left],
        "kept_columns": [len(layer.values) for layer in right],
        "kept_variance": round(min(layer.share for layer in (*left, *right)), 3),
    }
    return data, checks(x, y, values, params.variance)


def _states(run: Run, positions: Sequence[int], measures: Sequence[str]) -> list[np.ndarray]:
    """Return the embeddings and each block's output at some positions, each [n, d] float64 with column means 0.

    Raises `BuildError` for a layer in which a measure would be 0 / 0.
    """
    from .cka import is_even

    centred: list[np.ndarray] = []
    for name, layer in zip(_names(len(run.stream)), run.stream, strict=True):  # one at a time is in float64 twice
        state = layer[list(positions)].cpu().double().numpy()
        centred.append(state - state.mean(axis=0))
        if _is_flat(centred[-1], state):
            raise BuildError(f"invalid prompt: its tokens are all alike in {_layer(name)}, so nothing can be compared")
        if "cka" in measures and is_even(centred[-1]):
            raise BuildError(
                f"invalid prompt: its tokens are equally far from each other in {_layer(name)}, so CKA has nothing to "
                "compare"
            )
    return centred


def _is_flat(x: np.ndarray, state: np.ndarray) -> bool:
    """Whether what is left of a layer without its mean is rounding."""
    return float((x**2).sum()) <= 1e-10 * float((state**2).sum())


def _names(count: int) -> list[str]:
    return ["embeddings", *(str(layer) for layer in range(count - 1))]


def _rounded(table: np.ndarray) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in table]


def parts(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Part]]:
    """Layers by name: rows, and the column of the same layer."""
    return {"layer": layer_parts(data["layers"])}


def describe(data: Mapping[str, Any]) -> str:
    """Say how alike neighbours and the two ends are, by the first measure."""
    name, table = next(iter(data["values"].items()))
    layers = f"{counted(len(data['layers']) - 1, 'layer')} and the embeddings"
    if len(data["models"]) == 2:
        best = max((value, r, c) for r, row in enumerate(table) for c, value in enumerate(row))
        which = listed([_layer(data["layers"][best[1]]), _layer(data["columns"][best[2]])])
        start = f"Similarity ({NAMES[name]}) of the layers of {listed(data['models'])} over {data['n_tokens']} tokens"
        return f"{start}: most alike are {which}, at {best[0]:.2f}."
    near = [table[i][i + 1] for i in range(len(table) - 1)]
    return (
        f"Similarity ({NAMES[name]}) of {layers} over {data['n_tokens']} tokens: neighbours are {min(near):.2f} to "
        f"{max(near):.2f} alike, the embeddings and the last layer {table[0][-1]:.2f}."
    )


def _layer(name: str) -> str:
    return f"layer {name}" if name.isdecimal() else f"the {name}"


def extent(data: Mapping[str, Any]) -> Mapping[str, float]:
    """How far below 1 each measure goes: the length of its scale."""
    return {name: round(1 - min(map(min, table)), 4) for name, table in data["values"].items()}
