"""Activations: how strongly each neuron of some layers' FFNs fires at each token, and which of them fire alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from builder.errors import BuildError
from builder.figure import Answer, Check
from builder.parts import Part, Spark, layer_parts, numbered_parts, token_parts
from builder.ranges import choose, misread
from builder.rounding import significant
from builder.spoken import counted, listed, share, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from builder.model import Run

SPARKS = ("cluster", "neuron")

INLINE = 180_000
"""Characters of JSON up to which the first layer's cells stand in the data; a figure may have 200 KB in all."""

STRONGEST = 5

SATURATED = 0.999
"""The share of cells that the colour scale tells apart: of SmolLM2's a few are ten times as strong as all others."""


@dataclass(frozen=True)
class Params:
    """Which neurons are shown, and how they are grouped.

    `layers`: `4`, `[4, 20]`, `4-9` or `all`, the first of them is shown at first; unless given, the middle layer.
    `clusters` is how many groups k-means finds in each: of neurons that fire on the same tokens (`cluster_by: pattern`:
    positive activations, each neuron scaled to length 1), or of similar activations as they are (`values`), where the
    few strong neurons stand apart from one large group of weak ones. `order` is that of the rows at first.

    The first token takes most of the energy in many models whatever it is, so it has no part in the clusters and the
    colour scale unless `first_token` is `include`.
    """

    layers: tuple[str, ...] = ()
    clusters: int = 5
    cluster_by: Literal["pattern", "values"] = "pattern"
    first_token: Literal["exclude", "include"] = "exclude"  # noqa: S105 - of a text
    order: Literal["cluster", "index", "strength"] = "cluster"

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be."""
        for wrong in misread(self.layers):
            yield "layers", wrong
        if not 1 <= self.clusters <= 24:
            yield "clusters", f"{self.clusters} is not between 1 and 24"


def analyse(run: Run, params: Params) -> Answer:
    """Return for each layer its clusters, and its cells [T, n_neurons] in pieces; the first layer's in the data.

    A neuron is what the layer's down projection reads: act(gate) · up of a gated MLP, act(c_fc) of GPT-2. At position
    i it is what the network makes of the tokens up to i on its way to token i + 1. Piece `layer-N` holds the positive
    cells, `layer-N-rest` the others (see `cells.encode`).

    Raises `BuildError` for a layer the model has not, for more clusters than the neurons have patterns, for a model
    without such neurons, and for a text of one token whose first token is left out.
    """
    import torch

    from .down_projection import distance_from_outputs

    model, first = run.model, int(params.first_token == "exclude")  # noqa: S105 - of a text
    if len(run.ids) <= first:
        raise BuildError("missing output: the text is one token, and that is left out (first_token: exclude)")
    numbers = choose(params.layers, model.n_layers, model.name) or [model.n_layers // 2]
    activations = run.activations(numbers)
    for number, tensor in zip(numbers, activations, strict=True):
        if not torch.isfinite(tensor).all():
            raise BuildError(f"broken activations: layer {number} of model {model.name} has NaN or infinite numbers")
    layers, pieces, proofs = [], {}, []
    sheets = []
    for number, tensor in zip(numbers, activations, strict=True):
        layer, sheet, rest, proof = _layer(tensor.cpu().numpy(), number, first, params)
        layers.append(layer)
        sheets.append(sheet)
        proofs.append(proof)
        pieces[f"layer-{number}"] = sheet
        pieces[f"layer-{number}-rest"] = rest
    data: dict[str, Any] = {
        "tokens": run.tokens,
        "targets": run.targets,
        "first": first,
        "cluster_by": params.cluster_by,
        "order": params.order,
        "layers": layers,
        "sheet": sheets[0],
    }
    if _size(data) <= INLINE:
        del pieces[f"layer-{numbers[0]}"]
    else:
        data["sheet"] = {"profiles": sheets[0]["profiles"]}
    eps = torch.finfo(model.network.dtype).eps
    outputs = distance_from_outputs(run, numbers, activations)
    checks = {
        "neurons times the down projection against the network's own output": Check(
            outputs, 1e-4 if eps < 1e-6 else 8 * eps
        ),
        "error of eight bits, as a share of half a step": Check(max(p["quantised"] for p in proofs), 1.0),
        "inertia of the clusters against a naive sum, relative": Check(max(p["inertia"] for p in proofs), 1e-3),
        "share of neurons that another cluster's mean is nearer to": Check(max(p["strays"] for p in proofs), 0.01),
    }
    return Answer(data, checks, pieces)


def _layer(
    values: np.ndarray, number: int, first: int, params: Params
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, float]]:
    """Return what is said of a layer [T, n], its cells (positive ones, and the rest), and what proves them."""
    import numpy as np

    from .cells import decode, encode, overrun
    from .kmeans import cluster, nearer_to_another, patterns

    counted = values[first:]
    positive = np.maximum(values, 0.0)
    rows = patterns(counted.T) if params.cluster_by == "pattern" else counted.T.astype(np.float64)
    found = cluster(rows, params.clusters, layer=number)
    inertia, strays = nearer_to_another(rows, found.labels)
    members = [found.labels == label for label in range(1, params.clusters + 1)]
    profiles = [positive[:, chosen].mean(axis=1, dtype=np.float64) for chosen in members]
    clusters = [
        {
            "size": int(chosen.sum()),
            "share": significant(chosen.mean()),
            "positive": significant((counted[:, chosen] > 0).mean()),
            "energy": significant((positive[first:, chosen] ** 2).sum() / max((positive[first:] ** 2).sum(), 1e-30)),
            "strongest": [int(t) + first for t in np.argsort(-profile[first:], kind="stable")[:STRONGEST]],
        }
        for chosen, profile in zip(members, profiles, strict=True)
    ]
    cells, rest = encode(values)
    read = decode(cells, rest)
    peaks = np.where(values > 0, np.array(cells["peaks"])[:, None], np.array(rest["peaks"])[:, None])
    energies = (values.astype(np.float64) ** 2).sum(axis=1)
    layer = {
        "layer": number,
        "n_neurons": values.shape[1],
        "silent": int((found.labels == 0).sum()),
        "scale": significant(np.quantile(np.abs(counted), SATURATED)),
        "top": significant(positive[first:].max()),
        "bottom": significant(min(float(counted.min()), 0.0)),
        "positive": significant((counted > 0).mean()),
        "negative_energy": significant((np.minimum(counted, 0.0) ** 2).sum() / max((counted**2).sum(), 1e-30)),
        "first_energy": significant(energies[0] / max(energies.sum(), 1e-30)),
        "error": significant(np.abs(read - values)[first:].max()),
        "clusters": clusters,
    }
    sheet = {
        **cells,
        "clusters": found.labels.tolist(),
        "profiles": [[significant(value, 3) for value in profile] for profile in profiles],
    }
    proof = {
        "quantised": overrun(values, read, peaks),
        "inertia": abs(inertia - found.inertia) / max(found.inertia, float((rows**2).sum()) * 1e-9, 1e-30),
        "strays": strays,
    }
    return layer, sheet, rest, proof


def _size(data: Mapping[str, Any]) -> int:
    import json

    return len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return what prose may name: clusters by number, tokens, layers, and neurons by index."""
    shown = data["layers"]
    return {
        "cluster": numbered_parts(len(shown[0]["clusters"])),
        "token": token_parts(data["tokens"]),
        "layer": layer_parts(str(layer["layer"]) for layer in shown),
        "neuron": {str(i): Part(i) for i in range(shown[0]["n_neurons"])},
    }


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:
    """Return over which tokens a cluster, or a neuron, of the first layer fires: bars from 0 to its own largest.

    Raises `BuildError` for a neuron where the text is so long that its cells are not in the data.
    """
    first, layer, index = int(data["first"]), data["layers"][0], int(part.value)
    if aspect == "cluster":
        line = data["sheet"]["profiles"][index - 1]
        name = f"Cluster {index}, {counted(layer['clusters'][index - 1]['size'], 'neuron')}"
    else:
        if "roots" not in data["sheet"]:
            raise BuildError(f"unsupported spark: neuron {index} is in no small figure (its text is too long)")
        from .cells import decode

        line = decode(data["sheet"])[:, index].tolist()
        name = f"Neuron {index} of layer {layer['layer']}"
    line = [0.0] * first + [float(value) for value in line[first:]]
    largest = max(line)
    where = max(range(len(line)), key=line.__getitem__)
    label = f"{name}: strongest at {token(data['tokens'][where])}" if largest > 0 else f"{name}: never positive"
    values = tuple(round(value / (largest or 1.0), 3) for value in line)
    return Spark(values, label, "bars", index if aspect == "cluster" else None)


def extent(data: Mapping[str, Any]) -> dict[str, float]:
    """Return where the colour scale of each layer ends: panels of a gallery share it, layer by layer."""
    return {f"layer {layer['layer']}": layer["scale"] for layer in data["layers"]}


def describe(data: Mapping[str, Any]) -> str:
    """Say how many neurons there are, in how many groups, and on what the largest of them fire."""
    layer = data["layers"][0]
    groups = [_group(data, number) for number in range(1, min(4, len(layer["clusters"])) + 1)]
    more = f" More layers can be chosen: {len(data['layers'])} in all." if len(data["layers"]) > 1 else ""
    return (
        f"Activations of {counted(layer['n_neurons'], 'neuron')} of layer {layer['layer']} over "
        f"{counted(len(data['tokens']), 'token')}, in {counted(len(layer['clusters']), 'cluster')}: "
        f"{'; '.join(groups)}.{more}"
    )


def _group(data: Mapping[str, Any], number: int) -> str:
    cluster = data["layers"][0]["clusters"][number - 1]
    names = dict.fromkeys(token(data["tokens"][t]) for t in cluster["strongest"])
    return f"cluster {number} has {share(cluster['share'])} and is strongest at {listed(list(names)[:3])}"
