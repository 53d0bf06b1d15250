"""`Mask`: what is added to a layer's scores, as queries that share keys want it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Mask", "read_mask"]


class Mask(NamedTuple):
    """What is added to scores."""

    added: Tensor | None
    """[A or 1, shared or 1, L, group or 1, L]"""
    causal: bool
    """Whether no position sees a later one."""


def read_mask(mask: Tensor | None, shared: int, group: int, length: int) -> Mask:
    """Return a mask [A or 1, heads or 1, L, keys], of all heads or each head's own, as `Attended` wants it."""
    if mask is None:
        return Mask(None, causal=False)
    mask = mask[..., :length]
    groups = (shared, group) if mask.shape[1] > 1 else (1, 1)
    added = mask.reshape(len(mask), *groups, *mask.shape[2:]).transpose(2, 3)
    return Mask(added, _hides_what_is_later(added))


def _hides_what_is_later(mask: Tensor) -> bool:
    """Whether a mask [A or 1, shared or 1, L, group or 1, L] lets no query see a later key."""
    later = torch.ones(mask.shape[2], mask.shape[4], dtype=torch.bool, device=mask.device).triu(1)[:, None]
    lowest = torch.finfo(mask.dtype).min
    return bool((mask.masked_fill(~later, lowest) <= lowest / 2).all())
