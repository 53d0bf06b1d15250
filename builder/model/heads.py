"""What each head's weights look like, in a number: how spread they are, how far they reach, what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .precision import double

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["distance", "entropy", "first_token", "induction", "previous_token"]

# All take the weights w [H, Q, K] of a layer's heads, w[h, q] a distribution over the keys, and return [H] float64.


def entropy(weights: Tensor) -> Tensor:
    """Return the mean over queries of −Σ_k w ln w, in nats: 0 where one token has everything, ln K where all are alike.

    Clark et al. 2019, https://arxiv.org/abs/1906.04341; Vig & Belinkov 2019, https://arxiv.org/abs/1906.04284
    """
    entropies: Tensor = torch.special.entr(double(weights))
    return entropies.sum(-1).mean(-1)


def distance(weights: Tensor) -> Tensor:
    """Return the mean over queries of Σ_k w · |q − k|, in tokens; of self-attention [H, T, T] only.

    Vig & Belinkov 2019, https://arxiv.org/abs/1906.04284 (there k ≤ q; in an encoder k may lie after q).
    """
    weights = double(weights)
    place = torch.arange(weights.shape[-1], device=weights.device)
    return (weights * (place[:, None] - place).abs()).sum(-1).mean(-1)


def first_token(weights: Tensor, *, own: bool = True) -> Tensor:
    """Return the mean over queries of w[q, 0]. With `own`, queries and keys are the same tokens [H, T, T].

    Then the first query is left out: under a causal mask it can look at nothing but itself. NaN where none is left.

    Vig & Belinkov 2019 ("null attention"), https://arxiv.org/abs/1906.04284
    """
    return double(weights[:, int(own) :, 0]).mean(-1)


def previous_token(weights: Tensor) -> Tensor:
    """Return the mean over queries q ≥ 1 of w[q, q − 1]; of self-attention [H, T, T] only. NaN for a single token.

    Clark et al. 2019, https://arxiv.org/abs/1906.04341
    """
    return double(weights.diagonal(-1, -2, -1)).mean(-1)


def induction(weights: Tensor, ids: Tensor) -> Tensor | None:
    """Return the mean, over positions whose token stood before, of the weight on what followed it there.

    With `ids` [T], a position q looks for "what came after the last time": Σ w[q, k] over all k < q with
    ids[k − 1] = ids[q]. The position itself does not count (of "no no", the second), since any head may look at
    where it is; positions with nothing to find are left out, and the score is None where that leaves none.

    Olsson et al. 2022 ("prefix matching score"), https://arxiv.org/abs/2209.11895. There the text is random tokens,
    repeated; in a text that means something a head may look there for another reason.
    """
    followers = torch.zeros(len(ids), len(ids), dtype=torch.bool, device=ids.device)
    followers[:, 1:] = ids[:, None] == ids[:-1]
    followers = followers.tril(-1)
    found = followers.any(-1)
    if not found.any():
        return None
    weights = double(weights)
    return (weights * followers.to(weights.device)).sum(-1)[:, found.to(weights.device)].mean(-1)
