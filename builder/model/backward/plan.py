"""`Plan`: which modules of a model's blocks are parts whose way back is known, found by what they make of numbers."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from ..chain import named
from ..frozen import freeze
from ..interface import attending, eager
from .attention import attends_plainly
from .parts import Activation, Linear, Norm, Part, View
from .roles import find_roles

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import Model
    from ..frozen import FrozenNorm
    from ..interface import AttentionCall
    from .roles import Roles

__all__ = ["Plan", "find_plan"]

SHORT = 1e-3
"""How short vectors are that tell what is added under a norm's root: at first, and as a share of others."""


class Plan(NamedTuple):
    """What is known of each block's parts: how to make them."""

    parts: tuple[dict[nn.Module, Callable[[], Part]], ...]
    attentions: frozenset[nn.Module]
    whole: tuple[bool, ...]
    """Whether all matrices of a block are in its parts: then running it on copies costs next to nothing."""
    roles: tuple[Roles | None, ...]
    """Of blocks of the usual kind, whose ways are written out, what their parts are."""
    kept: int = 0
    """Bytes of what is known of a position of a short text, in all blocks together."""

    @property
    def width(self) -> int:
        """How many numbers the widest block of the usual kind makes of a row of cotangents and holds at once."""
        return max((roles.width for roles in self.roles if roles is not None), default=0)


def find_plan(model: Model, embeddings: Tensor) -> Plan:
    """Find out which modules of a model's blocks are known parts, by what they make of short texts [A, L, d]."""
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    times: Counter[nn.Module] = Counter()
    plain: Counter[nn.Module] = Counter()
    calls: dict[nn.Module, list[AttentionCall]] = {}
    told: dict[nn.Module, dict[str, Any]] = {}

    def leave(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], returned: Any) -> None:
        times[module] += 1
        if len(args) == 1 and not kwargs and isinstance(args[0], Tensor) and isinstance(returned, Tensor):
            given = args[0]
            if given.shape[:2] == returned.shape[:2] == embeddings.shape[:2] and given.dim() > 2:
                seen[module] = given, returned

    def attend(call: AttentionCall) -> None:
        calls.setdefault(call.module, []).append(call)
        plain[call.module] += attends_plainly(call, eager(type(call.module)))

    def enter(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        told[block] = named(args, kwargs)

    modules = {module for block in model.structure.blocks for module in block.modules()}
    handles = [module.register_forward_hook(leave, with_kwargs=True) for module in modules]
    handles += [block.register_forward_pre_hook(enter, with_kwargs=True) for block in model.structure.blocks]
    try:
        with torch.no_grad(), attending(model.network, attend):
            model.forward_embeddings(embeddings)
    finally:
        for handle in handles:
            handle.remove()
    found = []
    for block in model.structure.blocks:
        parts = {}
        for module in block.modules():
            if module in seen and times[module] == 1 and not hasattr(module, "_hf_hook"):
                make = _kind(module, *seen[module])
                if make is not None:
                    parts[module] = make
        found.append(parts)
    whole = tuple(map(_is_whole, model.structure.blocks, found))
    blocks = {
        module
        for block, known in zip(model.structure.blocks, whole, strict=True)
        if known
        for module in block.modules()
    }
    attentions = {
        module: its[0] for module, its in calls.items() if len(its) == plain[module] == 1 and module in blocks
    }

    def roles(block: nn.Module, parts: dict[nn.Module, Any]) -> Roles | None:
        its = [call for module, call in attentions.items() if module in set(block.modules())]
        kinds = {module: make.func for module, make in parts.items()}
        return find_roles(kinds, seen, its[0], told[block]) if len(its) == 1 else None

    return Plan(
        tuple(parts if known else {} for parts, known in zip(found, whole, strict=True)),
        frozenset(attentions),
        whole,
        tuple(map(roles, model.structure.blocks, found)),
    )


def _is_whole(block: nn.Module, parts: dict[nn.Module, Any]) -> bool:
    own = {id(parameter) for module in parts for parameter in module.parameters(recurse=False)}
    return all(id(parameter) in own for parameter in block.parameters() if parameter.dim() > 1)


@torch.no_grad()
def _kind(module: nn.Module, given: Tensor, returned: Tensor) -> Callable[[], Part] | None:
    """Return how to make the part that a module is; None where it is none."""
    forward = module.forward
    weights = dict(module.named_parameters())
    weight, bias = weights.get("weight"), weights.get("bias")
    if weight is not None and weight.dim() == 2 and given.dim() == 3:
        for matrix in (weight, weight.T):  # a linear layer of torch, and GPT-2's Conv1D
            fits = matrix.shape == (returned.shape[-1], given.shape[-1])
            if fits and _near(linear(given, matrix, bias), returned):
                return partial(Linear, forward, matrix, bias)
    if given.dtype not in (torch.float32, torch.float64) or given.shape != returned.shape:
        return None
    if isinstance(module, (nn.Dropout, nn.Identity)):
        return None
    if not weights:
        mixed = torch.randperm(given.numel(), generator=torch.Generator().manual_seed(0)).to(given.device)
        if _near(forward(given.flatten()[mixed].view_as(given)), returned.flatten()[mixed].view_as(given)):
            return partial(Activation, forward)
    if all(weight.dim() == 1 for weight in weights.values()) and _near(forward(2 * given), returned, 1e-2):
        try:
            norm = freeze(module, given[0, -1].reshape(-1, given.shape[-1])[0])
        except (RuntimeError, ValueError, AssertionError, IndexError):
            return None
        gain, added = norm.gain.to(given), norm.bias.to(given)
        make = partial(Norm, forward, gain, added, centred=norm.centred, epsilon=_epsilon(norm, forward, given))
        if norm.error < 1e-5 and _is_right(make(), given):
            return make
    return None


def _epsilon(norm: FrozenNorm, forward: Callable[[Tensor], Tensor], like: Tensor) -> float:
    """Return what is added under a norm's root, told by what it makes of vectors so short that it counts."""
    gain, bias = norm.gain.cpu(), norm.bias.cpu()
    epsilon = size = SHORT
    for _ in range(3):
        vector = torch.full((*like.shape[2:-1], len(gain)), size, dtype=torch.float64)
        vector[..., 1::2] *= -1
        shape = (vector - vector.mean(-1, keepdim=True) if norm.centred else vector) * gain
        found = forward(vector.to(like)).cpu().double() - bias
        scale = float((shape * found).sum() / shape.square().sum())
        square = float(vector.var(-1, correction=0).mean() if norm.centred else vector.square().mean())
        epsilon = max(1 / scale**2 - square, 0.0) if scale else 0.0
        size = max(epsilon**0.5, SHORT**2)
    return epsilon


def _is_right(part: Norm, given: Tensor) -> bool:
    """Whether a norm is that of its module, of vectors long and short, and its way back too."""
    for rows in (given.flatten(0, -2), SHORT * given.flatten(0, -2)):
        out = torch.empty_like(rows)
        part.forth(rows, torch.empty_like(rows), out)
        if not _near(out, part.forward(rows.view_as(given)).view_as(rows)):
            return False
    cotangent = torch.linspace(-1, 1, given.numel(), device=given.device).sin().view_as(given).to(given)
    part.record(given)
    part.view = View(slice(None), given.shape[1], 1)
    with torch.enable_grad():
        leaf = given.detach().requires_grad_()
        (theirs,) = torch.autograd.grad(part.forward(leaf), leaf, cotangent)
    return _near(part.back(cotangent)[0], theirs)


def _near(mine: Tensor, theirs: Tensor, tolerance: float = 1e-5) -> bool:
    if mine.shape != theirs.shape:
        return False
    tolerance = max(tolerance, 8 * torch.finfo(theirs.dtype).eps)
    return bool((mine - theirs).abs().max() <= tolerance * theirs.abs().max().clamp_min(1e-6))
