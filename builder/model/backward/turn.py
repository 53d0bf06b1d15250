"""`Turn`: rotary position embeddings in halves (Su 2021, https://arxiv.org/abs/2104.09864), and their way back.

Numbers i and i + d_head / 2 of a query or key are the two parts of a complex number, which is multiplied with
e^(iθ), θ by position. Where the two lie side by side (`paired`), the way back is one product of complex numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["Turn", "paired", "read_turn"]


class Turn(NamedTuple):
    """By what queries and keys are turned."""

    phases: Tensor
    """e^(−iθ) [L, d_head / 2]: what the way back is multiplied with."""

    def forth(self, vector: Tensor) -> Tensor:
        """Turn [A, L, heads, d_head], halves apart."""
        a, b = vector.chunk(2, -1)
        turned = torch.complex(a, b) * self.phases[:, None].conj()
        return torch.cat([turned.real, turned.imag], -1)

    def forth_paired(self, vector: Tensor, into: Tensor) -> None:
        """Turn [A, shared, L, group, d_head], halves apart, and write it paired."""
        phases = self.phases.conj_physical()[:, None]
        torch.mul(torch.complex(*vector.chunk(2, -1)), phases, out=_complex(into))

    def back(self, found: Tensor, into: Tensor, positions: slice | Tensor, between: int = 2) -> None:
        """Undo the turn of cotangents [..., L, ..., d_head] of what was turned; write what comes of it.

        Both are paired. `positions` are those of L, and so many dimensions lie between them and d_head.
        """
        phases = self.phases[positions]
        phases = phases.view(len(phases), *[1] * between, phases.shape[-1])
        torch.mul(_complex(found), phases, out=_complex(into))

    def scaled(self, factor: float) -> Turn:
        """Return one that multiplies too."""
        return Turn(self.phases * factor)


def paired(vector: Tensor, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Return a copy of [..., d_head, ...] in which numbers i and i + d_head / 2 lie side by side; or write it `out`."""
    into = vector.new_empty(vector.shape) if out is None else out
    for place, half in enumerate(vector.chunk(2, dim)):
        into.movedim(dim, 0)[place::2].copy_(half.movedim(dim, 0))
    return into


def read_turn(arguments: Mapping[str, Any]) -> Turn | None:
    """Return the turn that a block is told, `position_embeddings`; None where that is none in halves."""
    given = arguments.get("position_embeddings")
    if not isinstance(given, tuple) or len(given) != 2 or any(len(each.shape) != 3 for each in given):
        return None
    cos, sin = given
    halves = [each.chunk(2, -1) for each in (cos, sin)]
    same = all(bool((each == each[:1]).all()) for each in (cos, sin)) and all(a.equal(b) for a, b in halves)
    fits = cos.dtype in (torch.float32, torch.float64)
    return Turn(torch.complex(halves[0][0][0], -halves[1][0][0])) if same and fits else None


def _complex(vector: Tensor) -> Tensor:
    return torch.view_as_complex(vector.view(*vector.shape[:-1], -1, 2))
