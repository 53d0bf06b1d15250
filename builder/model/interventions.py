"""Runs of a network with some of its states replaced: what blocks, attentions and MLPs hand on, row by row of a batch.

Activation patching, of which Meng et al. 2022 (https://arxiv.org/abs/2202.05262) and Wang et al. 2022
(https://arxiv.org/abs/2211.00593) make circuits visible.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor

from .trace import first_tensor, recording, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn

    from . import Model
    from .structure import Structure

__all__ = [
    "Patch",
    "State",
    "States",
    "between",
    "entering",
    "leaving",
    "modules_of",
    "patching",
    "record_states",
    "running",
]

State = Literal["residual", "attention", "mlp"]
"""What a block hands on, or what its attention or its MLP hands on within it."""


class Patch(NamedTuple):
    """States to put in the place of those that a module hands on."""

    module: nn.Module
    rows: Tensor
    """[n], of the batch."""
    positions: Tensor
    """[n], of each row's state."""
    values: Tensor
    """[n, d]."""


@dataclass(frozen=True)
class States:
    """The states of one text of T tokens, in the format of the weights."""

    entering: Tensor
    """What enters block 0, [T, d]."""
    handed_on: dict[State, list[Tensor | None]]
    """For each state, layer by layer [T, d]; None where a block has no such part."""
    final: Tensor
    """After the final norm, [T, d']."""

    def before(self, layer: int) -> Tensor:
        """Return the residual stream [T, d] that enters a block; after the last one, what that hands on."""
        stream = self.entering if layer == 0 else self.handed_on["residual"][layer - 1]
        assert stream is not None
        return stream


def modules_of(structure: Structure, state: State) -> tuple[nn.Module | None, ...]:
    """Return for each layer the module that hands on a state, None where there is none."""
    return {"residual": structure.blocks, "attention": structure.attentions, "mlp": structure.mlps}[state]


@torch.no_grad()
def record_states(structure: Structure, run: Callable[[], Tensor]) -> States:
    """Return the states of the one text that `run` sends through the network, returning final states [1, T, d']."""
    entered: list[Tensor] = []
    seen: dict[tuple[State, int], Tensor] = {}
    states: tuple[State, ...] = ("residual", "attention", "mlp")
    found = {state: modules_of(structure, state) for state in states}

    def enter(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = first_tensor(args) if args else kwargs.get("hidden_states")
        assert isinstance(given, Tensor)
        entered.append(given[0].clone())

    def leave(key: tuple[State, int]) -> Callable[..., None]:
        def hook(_module: nn.Module, _args: Any, returned: Any) -> None:
            tensor = first_tensor(returned)
            assert tensor is not None
            seen[key] = tensor.reshape(-1, tensor.shape[-1]).clone()  # Falcon adds to the very tensor later

        return hook

    with contextlib.ExitStack() as stack:
        handle = structure.blocks[0].register_forward_pre_hook(enter, with_kwargs=True)
        stack.callback(handle.remove)
        for state, modules in found.items():
            for layer, module in enumerate(modules):
                if module is not None:
                    stack.callback(module.register_forward_hook(leave((state, layer))).remove)
        final = run()[0]
    at = final.device  # of a network on several devices each block's states are where it is
    here = {key: tensor.to(at) for key, tensor in seen.items()}
    handed_on = {state: [here.get((state, layer)) for layer in range(len(found[state]))] for state in states}
    return States(entered[0].to(at), handed_on, final)


@contextlib.contextmanager
def patching(patches: Sequence[Patch], length: int) -> Iterator[None]:
    """Within: what each patch's module hands on is replaced where it says, in a batch of texts of `length` tokens.

    rows = torch.arange(2)  # two texts that differ in which of their positions is patched
    with patching([Patch(structure.mlps[5], rows, torch.tensor([3, 4]), clean[[3, 4]])], length):
        model.forward_ids(ids.expand(2, -1))
    """

    def put(patch: Patch) -> Callable[..., Any]:
        def hook(_module: nn.Module, _args: Any, returned: Any) -> Any:
            tensor = first_tensor(returned)
            assert tensor is not None
            flat = tensor.reshape(-1, tensor.shape[-1]).clone()
            flat[(patch.rows * length + patch.positions).to(flat.device)] = patch.values.to(flat)
            patched = flat.reshape(tensor.shape)
            return patched if isinstance(returned, Tensor) else type(returned)((patched, *returned[1:]))

        return hook

    with contextlib.ExitStack() as stack:
        for patch in patches:
            stack.callback(patch.module.register_forward_hook(put(patch)).remove)
        yield


@contextlib.contextmanager
def entering(structure: Structure, layer: int, states: Tensor) -> Iterator[None]:
    """Within: the network begins at block `layer` with `states` [B, T, d]; the blocks before it do not run.

    With as many layers as there are, none runs. What is around the blocks does, so tokens [B, T] are still asked for.

    with entering(structure, 12, stream):
        final = model.forward_ids(ids.expand(len(stream), -1))
    """

    def enter(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return ((states.clone(), *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": states.clone()})

    with contextlib.ExitStack() as stack:
        if layer == 0:
            stack.callback(structure.blocks[0].register_forward_pre_hook(enter, with_kwargs=True).remove)
        for number, (block, kind) in enumerate(zip(structure.blocks[:layer], structure.block_outputs, strict=False)):
            plain = issubclass(kind, Tensor)
            forward = _handing_on(states, plain=plain) if number == layer - 1 else _passing(plain=plain)
            stack.enter_context(replaced(block, forward))
        yield


@contextlib.contextmanager
def leaving(structure: Structure, layer: int) -> Iterator[None]:
    """Within: the network ends before block `layer`; it and those after it do not run, and hand on what enters them."""
    with contextlib.ExitStack() as stack:
        for block, kind in zip(structure.blocks[layer:], structure.block_outputs[layer:], strict=True):
            stack.enter_context(replaced(block, _passing(plain=issubclass(kind, Tensor))))
        yield


@contextlib.contextmanager
def running(structure: Structure, blocks: range, states: Tensor) -> Iterator[dict[int, Tensor]]:
    """Within: of the network only neighbouring blocks run, on `states` [B, T, d]; under 0 is what the last hands on."""
    last = structure.blocks[blocks.stop - 1 : blocks.stop]
    with entering(structure, blocks.start, states), leaving(structure, blocks.stop), recording(last) as seen:
        yield seen


@torch.no_grad()
def between(model: Model, ids: Tensor, blocks: range, states: Tensor) -> Tensor:
    """Take what enters the first of neighbouring blocks, [B, T, d] of B runs of `ids` [T] → what the last hands on."""
    with running(model.structure, blocks, states) as seen:
        model.forward_ids(ids.expand(len(states), -1))
    return seen[0].to(states.device)


def _passing(*, plain: bool) -> Callable[..., Any]:
    """Return a block's forward that hands on what enters it."""

    def forward(*args: Any, **kwargs: Any) -> Any:
        given = first_tensor(args) if args else kwargs.get("hidden_states")
        return given if plain else (given, None, None)

    return forward


def _handing_on(states: Tensor, *, plain: bool) -> Callable[..., Any]:
    """Return a block's forward that hands on copies of `states`: what reads them may write over them."""
    return lambda *_args, **_kwargs: states.clone() if plain else (states.clone(), None, None)
