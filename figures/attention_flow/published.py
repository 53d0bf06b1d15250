"""What readers get: the rows shown first in the data, all others in pieces, and the checks of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from builder.figure import Check
from builder.model.packing import attention_checks
from builder.model.precision import tolerance
from builder.quantised import pack, unpack
from builder.rounding import significant

from .edges import head_means, with_residual, without_first
from .flow import attention_flow, gap_to_cut
from .raw import raw_attention
from .rollout import attention_rollout, column_ends, steps_between, walk_back
from .sublayers import named_columns, spread, sublayers
from .value_norms import value_norms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from builder.model import AnyRun
    from builder.model.attention import AttentionPart

    from .reached import Reached

__all__ = ["piece_name", "publish"]

DIGITS = 4
"""Of each published share, and of what a share lacks that is nearly all."""


def piece_name(what: str, excluded: bool) -> str:
    """Return the name of a piece: `value-norms`, and without the first token `value-norms-rest`."""
    return what.replace("_", "-") + ("-rest" if excluded else "")


def publish(
    run: AnyRun, part: AttentionPart, asked: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]], dict[str, Check]]:
    """Return what `asked`, the data so far, lacks (`scores`, `sums` of flows, a Sankey's `columns`), pieces, checks."""
    both = part.name == "cross"  # an encoder-decoder: rollout and flow go through all of it, the others look once
    causal, targets = asked["causal"], asked["targets"]
    layers = list(part.layers) if both else asked["layers"]
    rows = torch.tensor(targets) - 1 if causal else torch.tensor(targets)

    def among_all(found: Tensor) -> Tensor:
        return spread(found, part.queries[0], part.keys[0], len(run.tokens)) if both else found

    looks = among_all(head_means(run.attention, part.name, layers))
    attention = sublayers(run.attention) if both else looks
    bound = tolerance(run.model.network.dtype)
    checks = attention_checks(run)
    given = {"raw": looks}
    if "value_norms" in asked["methods"]:
        lengths, proof = value_norms(run, part.name, layers)
        given["value_norms"] = among_all(lengths)
        checks |= {name: Check(value, bound) for name, value in proof.items()}

    columns: Sequence[int | str | None]
    if both:
        ends, columns = named_columns(run.attention)
    else:
        ends = column_ends(len(layers))
        columns = [None if end == 0 else layers[end - 1] for end in ends]
    data: dict[str, Any] = {"columns": columns}
    ways = (False,) if both else (False, True)
    one_way = causal and not both  # an encoder's tokens look at later ones, too
    pieces: dict[str, Mapping[str, Any]] = {}
    sums: list[float] = []
    for excluded in ways:
        for method in asked["methods"]:
            own = given.get(method, attention)
            reached = _reached(method, without_first(own) if excluded else own, rows, causal=one_way)
            body = _rows(reached.scores, rows, causal=causal, excluded=excluded)
            sums += [abs(sum(row) - 1) for row in body["scores"] if any(row)]
            if method != "flow":
                del body["sums"]
            if (method, excluded) == (asked["method"], asked["exclude_first"]):
                data |= body
            else:
                pieces[piece_name(method, excluded)] = body
            if reached.layers is not None:
                kept = _ragged(reached.layers, rows, causal=causal)
                detail: dict[str, Any] = {"rows": pack(kept, by_row=True)}
                if both and method in given:
                    detail["layers"] = [name for name in asked["layers"] if "cross" in name]
                pieces[piece_name(f"{method}-layers", excluded)] = detail
    sample = len(targets) // 2
    for excluded in ways if "rollout" in asked["methods"] else ():
        edges = with_residual(without_first(attention) if excluded else attention)
        steps = pack(steps_between(edges, ends).numpy())
        pieces[piece_name("ribbons", excluded)] = {"steps": steps}
        if not excluded:
            checks |= _rollout_checks(edges, int(rows[sample]), steps)
        if asked["display"] == "sankey" and excluded == asked["exclude_first"]:
            data["passing"] = _passing(steps, int(rows[targets.index(asked["token"])]))
    if "flow" in asked["methods"]:
        checks |= _flow_checks(with_residual(attention), int(rows[sample]), causal=one_way)
    # four digits of each share are published: at most 5e-4 of each are lost
    checks["rows against 1"] = Check(max(sums), 1e-3)
    return data, pieces, checks


def _reached(method: str, attention: Tensor, rows: Tensor, *, causal: bool) -> Reached:
    if method == "rollout":
        return attention_rollout(with_residual(attention), rows)
    if method == "flow":
        return attention_flow(with_residual(attention), rows.tolist(), causal=causal)
    return raw_attention(attention, rows)


def _rows(scores: Tensor, rows: Tensor, *, causal: bool, excluded: bool) -> dict[str, Any]:
    """Return `scores`, the shares that sum to 1, and `sums`, what they were divided by."""
    found, sums = [], []
    for row, position in zip(scores, rows.tolist(), strict=True):
        own = row[: position + 1] if causal else row
        if excluded:
            own = own.clone()
            own[0] = 0
        total = float(own.sum())
        found.append([_rounded(value) for value in (own / total if total else own).tolist()])
        sums.append(significant(total, DIGITS))
    return {"scores": found, "sums": sums}


def _rounded(share: float) -> float:
    """Return a share with few digits; one that is not all does not become 1."""
    return significant(share, DIGITS) if share < 0.999 else 1 - significant(max(1 - share, 0), DIGITS)


def _ragged(layers: Tensor, rows: Tensor, *, causal: bool) -> np.ndarray:
    """Return [L, N, T] as [L, sum of the rows' lengths]: of a decoder's rows only what stands before a target."""
    if not causal:
        return layers.flatten(1).numpy()
    return torch.cat([layers[:, n, : position + 1] for n, position in enumerate(rows.tolist())], dim=1).numpy()


def _passing(steps: Mapping[str, Any], row: int) -> list[list[float]]:
    """Return each token's share in what reaches a position, column by column: a Sankey's nodes without ribbons."""
    found = unpack(steps)
    masses = [np.eye(found.shape[-1])[row]]
    for step in reversed(found):  # as the browser walks, which rescales what eight bits have cut off
        masses.insert(0, masses[0] @ (step / step.sum(-1, keepdims=True)))
    return [[significant(share, DIGITS) for share in mass] for mass in masses]


def _rollout_checks(edges: Tensor, row: int, steps: Mapping[str, Any]) -> dict[str, Check]:
    back = walk_back(edges, row)
    apart = float((attention_rollout(edges, torch.tensor([row])).scores[0] - back).abs().max())
    mass = np.array(_passing(steps, row)[0])
    return {
        "rollout against a walk back from the last layer, one position": Check(apart, 1e-9),
        "ribbons as published against the rollout, one position": Check(float(abs(mass - back.numpy()).max()), 0.01),
    }


def _flow_checks(edges: Tensor, row: int, *, causal: bool) -> dict[str, Check]:
    tokens = sorted({0, row // 2, row}) if causal else sorted({0, row, edges.shape[-1] - 1})
    gaps = [gap_to_cut(edges, row, token, causal=causal) for token in tokens]
    # half a unit for each edge of a cut, of which there are no more than all edges of a layer, twice
    return {"flow against the capacity of its cut, three tokens": Check(max(gaps), edges.shape[-1] ** 2 * 2.0**-30)}
