"""What a decoder's inputs make of cotangents: vector-Jacobian products of many targets at once, block by block.

    back = Backward(model, embeddings)     # [A, L, d]: one forward pass, of which the states between blocks are kept
    back.final                             # [A, L, d]: what the head reads
    back.pull(cotangents, positions)       # [B, A, d] of B targets, each read at the position before its own

From the last block to the first the cotangents of all targets go through one block, some neighbours at a time, and what
was known of it is let go of: memory does not grow with depth. Blocks are of three kinds. Of the usual one (`pre_norm`)
both ways are written out, back over the positions before each target alone (`rows`). Of others most of the work (linear
maps, norms, activations, attention) is in `parts` of which only the way back is done: the block runs on as many copies
of a text as there are cotangents, and its parts answer with what they found for one. A block with matrices that are in
no part runs once, and torch's `vmap` takes its graph back for many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..precision import tolerance
from . import layers
from .layers import Layers
from .pieces import ROWS, Piece, cut
from .plan import Plan, find_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from .. import Model
    from .rows import Rows

__all__ = ["Backward", "Plan", "make_plan", "products", "texts_at_once"]

NEAR = 1e-4
"""How far states and gradients may be from the network's own in float32, as a share of the largest."""
FEWEST = 200
"""Positions at once at least, where there is more to do: products of fewer rows take a fifth longer."""


class Backward:
    """The way back through a model that is a chain of blocks, at input embeddings [A, L, d]."""

    def __init__(self, model: Model, embeddings: Tensor, targets: int = 1, plan: Plan | None = None) -> None:
        """Run the model forward; of how many targets cotangents will come says what else there is memory for."""
        self._model = model
        self._plan = plan or model.known_parts
        self._all_usual = all(self._plan.roles)
        self._embeddings = embeddings.detach()
        self._steps = model.chain(self._embeddings)
        reserved = _reserved(model, self._plan, embeddings[..., 0].numel(), targets)
        self._layers = Layers(model, self._plan, reserved)
        with torch.no_grad(), self._layers.placed():
            hidden = self._steps.enter(self._embeddings)
            self._entered: list[Tensor] = []
            for layer in range(model.n_layers):
                self._entered.append(hidden)
                hidden = self._layers.run(self._steps, layer, hidden)
                self._layers.spare(layer)
        self._last = hidden.to(self._embeddings.device)
        with torch.no_grad():
            self.final = self._steps.leave(hidden)
        self.kept = self._layers.kept
        """Bytes of what is known of the texts, in all blocks together."""

    def pull(self, cotangents: Tensor, positions: Sequence[int]) -> Tensor:
        """Cotangents [B, A, d] of what the head reads before each of ascending `positions` → ∂/∂inputs [B, A, L, d].

        L is the last position; from its own position on a target's gradient is 0.
        """
        extents = cut(positions, len(self._last), together=self._all_usual)
        pieces = [Piece(self._model, self._embeddings, extent, positions) for extent in extents]
        read = torch.tensor(positions, device=self._last.device) - 1
        behind = self._leave(cotangents, read)
        for piece in pieces:
            piece.cotangents = behind[piece.where].transpose(0, 1).flatten(0, 1)
            piece.at = read[piece.targets].repeat(len(piece.embeddings))
        with self._layers.placed():
            for layer in reversed(range(self._model.n_layers)):
                if self._plan.whole[layer] and not self._layers.ran(layer):
                    self._layers.run(self._steps, layer, self._entered[layer])
                for piece in reversed(pieces):  # the longest first: it takes memory that is enough for all
                    found = self._through(layer, piece)
                    if layer == self._model.n_layers - 1:
                        piece.cotangents = found
                    else:  # in its place: what lives long leaves holes in memory
                        piece.cotangents.copy_(found)
                self._layers.forget(layer)
        self._layers.scratch.clear()
        return self._enter(pieces, len(positions))

    def _through(self, layer: int, piece: Piece) -> Tensor:
        """Take the cotangents of a piece of the work from behind a block to before it; they are rows from then on."""
        entered, usual = self._entered[layer], self._layers.is_usual(layer)
        behind, at = piece.cotangents.to(entered.device), piece.at.to(entered.device)
        rows = self._rows(piece, entered.device)
        last = layer == self._model.n_layers - 1
        if usual:
            with torch.no_grad():
                if last:
                    found = rows.pack(self._layers.start(self._steps, layer, entered, behind, piece.view, at))
                else:
                    found = self._layers.back(self._steps, layer, entered, behind, rows)
        else:
            if last:
                whole = behind.new_zeros(len(behind), piece.length, behind.shape[-1])
                whole[torch.arange(len(behind), device=whole.device), at] = behind
            else:
                whole = rows.unpack(behind)
            found = rows.pack(self._by_graph(layer, piece, entered[piece.texts, : piece.length], whole))
        return found.to(self._last.device)

    def _rows(self, piece: Piece, device: torch.device) -> Rows:
        """Return which rows the cotangents of a piece have: of graphs nobody knows whether positions look ahead."""
        return piece.rows(device, causal=self._all_usual and self._layers.hide_what_is_later)

    def _by_graph(self, layer: int, piece: Piece, entered: Tensor, behind: Tensor) -> Tensor:
        """Take cotangents [N, L, d] through the graph of a block that was given `entered` [texts, L, d]."""
        copies = piece.view.copies
        with torch.enable_grad():
            if self._plan.whole[layer]:
                leaf = (entered.expand(copies, -1, -1) if copies > 1 else entered).detach().requires_grad_()
                returned = self._layers.replay(piece.steps(len(leaf)), layer, leaf, piece.view)
            else:
                leaf = entered.detach().requires_grad_()
                returned = piece.steps(len(leaf)).block(layer, leaf)
        behind = behind.to(returned.device)
        if self._plan.whole[layer]:
            return torch.autograd.grad(returned, leaf, behind)[0]
        return products(returned, leaf, behind.view(-1, *leaf.shape)).flatten(0, 1)  # one text, or one target

    def _leave(self, cotangents: Tensor, read: Tensor) -> Tensor:
        """Cotangents [B, A, d] of what the head reads → of what the last block handed on; each position by itself."""
        behind = cotangents.flatten(0, 1)[:, None]
        alone = self._embeddings[:, read].transpose(0, 1).flatten(0, 1)[:, None]
        with torch.enable_grad():
            leaf = self._last[:, read].transpose(0, 1).flatten(0, 1)[:, None].detach().requires_grad_()
            final = self._model.chain(alone).leave(leaf)
        (found,) = torch.autograd.grad(final, leaf, behind.to(final.dtype))
        return found.view(*cotangents.shape[:2], -1)

    def _enter(self, pieces: Sequence[Piece], targets: int) -> Tensor:
        """Cotangents of what enters block 0 → of the inputs, [B, A, L, d], of all pieces; often the same."""
        found = self._last.new_zeros(targets, *self._embeddings.shape[:1], pieces[-1].length, self._embeddings.shape[2])
        same = False
        for piece in pieces:
            behind = self._rows(piece, self._last.device).unpack(piece.cotangents)
            behind = behind.view(len(piece.embeddings), -1, *behind.shape[1:]).transpose(0, 1)
            if not same:
                with torch.enable_grad():
                    leaf = piece.embeddings.detach().requires_grad_()
                    entered = piece.steps(len(leaf)).enter(leaf)
                same = entered is leaf
            found[*piece.where, : piece.length] = behind if same else products(entered, leaf, behind)
            del piece.cotangents
        return found


def texts_at_once(model: Model, length: int, targets: int) -> int:
    """Return how many texts of a length to go back through at once, for so many targets each.

    As many as may be known in all blocks, so that none runs twice, unless products would be small.
    """
    each = length * model.known_parts.kept + _reserved(model, model.known_parts, length, targets)
    return max(1, layers.KEPT // each, -(-FEWEST // (length * targets)))


def _reserved(model: Model, plan: Plan, positions: int, targets: int) -> int:
    """Return the bytes of what enters each block, of what `pull` has three times of each target, and of a piece."""
    states = positions * (model.n_layers + 3 * targets) * model.d_model
    piece = min(positions * targets, ROWS) * plan.width
    return (states + piece) * int(model.network.dtype.itemsize)


def make_plan(model: Model, embeddings: Tensor) -> Plan:
    """Find out what is known of a model's blocks, on short texts [A, L, d].

    Blocks of the usual kind are such if, taken so, what the head reads and gradients are the network's own; and so are
    parts: a mask may be made of the states that a block is given (Doge), and then its attention is no part.
    """
    plan = find_plan(model, embeddings)
    apart = plan._replace(roles=(None,) * model.n_layers)
    for known in (plan, apart) if any(plan.roles) else (plan,):
        tried = _tried(model, embeddings, known)
        if tried is not None:
            return tried
    return Plan(tuple({} for _ in apart.roles), frozenset(), (False,) * model.n_layers, apart.roles)


def _tried(model: Model, embeddings: Tensor, plan: Plan) -> Plan | None:
    """Return a plan with what it keeps, if what the head reads and gradients are the network's own; else None."""
    back = Backward(model, embeddings, 2, plan)
    with torch.enable_grad():
        leaf = embeddings.detach().clone().requires_grad_()
        final = model.forward_embeddings(leaf)
    positions = [embeddings.shape[1] // 2, embeddings.shape[1]]
    cotangents = torch.linspace(-1, 1, 2 * final[:, 0].numel(), device=final.device).sin().to(final)
    cotangents = cotangents.view(2, *final[:, 0].shape)
    mine = back.pull(cotangents, positions)
    behind = torch.zeros(2, *final.shape, dtype=final.dtype, device=final.device)
    for number, position in enumerate(positions):
        behind[number, :, position - 1] = cotangents[number]
    theirs = products(final, leaf, behind)
    near = _near(back.final, final.detach()) and _near(mine, theirs)
    return plan._replace(kept=back.kept // embeddings[..., 0].numel()) if near else None


def _near(mine: Tensor, theirs: Tensor) -> bool:
    return bool((mine - theirs).abs().max() <= tolerance(theirs.dtype, NEAR) * theirs.abs().max())


def products(returned: Tensor, given: Tensor, cotangents: Tensor) -> Tensor:
    """Return cotangentᵀ · ∂returned/∂given for each of B cotangents, at once where torch can batch all operations."""
    try:
        return torch.autograd.grad(returned, given, cotangents, is_grads_batched=True, retain_graph=True)[0]
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # a kernel of the model's own
        return torch.stack([torch.autograd.grad(returned, given, one, retain_graph=True)[0] for one in cotangents])
