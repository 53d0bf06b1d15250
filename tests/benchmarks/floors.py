"""How many floating-point operations an answer needs at least, of a decoder's matrix products.

A product [m, k] × [k, n] is 2·m·k·n operations. A block's parameters P are read once a position, so that a position
forward costs 2·P, and as much backward with respect to its inputs. What is counted is causal: half of the tokens ×
tokens of attention. Norms, activations and the softmax are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Of a decoder: its blocks' parameters, layers, heads × their width, the residual's width, the vocabulary."""

    block_parameters: int
    n_layers: int
    d_heads: int
    d_model: int
    vocab: int


def forward(shape: Shape, length: int) -> int:
    """Return the operations of a pass over so many positions, without the head."""
    looked_at = length * (length + 1) // 2
    return 2 * shape.block_parameters * length + shape.n_layers * 2 * 2 * looked_at * shape.d_heads


def backward(shape: Shape, length: int) -> int:
    """Return those of a pass back to the inputs: each of attention's two products goes back to both of its factors."""
    looked_at = length * (length + 1) // 2
    return 2 * shape.block_parameters * length + shape.n_layers * 4 * 2 * looked_at * shape.d_heads


def saliency(shape: Shape, positions: Sequence[int]) -> int:
    """Return those of gradients of all targets: the longest prefix forward once, each target's own prefix back."""
    return forward(shape, max(positions)) + sum(backward(shape, position) for position in positions)


def lens(shape: Shape, targets: int) -> int:
    """Return those of the logits of so many positions after each layer."""
    return shape.n_layers * targets * 2 * shape.vocab * shape.d_model
