"""Queries, keys and values for a page: sixteen bits for what scores are made of again, eight for what is only seen."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from builder.quantised import pack, unpack
from builder.rounding import rounded_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

__all__ = ["STEPS", "pack_bits", "pack_rows", "pack_vectors", "unpack_rows", "unpack_vectors"]

STEPS = 32_767


def pack_rows(values: np.ndarray) -> dict[str, Any]:
    """Return `{shape, type: int16, scale, base64}` of finite numbers [..., d], little endian, a scale for each vector.

    A number is its code times its vector's scale, and off by half of that at most. In eight bits a sum of 64 products
    would be off by as much as 0.2 before the softmax, in sixteen by less than 0.001 (SmolLM2).
    """
    import numpy as np

    rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
    scales = [rounded_up(size / STEPS) for size in np.abs(rows).max(axis=1, initial=0)]
    divisors = np.array([scale or 1.0 for scale in scales])
    codes = np.rint(rows / divisors[:, None]).clip(-STEPS, STEPS).astype("<i2")
    text = base64.b64encode(codes.tobytes()).decode()
    return {"shape": list(values.shape), "type": "int16", "scale": scales, "base64": text}


def unpack_rows(packed: Mapping[str, Any]) -> np.ndarray:
    """Return the array, float64, that a reader's browser gets."""
    import numpy as np

    shape = tuple(packed["shape"])
    codes = np.frombuffer(base64.b64decode(packed["base64"]), dtype="<i2").reshape(-1, shape[-1])
    found: np.ndarray = codes * np.array(packed["scale"])[:, None]
    return found.reshape(shape)


def pack_vectors(values: np.ndarray) -> dict[str, Any]:
    """Return the same of eight bits a number."""
    packed = pack(values.reshape(-1, values.shape[-1]), by_row=True)
    return {**packed, "shape": list(values.shape)}


def unpack_vectors(packed: Mapping[str, Any]) -> np.ndarray:
    """Return the array, float64, that a reader's browser gets."""
    shape = tuple(packed["shape"])
    rows = unpack({**packed, "shape": [len(packed["scale"]), shape[-1]]})
    return rows.reshape(shape)


def pack_bits(flags: np.ndarray) -> str:
    """Return the bits of an array in base64, the first in the lowest of a byte."""
    import numpy as np

    return base64.b64encode(np.packbits(flags.reshape(-1), bitorder="little").tobytes()).decode()
