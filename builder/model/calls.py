"""`ModuleCall`: which modules ran in a forward pass, in which order, inside which, and what went in and came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .trace import first_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ModuleCall", "inside", "trace_calls"]


@dataclass(eq=False)
class ModuleCall:
    """One call of a module; `start` and `end` are ticks of one clock."""

    name: str
    module: nn.Module
    start: int
    end: int = 0
    inputs: tuple[Tensor, ...] = ()
    """All tensors it was called with, its main input first."""
    returned: Any = None
    tensor: Tensor | None = None
    """Its main output as it was returned: Falcon writes over an MLP's later."""
    attends: bool = field(default=False, repr=False)
    """Whether it, and no module in it, weighs all positions by a softmax; or whether it returns such weights."""

    @property
    def given(self) -> Tensor | None:
        """Its main input."""
        return self.inputs[0] if self.inputs else None

    def holds(self, other: ModuleCall) -> bool:
        """Whether the other call is this one or was made during it."""
        return self.start <= other.start and other.end <= self.end


def trace_calls(network: Any, modules: dict[str, nn.Module], **inputs: Any) -> tuple[list[ModuleCall], Any]:
    """Run a network on `inputs`; return the calls of its modules in order of their start, and its output."""
    calls: list[ModuleCall] = []
    pending: list[ModuleCall] = []
    tick = iter(range(1 << 62))
    handles = []

    def enter(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        main = first_tensor(args) if args else kwargs.get("hidden_states")
        given = [value for value in (main, *args, *kwargs.values()) if isinstance(value, Tensor)]
        call = ModuleCall(name, module, next(tick), inputs=tuple(given) if isinstance(main, Tensor) else ())
        calls.append(call)
        pending.append(call)

    def leave(module: nn.Module, returned: Any) -> None:
        while pending:
            call = pending.pop()
            if call.module is module:
                tensor = first_tensor(returned)
                call.end, call.returned = next(tick), returned
                call.tensor = None if tensor is None else tensor.clone()
                call.attends |= _returns_weights(returned)
                return

    for name, module in modules.items():
        handles.append(
            module.register_forward_pre_hook(lambda m, a, k, name=name: enter(name, m, a, k), with_kwargs=True)
        )
        handles.append(module.register_forward_hook(lambda m, _, r: leave(m, r)))
    try:
        with torch.no_grad(), _Softmax(pending):
            output = network(**inputs)
    finally:
        for handle in handles:
            handle.remove()
    return [call for call in calls if call.end], output


class _Softmax(TorchFunctionMode):
    """Marks the innermost pending call whenever attention weights [B, heads, queries, keys] are made."""

    def __init__(self, pending: list[ModuleCall]) -> None:
        super().__init__()
        self.pending = pending

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if self.pending and name in ("softmax", "scaled_dot_product_attention") and isinstance(made, Tensor):
            # what is attended to is at least the text itself; a router's scores have no such shape
            known = name != "softmax" or (made.dim() == 4 and made.shape[-1] >= made.shape[-2])
            self.pending[-1].attends |= known
        return made


def _returns_weights(returned: Any) -> bool:
    """Whether a call returned attention weights beside its output: [B, heads, T, T]."""
    if not isinstance(returned, (tuple, list)):
        return False
    return any(
        isinstance(part, Tensor) and part.dim() == 4 and part.shape[-1] == part.shape[-2] for part in returned[1:]
    )


def inside(outer: ModuleCall, calls: list[ModuleCall]) -> Iterator[ModuleCall]:
    """Yield the calls made during a call, in order of their start."""
    return (call for call in calls if outer.start < call.start < outer.end)
