"""Arrays of sixteen bits a number, or of whole numbers, in base64: what a page shows and prose does not name."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from builder.rounding import rounded_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

STEPS = 65_535
FINEST = 1e-5
"""The least scale of numbers in nats: below it is what float32 loses, and 1e-7 should come back as 0."""


def pack(values: np.ndarray) -> dict[str, Any]:
    """Return `{shape, type, scale, base64}` of numbers from 0 on: a number is its code times the scale.

    Whole numbers have scale 1 and come back as they were; others have a scale for each index of the first axis, and
    are off by half of it at most. Codes are little endian, `uint16`, or `uint32` for whole numbers that are larger.
    """
    import numpy as np

    whole = values.dtype.kind in "iu"
    kind, divisors = "uint16", np.ones(1)
    scale: int | list[float] = 1
    if whole and values.max(initial=0) > STEPS:
        kind = "uint32"
    if not whole:
        most = values.reshape(len(values), -1).max(axis=1, initial=0).astype(np.float64)
        scale = [max(rounded_up(size / STEPS), FINEST) for size in most]
        divisors = np.array(scale).reshape(-1, *[1] * (values.ndim - 1))
    codes = np.rint(values.astype(np.float64) / divisors).astype(np.dtype(kind).newbyteorder("<"))
    text = base64.b64encode(codes.tobytes()).decode()
    return {"shape": list(values.shape), "type": kind, "scale": scale, "base64": text}


def unpack(packed: Mapping[str, Any]) -> np.ndarray:
    """Return the array, float64 or int64, that a reader's browser gets."""
    import numpy as np

    raw = np.frombuffer(base64.b64decode(packed["base64"]), dtype=np.dtype(packed["type"]).newbyteorder("<"))
    codes = raw.reshape(packed["shape"]).astype(np.int64)
    scale = packed["scale"]
    return codes if scale == 1 else codes * np.array(scale).reshape(-1, *[1] * (codes.ndim - 1))
