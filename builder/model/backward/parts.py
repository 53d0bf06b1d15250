"""Parts of a block whose way back is known: linear maps, activations and norms, each position by itself.

A part is told once what its module was given and returned for texts [A, L, ...]. From then on it answers for `view`:
some of the texts, their first positions, and how many copies of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = ["Activation", "Linear", "Norm", "Part", "Slopes", "View"]


class View(NamedTuple):
    """Which of the texts are looked at, up to where, and how many copies of each; parts take several of one alone."""

    texts: slice
    length: int
    copies: int

    def of(self, kept: Tensor) -> Tensor:
        """[A, L, ...] → [texts, length, ...]"""
        return kept[self.texts, : self.length]


class Part:
    """A module's result; `kept` is all that it holds of a text."""

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        self.forward = forward
        self.view = View(slice(None), 0, 1)
        self.kept: tuple[Tensor, ...] = ()

    def forget(self) -> None:
        """Let go of what was kept."""
        self.kept = ()

    def record(self, given: Tensor) -> Tensor:
        """Run the module, and keep what is needed."""
        returned = self.forward(given)
        self.kept = (returned, *self.linearise(given, returned))
        return returned

    def linearise(self, given: Tensor, returned: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Return what the way back depends on."""
        return ()

    def value(self) -> Tensor:
        """Return what the module returned, [copies or texts, length, ...]."""
        seen = self.view.of(self.kept[0])
        return seen if self.view.copies == 1 else seen.expand(self.view.copies, *seen.shape[1:])

    def back(self, cotangent: Tensor) -> tuple[Tensor]:
        """Cotangent [N, L, ...] of what the module returned → of what it was given."""
        raise NotImplementedError


class Linear(Part):
    """y = W x, and what is added."""

    def __init__(self, forward: Callable[[Tensor], Tensor], weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__(forward)
        self.weight = weight
        """[out, in]"""
        self._bias = bias

    def forth(self, given: Tensor, out: Tensor | None = None, onto: Tensor | None = None) -> Tensor:
        """Rows [n, in] → [n, out], added `onto` others; put `out`."""
        matrix = self.weight.T
        found = torch.mm(given, matrix, out=out) if onto is None else torch.addmm(onto, given, matrix, out=out)
        return found if self._bias is None else found.add_(self._bias)

    def back(self, cotangent: Tensor) -> tuple[Tensor]:
        """[N, L, out] → [N, L, in], as one product: of a batch that does not lie in one piece torch would make many."""
        found = cotangent.reshape(-1, cotangent.shape[-1]) @ self.weight
        return (found.view(*cotangent.shape[:-1], -1),)


class Activation(Part):
    """y_i = f(x_i)."""

    def record(self, given: Tensor) -> Tensor:
        """Run the module, and keep f(x) and f′(x)."""
        self.kept = self.both(given)
        return self.kept[0]

    def both(self, given: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(x) and f′(x)."""
        with torch.enable_grad():
            leaf = given.detach().requires_grad_()
            returned = self.forward(leaf)
            (slope,) = torch.autograd.grad(returned, leaf, returned.new_ones(()).expand_as(returned))
        return returned.detach(), slope

    def back(self, cotangent: Tensor) -> tuple[Tensor]:
        """The Jacobian is diagonal."""
        return (cotangent * self.view.of(self.kept[1]),)


class Slopes(NamedTuple):
    """What a norm's way back multiplies with, of some positions [..., d]."""

    normed: Tensor
    """r"""
    shares: Tensor
    """−s gain ⊙ r / d: with a cotangent, how much of r to add."""
    along: Tensor
    """s gain"""
    scale: Tensor
    """s [..., 1]"""


class Norm(Part):
    """y = gain ⊙ r + bias, r = s c, s = 1 / √(mean c² + ε), with c = x, or c = x − mean x where it is centred.

    What a cotangent g makes of c is s (t − r (r · t) / d), with t = gain ⊙ g.
    """

    def __init__(
        self, forward: Callable[[Tensor], Tensor], gain: Tensor, bias: Tensor, *, centred: bool, epsilon: float
    ) -> None:
        super().__init__(forward)
        self.gain, self.centred = gain, centred
        self._bias, self._epsilon = bias, epsilon
        self._biased = bool(bias.any())

    def linearise(self, given: Tensor, returned: Tensor) -> tuple[Tensor, ...]:
        """Return s [A, L, ..., 1] and r [A, L, ..., d]; s by least squares, whatever ε is."""
        centre = self.centre(given)
        shape = centre * self.gain
        size = shape.square().sum(-1, keepdim=True).clamp_min(torch.finfo(given.dtype).tiny)
        scale = (shape * (returned - self._bias)).sum(-1, keepdim=True) / size
        return scale, centre * scale

    def forth(self, given: Tensor, normed: Tensor, out: Tensor) -> Tensor:
        """Rows [n, d] → s [n, 1]; r is written to `normed`, and y `out`."""
        centre = self.centre(given)
        squares = torch.mul(centre, centre, out=out)
        scale = squares.mean(-1, keepdim=True).add_(self._epsilon).rsqrt_()
        torch.mul(torch.mul(centre, scale, out=normed), self.gain, out=out)
        if self._biased:
            out.add_(self._bias)
        return scale

    def centre(self, given: Tensor) -> Tensor:
        """Return c."""
        return given - given.mean(-1, keepdim=True) if self.centred else given

    def slopes(self, scale: Tensor, normed: Tensor) -> Slopes:
        """Return what the way back multiplies with, from s [..., 1] and r [..., d]."""
        along = scale * self.gain
        return Slopes(normed, along * normed * (-1 / normed.shape[-1]), along, scale)

    def back(self, cotangent: Tensor) -> tuple[Tensor]:
        """[N, L, ..., d] → [N, L, ..., d]"""
        return (self.pull(cotangent, self.slopes(*(self.view.of(kept) for kept in self.kept[1:]))),)

    def pull(
        self,
        cotangent: Tensor,
        slopes: Slopes,
        onto: Tensor | None = None,
        out: Tensor | None = None,
        product: Tensor | None = None,
    ) -> Tensor:
        """As `back`, of the positions that are meant; added `onto` another cotangent, and put `out`.

        `product` is memory for one as large.
        """
        sums = torch.mul(cotangent, slopes.shares, out=product).sum(-1, keepdim=True)
        along = slopes.along
        found = cotangent * along if onto is None else torch.addcmul(onto, cotangent, along, out=out)
        found.addcmul_(slopes.normed, sums)
        if self.centred:
            means = (cotangent @ self.gain)[..., None].mul_(1 / self.gain.shape[-1])
            found.addcmul_(means, slopes.scale, value=-1)
        return found
