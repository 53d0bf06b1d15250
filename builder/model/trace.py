"""Hooks as context managers: `recording` sees what modules hand on, `replaced` gives one another forward."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn

__all__ = ["Enough", "first_tensor", "may_stop", "reading", "recording", "replaced"]


class Enough(Exception):  # noqa: N818 - nothing is wrong
    """Raised by a hook that has seen what it was there for: nothing after it needs to be computed."""


def may_stop(network: nn.Module) -> bool:
    """Whether a forward pass may be left in the middle: not where accelerate has weights to put back after a module."""
    return not any(hasattr(module, "_hf_hook") for module in network.modules())


def first_tensor(value: Any) -> Tensor | None:
    """Return a module's main input or output: the tensor itself, or the first of a tuple; None where neither is."""
    if isinstance(value, (tuple, list)) and value:
        value = value[0]
    return value if isinstance(value, Tensor) else None


@contextlib.contextmanager
def recording(
    blocks: Sequence[nn.Module], keep: Callable[[int, Tensor], Tensor] = lambda _layer, tensor: tensor
) -> Iterator[dict[int, Tensor]]:
    """Within: the main output of each block by its index, and under −1 what entered the first one; `keep` copies them.

    with recording(structure.blocks) as seen:
        network(input_ids=ids)
    seen[11]  # the residual stream after block 11
    """
    seen: dict[int, Tensor] = {}

    def enter(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = first_tensor(args) if args else kwargs.get("hidden_states")
        if isinstance(given, Tensor):
            seen[-1] = keep(-1, given)

    def leave(layer: int) -> Callable[..., None]:
        def hook(_module: nn.Module, _args: Any, returned: Any) -> None:
            tensor = first_tensor(returned)
            if tensor is not None:
                seen[layer] = keep(layer, tensor)

        return hook

    handles = [blocks[0].register_forward_pre_hook(enter, with_kwargs=True)]
    handles += [block.register_forward_hook(leave(layer)) for layer, block in enumerate(blocks)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def reading(modules: Sequence[nn.Module], *, stop: bool = False) -> Iterator[dict[int, Tensor]]:
    """Within: the main input of each module by its index; with `stop` a pass is left when all of them have read.

    with reading(structure.down_projections) as read:
        network(input_ids=ids)
    read[11]  # the neurons of block 11's MLP
    """
    read: dict[int, Tensor] = {}

    def enter(number: int) -> Callable[..., None]:
        def hook(_module: nn.Module, args: tuple[Any, ...]) -> None:
            tensor = first_tensor(args)
            if tensor is not None:
                read[number] = tensor
            if stop and len(read) == len(modules):
                raise Enough

        return hook

    handles = [module.register_forward_pre_hook(enter(number)) for number, module in enumerate(modules)]
    try:
        with contextlib.suppress(Enough):
            yield read
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def replaced(module: Any, forward: Callable[..., Any]) -> Iterator[None]:
    """Within: `module.forward` is another function. Hooks on the module still run."""
    before = vars(module).get("forward")  # accelerate's, where the module's weights come from elsewhere
    module.forward = forward  # an instance attribute: it hides the class's method until it is deleted
    try:
        yield
    finally:
        del module.forward
        if before is not None:
            module.forward = before
