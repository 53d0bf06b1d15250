"""What proves a neuron view: its queries and keys make the model's own attention, and what is published is as near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from builder.figure import Check
from builder.rounding import significant

from .vectors import unpack_rows, unpack_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from torch import Tensor

    from builder.model import AnyRun
    from builder.model.head_vectors import HeadVectors

__all__ = ["Exact", "Proof", "softmax"]


class Exact(NamedTuple):
    """The attention of one layer as the model has it, all heads, in float64."""

    query: np.ndarray
    """[heads, Q, d_head]"""
    key: np.ndarray
    """[heads, K, d_head]"""
    weights: np.ndarray
    """[heads, Q, K]: the softmax of their scores"""
    returned: np.ndarray
    """[heads, Q, K]: the weights that transformers returns"""
    see: np.ndarray
    """[heads, Q, K]: whether a query may look at a key"""
    output: np.ndarray
    """[heads, Q, d_value]"""
    scale: float
    softcap: float | None

    @classmethod
    def of(cls, vectors: HeadVectors, returned: Tensor) -> Exact:
        """Take a layer's vectors, and the weights [heads, Q, K] that transformers returns."""
        from .group import allowed

        tensors = (vectors.query, vectors.key, vectors.weights, returned)
        query, key, weights, theirs = (tensor.cpu().double().numpy() for tensor in tensors)
        see, output = allowed(vectors).cpu().numpy(), vectors.output.cpu().double().numpy()
        return cls(query, key, weights, theirs, see, output, vectors.scale, vectors.softcap)


class Proof:
    """Collects, group by group, how far vectors and what is published of them are from the model."""

    def __init__(self, run: AnyRun) -> None:
        import torch

        eps = torch.finfo(run.model.network.dtype).eps
        self.tolerance = 1e-5 if eps < 1e-6 else 4 * eps
        self.exact = self.rounding = self.weight = self.allowed = self.output = self.score = 0.0

    def add(self, packed: Mapping[str, Any], exact: Exact, heads: Sequence[int]) -> None:
        """Compare a group of a layer's heads with the exact vectors, and with the weights that transformers returns."""
        import numpy as np

        h = list(heads)
        theirs, see, scale, query = exact.returned[h], exact.see[h], abs(exact.scale), exact.query[h]
        self.exact = max(self.exact, float(np.abs(exact.weights[h] - theirs).max()))
        read_query, read_key = unpack_rows(packed["query"]), unpack_rows(packed["key"])
        read = read_query @ read_key.T * scale
        steps = [np.array(packed[name]["scale"]).reshape(packed[name]["shape"][:-1]) / 2 for name in ("query", "key")]
        # q·k − q'·k' = (q − q')·k' + q·(k − k')
        may = steps[0][..., None] * np.abs(read_key).sum(-1) + np.abs(query).sum(-1)[..., None] * steps[1]
        may *= scale * (1 + 1e-6)
        off = np.where(see, np.abs(read - query @ exact.key[h].transpose(0, 2, 1) * scale), 0)
        self.score = max(self.score, float(off.max()))
        self.rounding = max(self.rounding, float((off / np.maximum(may, 1e-30)).max()))
        ours = softmax(read * np.sign(exact.scale), packed, see, exact.softcap)
        self.weight = max(self.weight, float(np.abs(ours - theirs).max()))
        # softmax of scores that are off by d at most is off by a factor of exp(2d) at most, a weight by a quarter of 2d
        self.allowed = max(self.allowed, float(np.expm1(2 * np.where(see, may, 0).max())) / 4)
        value = unpack_vectors(packed["value"])
        largest = float(np.abs(value).max()) or 1.0
        self.output = max(self.output, float(np.abs(ours @ value - exact.output[h]).max()) / largest)

    @property
    def errors(self) -> dict[str, float]:
        """How far published scores and weights are from the model's at most, and values, as a share of the largest."""
        return {
            "score": significant(self.score, 2),
            "weight": significant(self.weight, 2),
            "value": significant(1 / 254, 2),
        }

    def checks(self) -> dict[str, Check]:
        """Return all that was collected."""
        weight = self.allowed + self.tolerance
        return {
            "softmax of scale · q·k and bias against the model's weights": Check(self.exact, self.tolerance),
            "published scores against the exact ones, as a share of what rounding may cost": Check(self.rounding, 1.0),
            "softmax of published queries and keys against the model's weights": Check(self.weight, weight),
            # half a step of eight bits; and all of a row's weights may be off
            "weighted sum of published values against the head's output, as a share of the largest value": Check(
                self.output, 1 / 254 + 8 * weight
            ),
        }


def softmax(scores: np.ndarray, packed: Mapping[str, Any], see: np.ndarray, softcap: float | None) -> np.ndarray:
    """Return the weights [heads, Q, K] that a browser makes of scaled scores of a group."""
    import numpy as np

    if softcap is not None:
        scores = softcap * np.tanh(scores / softcap)
    if packed["bias"] is not None:
        scores = scores + unpack_rows(packed["bias"])
    scores = np.where(see, scores, -np.inf)
    sinks = np.array(packed["sinks"] or [-np.inf] * len(scores))[:, None, None]
    most = np.maximum(scores.max(axis=-1, keepdims=True), sinks)
    raised = np.exp(scores - most)
    found: np.ndarray = raised / (raised.sum(axis=-1, keepdims=True) + np.exp(sinks - most))
    return found
