"""The logit lens of some positions after every layer, in one pass: ranks, probabilities, top tokens, entropy and KL.

The states of all layers meet the vocabulary together, a piece of it at a time: one product with many rows runs at the
machine's speed, where one a layer waits for the matrix to arrive; and what is summed over the vocabulary is summed
while a piece is in the processor's cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from .memory import rows as rows_that_fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import Model

__all__ = ["Lens", "Reading", "find_lens", "largest", "probability", "rank", "read_layers"]

HELD = 48 << 20
"""Bytes of logits that are held at once, for the top tokens: 256 states of SmolLM2. More only cost memory (measured)
and fewer make products of too few rows."""
PIECE, GROUP = 1024, 64
"""Tokens of the vocabulary that are worked on at once, and of which only the largest logit is looked at for the top
tokens: the k largest lie in the k groups with the largest of all."""
NEAR = 8.0
"""By how much a logit may be above the one that all are compared with: exp(8) costs no digits that float32 has."""
LOWEST = -1e30
"""Stands beyond the end of the vocabulary: finite, so that 0 times it is 0."""


class Lens(NamedTuple):
    """How states become logits."""

    enter: Callable[[Tensor], Tensor]
    """States [..., d_model] → what the head reads [..., d]: the final norm, or nothing."""
    head: Callable[[Tensor], Tensor]
    """What the head reads → logits [..., vocab]."""
    own: Callable[[Tensor], Tensor]
    """The same of what the network's own forward pass ends with, [..., d] → [..., vocab]."""
    linear: nn.Linear | None
    """The head itself where logits are its product and no more: then a piece of the vocabulary can be had alone."""


def find_lens(model: Model, *, normed: bool = True) -> Lens:
    """Return the lens of a model's own norm and head; not `normed`, of its head alone, as Ecco reads.

    Where the way from the last block to the head is no norm alone, logits come from the whole of the model's own.
    """
    head = model.structure.head
    apart = hasattr(head, "_hf_hook")  # its weights come when it is called
    linear = head if model.head_is_linear and type(head) is nn.Linear and not apart else None
    if not normed:
        return Lens(nn.Identity(), model.head_logits, model.head_logits, linear)
    if not model.plain_tail:
        return Lens(nn.Identity(), model.unembed, model.head_logits, None)
    return Lens(model.structure.norm or nn.Identity(), model.head_logits, model.head_logits, linear)


class Reading(NamedTuple):
    """What the lens reads at [n_layers, N] states; all on the processor."""

    ranks: Tensor
    """[n_layers, N] int64, 1 is the first place."""
    probabilities: Tensor
    """[n_layers, N] float64: what a logit of −200 stands for is still more than 0."""
    top: Tensor
    """[n_layers, N, k] int64, the likeliest first."""
    shares: Tensor
    """[n_layers, N, k] float64: their probabilities."""
    entropies: Tensor
    """[n_layers, N] float64, of the whole distribution, in nats: from 0 to ln vocab."""
    divergences: Tensor
    """[n_layers, N] float64, KL(last layer ‖ this layer) in nats: 0 or above but for rounding (1e-5), 0 at the end."""
    apart: float
    """The largest difference of a logit after the last layer from the one that the head makes of `final`."""
    size: float
    """The largest logit of these, whatever its sign."""


@torch.no_grad()
def read_layers(lens: Lens, states: Tensor, final: Tensor, ids: Tensor, *, vocab_size: int, top: int) -> Reading:
    """Read states [n_layers, N, d_model] by a lens and place the tokens `ids` [N] in each.

    `final` [N, d] is what the head reads after the last layer in the network's own forward pass; the lens after the
    last layer is compared with it. Float32 whatever the weights are, sums over the vocabulary in float64.

    Statistics of the lens: Belrose et al. 2023, https://arxiv.org/abs/2303.08112
    """
    n_layers, n = states.shape[:2]
    rows = rows_that_fit(4 * vocab_size, states.device, most=HELD)
    at_once = min(max(1, rows // (n_layers + 1)), n)
    space = _Space(vocab_size, (n_layers + 1) * at_once, states.device)
    found = []
    for start in range(0, n, at_once):
        block = slice(start, start + at_once)
        found.append(_read(lens, states[:, block], final[block], ids[block], space, top))
    tensors = {name: torch.cat([getattr(part, name) for part in found], dim=1) for name in Reading._fields[:-2]}
    return Reading(**tensors, apart=max(part.apart for part in found), size=max(part.size for part in found))


class _Space:
    """Memory for the logits of a block of positions, used again for the next one: fresh memory costs time itself."""

    def __init__(self, vocab_size: int, rows: int, device: torch.device) -> None:
        self.vocab_size = vocab_size
        self.width = min(PIECE, -(-vocab_size // GROUP) * GROUP)
        self.pieces = -(-vocab_size // self.width)
        self._logits = torch.empty(self.pieces * rows * self.width, device=device)
        self._scratch = torch.empty(3, rows * self.width, device=device)

    def logits(self, rows: int) -> Tensor:
        """Return room for logits, [pieces, rows, width]; those beyond the vocabulary are `LOWEST`."""
        found = self._logits[: self.pieces * rows * self.width].view(self.pieces, rows, self.width)
        found[-1, :, (self.vocab_size - 1) % self.width + 1 :] = LOWEST
        return found

    def scratch(self, rows: int) -> Tensor:
        """Return room for what is made of one piece, three times [rows, width]."""
        return self._scratch[:, : rows * self.width].view(3, rows, self.width)


def _read(lens: Lens, states: Tensor, final: Tensor, ids: Tensor, space: _Space, top: int) -> Reading:
    """Read a block of positions; the last of the rows are those of `final`."""
    shape = (len(states) + 1, len(ids))
    logits, groups, sums = _sweep(lens, states, final, space, shape)
    vocab_size = space.vocab_size
    exact = sums.total.dtype
    row = torch.arange(shape[0] * shape[1], device=ids.device)
    tokens = ids.repeat(shape[0])
    own = logits[tokens // logits.shape[-1], row, tokens % logits.shape[-1]]
    ranks = 1 + _count(logits, own, space.scratch(len(row))[0])
    chosen = _first(groups, min(top, groups.shape[-1]))  # [rows, k], groups of the whole vocabulary
    each = logits.view(*logits.shape[:-1], -1, GROUP)
    candidates = each[chosen // each.shape[2], row[:, None], chosen % each.shape[2]].flatten(1)
    numbers = (chosen[..., None] * GROUP + torch.arange(GROUP, device=ids.device)).flatten(1)
    values, tops = _ordered(candidates, numbers, min(top, vocab_size))

    def share(values: Tensor) -> Tensor:
        return (values.to(exact) - sums.most[:, None].to(exact)).exp() / sums.total[:, None]

    own_shares, shares = share(own[:, None])[:, 0], share(values)
    entropy = sums.total.log() - sums.weighted / sums.total
    log_total, total = sums.total.log().view(shape), sums.total.view(shape)
    # Σ p ln p − Σ p ln q of the last layer's p; ln q itself is never formed
    crossed = log_total - sums.crossed.view(shape) / total[-2]
    divergence = crossed - entropy.view(shape)[-2]
    last, expected = (logits.view(len(logits), *shape, -1)[:, number] for number in (-2, -1))
    apart = float((last - expected).abs().max())
    size = float(expected.abs().masked_fill(expected <= LOWEST, 0).max())

    def of_layers(tensor: Tensor) -> Tensor:
        return tensor.view(*shape, *tensor.shape[1:])[:-1].cpu()

    return Reading(
        of_layers(ranks),
        of_layers(own_shares).double(),
        of_layers(tops),
        of_layers(shares).double(),
        of_layers(entropy).double(),
        divergence[:-1].cpu().double(),
        apart,
        size,
    )


class _Sums(NamedTuple):
    """Over the vocabulary, of each row, z being its logits and p the last layer's at the same position."""

    most: Tensor
    """max z, or up to `NEAR` less"""
    total: Tensor
    """Σ exp(z − most)"""
    weighted: Tensor
    """Σ exp(z − most) (z − most)"""
    crossed: Tensor
    """Σ exp(z' − most') (z − most), z' the last layer's logits."""


def _sweep(
    lens: Lens, states: Tensor, final: Tensor, space: _Space, shape: tuple[int, int]
) -> tuple[Tensor, Tensor, _Sums]:
    """Return logits [pieces, rows, PIECE], the largest of each group [rows, groups], and sums, in one pass over all."""
    rows, device = shape[0] * shape[1], states.device
    exact = torch.float32 if device.type == "mps" else torch.float64  # which has no other
    logits = space.logits(rows)
    make = _by_pieces(lens, states, final, logits) if lens.linear is not None else _whole(lens, states, final, logits)
    groups = torch.empty(len(logits), rows, space.width // GROUP, device=device)
    shifted, weights, products = space.scratch(rows)
    by_layer, of_layer = (tensor.view(*shape, space.width) for tensor in (products, weights))
    most = torch.full((rows,), LOWEST, device=device)
    total, weighted, crossed = torch.zeros(3, rows, dtype=exact, device=device)
    for number, piece in enumerate(logits):
        make(number)
        torch.amax(piece.view(rows, -1, GROUP), -1, out=groups[number])
        peak = groups[number].amax(-1)
        if device.type != "cpu" or number == 0 or float((peak - most).max()) > NEAR:
            step = (most - torch.maximum(most, peak)).to(exact)
            most = torch.maximum(most, peak)
            factor = step.exp()
            reference = total.view(shape)[-2].repeat(shape[0])
            weighted.add_(total * step).mul_(factor)
            crossed.add_(reference * step).mul_(factor.view(shape)[-2].repeat(shape[0]))
            total.mul_(factor)
        torch.sub(piece, most[:, None], out=shifted)
        torch.exp(shifted, out=weights)
        total += weights.sum(-1)
        # summed in pairs: a product of matrices adds up in a row, and is off by 4e-3 at a KL of 56
        weighted += torch.mul(weights, shifted, out=products).sum(-1)
        torch.mul(shifted.view_as(by_layer), of_layer[-2], out=by_layer)
        crossed += products.sum(-1)
    return logits, groups.transpose(0, 1).flatten(1), _Sums(most, total, weighted, crossed)


def _by_pieces(lens: Lens, states: Tensor, final: Tensor, logits: Tensor) -> Callable[[int], None]:
    """Return what fills one piece of logits, by a product with that piece of the head's matrix."""
    head = lens.linear
    assert head is not None
    read = torch.cat([lens.enter(states).flatten(0, 1), final]).float()
    width = logits.shape[-1]

    def make(number: int) -> None:
        piece = slice(number * width, (number + 1) * width)
        weight = head.weight[piece].float()
        out = logits[number, :, : len(weight)]
        if len(weight) == width:
            torch.mm(read, weight.T, out=out)
        else:
            out.copy_(read @ weight.T)
        if head.bias is not None:
            out += head.bias[piece].float()

    return make


def _whole(lens: Lens, states: Tensor, final: Tensor, logits: Tensor) -> Callable[[int], None]:
    """Fill all logits at once, a layer at a time, by the model's own head."""
    pieces, _, width = logits.shape
    size, n = pieces * width, len(final)
    for number in range(len(states) + 1):
        found = (lens.head(lens.enter(states[number])) if number < len(states) else lens.own(final)).float()
        padded = nn.functional.pad(found, (0, size - found.shape[-1]))
        logits[:, number * n : (number + 1) * n] = padded.view(n, pieces, width).transpose(0, 1)
    return lambda _number: None


def _count(logits: Tensor, own: Tensor, above: Tensor) -> Tensor:
    """Return how many of the logits [pieces, rows, width] are above each row's own [rows]; `above` is overwritten."""
    count = torch.zeros_like(own, dtype=torch.int64)
    for piece in logits:  # into floats: four times as fast as into truth values and their sum
        count += torch.gt(piece, own[:, None], out=above).sum(-1).long()
    return count


def _ordered(values: Tensor, numbers: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest values of each row and their numbers, the largest first, of equals the lower number.

    The numbers come in ascending order.
    """
    places = _first(values, k)
    values, numbers = values.gather(-1, places), numbers.gather(-1, places)
    places = values.sort(dim=-1, descending=True, stable=True).indices
    return values.gather(-1, places), numbers.gather(-1, places)


def _first(values: Tensor, k: int) -> Tensor:
    """Return the places [N, k] of the k largest values of each row, ascending; of equals those that come first.

    Torch's own take any of equals: of a vocabulary padded with rows of nothing there are many.
    """
    found = values.topk(k)
    places, least = found.indices, found.values[:, -1:]
    tied = (values == least).sum(-1) > (found.values == least).sum(-1)
    if bool(tied.any()):
        places[tied] = values[tied].sort(dim=-1, descending=True, stable=True).indices[:, :k]
    return places.sort(-1).values


def rank(logits: Tensor, own: Tensor) -> Tensor:
    """Return 1 + #{v : z_v > z_own} [N] for logits [N, vocab] and own logits [N, 1]; equal logits share a place."""
    return 1 + (logits > own).sum(-1)


def probability(logits: Tensor, own: Tensor) -> Tensor:
    """Return the softmax [N] of logits [N, vocab] at own logits [N, 1].

    The error against float64 is 3e-7 on smollm2; of z − logsumexp it is 2e-6, of torch's own softmax 1e-5.
    """
    most = logits.amax(-1, keepdim=True)
    return (own - most).exp()[:, 0] / (logits - most).exp().sum(-1)


def largest(logits: Tensor, k: int) -> Tensor:
    """Return the indices [N, k] of each row's k largest, the largest first, and of equals the lower index."""
    numbers = torch.arange(logits.shape[-1], device=logits.device).expand_as(logits)
    return _ordered(logits, numbers, k)[1]
