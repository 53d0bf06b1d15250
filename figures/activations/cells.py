"""The activations of a layer in eight bits each: positives first, and the rest apart, for those who ask for it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from builder.quantised import pack, unpack
from builder.rounding import rounded_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

__all__ = ["STEP", "decode", "encode", "overrun"]

STEP = 1 / 255
"""The step of the codes, which are square roots of shares of a token's largest value (see `encode`)."""


def encode(values: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the positive cells of [T, n] and the others, each `{peaks, roots}`, the former with the signs of both.

    `signs` has a bit a cell, token by token: 1 where it is positive, and then its number is among the positive ones.
    A number is peaks[token] · root²: most activations are a hundredth of the largest, and of square roots eight bits
    hold such a one to a few per cent, where of the values themselves they would hold nothing.
    """
    import numpy as np

    positive = values > 0
    bits = base64.b64encode(np.packbits(positive.reshape(-1), bitorder="little").tobytes()).decode()
    return {"shape": list(values.shape), "signs": bits, **_roots(values, positive)}, _roots(-values, ~positive)


def _roots(values: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    import numpy as np

    largest = np.where(chosen, values, 0.0).max(axis=1).astype(np.float64)
    peaks = [rounded_up(peak) for peak in largest]
    shares = np.divide(values, np.array(peaks)[:, None], out=np.zeros(values.shape), where=largest[:, None] > 0)
    roots = np.sqrt(shares[chosen].clip(0.0, 1.0))
    return {"peaks": peaks, "roots": pack(np.append(roots, 1.0))}  # the 1 at the end fixes the scale


def decode(cells: Mapping[str, Any], rest: Mapping[str, Any] | None = None) -> np.ndarray:
    """Return [T, n] as a browser reads it; cells that are not positive are 0 unless the rest is given."""
    import numpy as np

    shape = tuple(cells["shape"])
    bits = np.frombuffer(base64.b64decode(cells["signs"]), dtype=np.uint8)
    positive = np.unpackbits(bits, count=shape[0] * shape[1], bitorder="little").astype(bool).reshape(shape)
    values = np.zeros(shape)
    values[positive] = unpack(cells["roots"])[:-1] ** 2
    values *= np.array(cells["peaks"])[:, None]
    if rest is not None:
        others = np.zeros(shape)
        others[~positive] = unpack(rest["roots"])[:-1] ** 2
        values -= others * np.array(rest["peaks"])[:, None]
    return values


def overrun(values: np.ndarray, read: np.ndarray, peaks: np.ndarray) -> float:
    """Return the largest error of `read` as a share of what rounding a root to half a step may cost: at most 1.

    A root that is off by half a step d moves a value v below a peak p by at most 2d·√(v·p) + d²·p.
    """
    import numpy as np

    half = STEP / 2 * (1 + 1e-4)  # the scale itself is rounded to six digits
    allowed = 2 * half * np.sqrt(np.abs(values) * peaks) + half**2 * peaks
    errors = np.abs(values - read)
    return float(np.divide(errors, allowed, out=(errors > 0) * 2.0, where=allowed > 0).max())
