"""Arrays for pages: eight bits a number, a scale, and base64; `figures/shared/array.js` reads them back."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

from .rounding import rounded_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

__all__ = ["pack", "pack_weights", "unpack", "unpack_weights"]


def pack(values: np.ndarray, *, by_row: bool = False) -> dict[str, Any]:
    """Return `{shape, type, scale, base64}` of finite values: a number is its code times the scale.

    Codes are 0 to 255, or −127 to 127 where a value is negative. `scale` is one number, or with `by_row` one for each
    index of the first axis; no number is off by more than half of its scale.
    """
    import numpy as np

    signed = bool((values < 0).any())
    most = 127 if signed else 255
    rows = values.reshape(len(values), -1) if by_row else values.reshape(1, -1)
    ends = (rows.max(axis=1, initial=0).astype(np.float64), -rows.min(axis=1, initial=0).astype(np.float64))
    sizes = np.maximum(*ends)
    scales = [rounded_up(size / most) for size in sizes]
    divisors = np.array([scale or 1.0 for scale in scales])
    codes = rows / divisors[:, None]
    np.rint(codes, out=codes)  # in place: of a long text's attention they are tens of megabytes
    codes = codes.clip(-most, most, out=codes).astype(np.int8 if signed else np.uint8)
    return {
        "shape": list(values.shape),
        "type": "int8" if signed else "uint8",
        "scale": scales if by_row else scales[0],
        "base64": base64.b64encode(codes.tobytes()).decode(),
    }


def unpack(packed: Mapping[str, Any]) -> np.ndarray:
    """Return the array, float64, that a reader's browser gets."""
    import numpy as np

    codes = np.frombuffer(base64.b64decode(packed["base64"]), dtype=packed["type"]).reshape(packed["shape"])
    scale = np.asarray(packed["scale"], dtype=np.float64)
    return codes * (scale.reshape(-1, *[1] * (codes.ndim - 1)) if scale.ndim else scale)


def pack_weights(weights: np.ndarray, *, triangle: bool = False) -> dict[str, Any]:
    """Return `{shape, triangle, scale, deflate}` of attention weights [heads, queries, keys], each from 0 to 1.

    A weight is its code times `scale`, 1/255, and off by half of that at most. Codes go key by key, which deflates
    best: head, then key, then query; with `triangle` only the queries from a key's own position on, since none before
    it can see it. `figures/shared/attention.js` reads them back.

    Raises `ValueError` for a weight above the diagonal of a triangle, and for what is no weight.
    """
    import numpy as np

    if not (weights.min(initial=0) >= -1e-6 and weights.max(initial=0) <= 1 + 1e-4):
        raise ValueError("attention weights are from 0 to 1")
    heads, queries, keys = weights.shape
    codes = np.rint(weights.clip(0, 1) * 255).astype(np.uint8)
    if triangle:
        if queries != keys or np.triu(weights, 1).any():
            raise ValueError("attention to later tokens is no triangle")
        kept = np.triu(np.ones((keys, queries), dtype=bool))
        flat = codes.transpose(0, 2, 1)[:, kept]
    else:
        flat = codes.transpose(0, 2, 1)
    return {
        "shape": [heads, queries, keys],
        "triangle": triangle,
        "scale": 1 / 255,
        "deflate": base64.b64encode(_deflated(np.ascontiguousarray(flat).tobytes())).decode(),
    }


def _deflated(codes: bytes) -> bytes:
    """Return them deflated, with few and long matches: of weights that is smaller than level 9, at half of its time."""
    packer = zlib.compressobj(8, strategy=zlib.Z_FILTERED)
    return packer.compress(codes) + packer.flush()


def unpack_weights(packed: Mapping[str, Any]) -> np.ndarray:
    """Return the weights [heads, queries, keys], float64, that a reader's browser gets."""
    import numpy as np

    heads, queries, keys = packed["shape"]
    flat = np.frombuffer(zlib.decompress(base64.b64decode(packed["deflate"])), dtype=np.uint8)
    codes = np.zeros((heads, keys, queries), dtype=np.uint8)
    codes[:, np.triu(np.ones((keys, queries), dtype=bool)) if packed["triangle"] else ...] = flat.reshape(
        (heads, -1) if packed["triangle"] else codes.shape
    )
    return codes.transpose(0, 2, 1) * float(packed["scale"])
