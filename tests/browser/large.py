"""Results as large as real ones, made up: for what examples are too small to show."""

from __future__ import annotations

import base64
import importlib
import struct
from math import log
from typing import Any

import numpy as np
from kinds import KINDS, example

VOCABULARY = 49_152


def packed(rows: list[list[Any]], scale: float | None = None) -> dict[str, Any]:
    """Pack numbers as `figures/rankings/packed.py` says, with one scale for all rows, or whole numbers."""
    flat = [n for row in rows for item in row for n in (item if isinstance(item, list) else [item])]
    codes = [round(n / (scale or 1)) for n in flat]
    shape = [len(rows), len(rows[0]), *([len(rows[0][0])] if isinstance(rows[0][0], list) else [])]
    text = base64.b64encode(struct.pack(f"<{len(codes)}H", *codes)).decode()
    return {"shape": shape, "type": "uint16", "scale": [scale] * len(rows) if scale else 1, "base64": text}


def large_rankings(
    layers: int = 30, columns: int = 40, *, embeddings: bool = False, most_top: int = 3
) -> dict[str, Any]:
    """Return a result as large as a real one."""
    tokens = [{"text": f" t{i}", "id": i, "type": "input" if i < 20 else "output"} for i in range(20 + columns)]
    n = layers + embeddings
    ranks = [[max(1, round(40_000 * 0.6 ** (row + t % 7))) for t in range(columns)] for row in range(n)]
    probabilities = [[0.5 / rank for rank in row] for row in ranks]
    entropy = [[log(VOCABULARY) * (1 - row / n)] * columns for row in range(n)]
    first = {"ranks": ranks[0], "probabilities": probabilities[0]}
    data = {
        "tokens": tokens,
        "targets": list(range(20, 20 + columns)),
        "n_layers": layers,
        "vocab_size": VOCABULARY,
        "display": "grid",
        "layers": [*["embeddings"] * embeddings, *map(str, range(layers))],
        "ranks": ranks[embeddings:],
        "probabilities": probabilities[embeddings:],
        "embeddings": first if embeddings else None,
        "entropy": packed(entropy, 0.0005),
        "kl": packed([[2.0 * (n - 1 - row)] * columns for row in range(n)], 0.002),
        "means": {},
        "most_top": most_top,
        "top": packed([[[0, 1, 2]] * columns] * n),
        "vocabulary": [" the", "\n", "<b>"],
    }
    return {"kind": "rankings", "data": data, "checks": {}, "provenance": {}}


def large_similarity(rows: int, columns: int, **more: Any) -> dict[str, Any]:
    """Return a result of that size: the further apart two layers, the less alike."""
    result = example("layer_similarity")
    names = ["embeddings", *(str(i) for i in range(max(rows, columns) - 1))]
    table = [[round(1 / (1 + abs(r - c) / 4), 4) for c in range(columns)] for r in range(rows)]
    values = {"cka": table, "svcca": [[value**2 for value in row] for row in table]}
    kept = {"kept": [9] * rows, "kept_columns": [7] * columns}
    result["data"] |= {"layers": names[:rows], "columns": names[:columns], **kept, "values": values, **more}
    return result


def large_activations(neurons: int = 3072, tokens: int = 100) -> dict[str, Any]:
    """Return a result of one layer as large as a real one: a third of the neurons fires at every third token."""
    package = KINDS["activations"].analysis.__name__.rpartition(".")[0]  # type: ignore[attr-defined]
    cells = importlib.import_module(f"{package}.cells")
    groups = np.arange(neurons) * 3 // neurons
    values = np.random.default_rng(0).normal(size=(tokens, neurons)) * 0.2
    values[np.arange(tokens)[:, None] % 3 == groups[None]] += 2.0
    result = example("activations")
    data = result["data"]
    size = neurons // 3
    layer = {**data["layers"][0], "layer": 0, "n_neurons": neurons, "scale": 2.5}
    kept = [
        {**cluster, "size": size, "share": 1 / 3, "strongest": [3 + g]}
        for g, cluster in enumerate(layer["clusters"][:3])
    ]
    data["layers"] = [{**layer, "clusters": kept}]
    data["tokens"] = [{"text": f" t{i}", "id": i, "type": "input"} for i in range(tokens)]
    data["sheet"] = {
        **cells.encode(values)[0],
        "clusters": (groups + 1).tolist(),
        "profiles": [[float(t % 3 == g) for t in range(tokens)] for g in range(3)],
    }
    return {key: item for key, item in result.items() if key != "pieces"}


def large_factors(tokens: int) -> dict[str, Any]:
    """Return a result of ten factors of so many tokens."""
    result = example("factors")
    data = result["data"]
    data["tokens"] = [{"text": f" t{i}", "id": i, "type": "input"} for i in range(tokens)]
    solution = data["solutions"][0]
    row = [None, *[float(i % 7) for i in range(tokens - 1)]]
    data["solutions"] = [
        {**solution, "n_factors": 10, "weights": [row] * 10, "factors": [solution["factors"][0]] * 10,
         "overlaps": [[1] * 10] * 10}
    ]  # fmt: skip
    data["factors"], data["layers"] = [10], data["layers"][:1]
    return result


def large_decoding(steps: int) -> dict[str, Any]:
    """Return a result of so many steps: the example's, again and again."""
    result = example("decoding")
    data = result["data"]
    n, first = len(data["targets"]), data["targets"][0]
    data["tokens"] = [*data["tokens"][:first], *(data["tokens"][first + i % n] for i in range(steps))]
    for name in ("candidates", "logits", "tied", "places", "own", "forks", "probabilities", "left"):
        data[name] = [data[name][i % n] for i in range(steps)]
    for level in data["levels"]:
        level.update({key: [v[i % n] for i in range(steps)] for key, v in level.items() if key != "top_k"})
    data["targets"] = list(range(first, first + steps))
    return result
