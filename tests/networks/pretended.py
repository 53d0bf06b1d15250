"""Devices that are not there: what a graphics card would refuse is refused, and everything is computed here.

    with Pretended("cuda:0") as device:
        device.put(model.network)
        ...  # `x.device` is cuda:0, and `x + torch.zeros(3)` is an error, as on a machine that has one

Each tensor carries the name of its device. Operations on tensors of two devices are refused, and so are NumPy's view of
one that is not the processor's, a generator of another device, and, of `mps`, float64. It sees what Python calls: what
goes on within backward passes it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from accelerate.utils import find_device, send_to_device
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name

CPU = torch.device("cpu")
MIXED = {"copy_", "save", "index_put_", "__setitem__", "set_data", "__set__", "allclose_"}
"""What takes tensors of several devices: copies."""
INDEXED = {"__getitem__"}
"""What takes an index from the processor."""
MOVES = {"to", "cpu", "cuda", "mps"}


class Pretended(TorchFunctionMode):
    """Within: tensors have devices that this machine lacks; `main` is that of tensors that nobody has placed."""

    def __init__(self, main: str) -> None:
        super().__init__()
        self.main = torch.device(main)

    def put(self, module: torch.nn.Module, device: str | None = None) -> None:
        """Place a module's weights on a device, by default the main one."""
        for tensor in (*module.parameters(), *module.buffers()):
            tensor._place = torch.device(device or self.main)  # type: ignore[attr-defined]

    def divide(self, network: torch.nn.Module, second: str) -> None:
        """Place the later half of a network on a second device, as accelerate does: inputs follow the weights.

        What a block returns stays on its device; what the network returns goes where its inputs came from.
        """
        blocks = list(max((m for m in network.modules() if isinstance(m, torch.nn.ModuleList)), key=len))
        whole = {child for m in network.modules() if isinstance(m, torch.nn.ModuleList) for child in m}  # none is split
        first = {id(p) for block in blocks[: len(blocks) // 2] for p in block.parameters()}
        last = max(number for number, p in enumerate(network.parameters()) if id(p) in first)
        for parameter in list(network.parameters())[last + 1 :]:  # the other blocks, the norm, a head of its own
            parameter._place = torch.device(second)  # type: ignore[attr-defined]
        for module in network.modules():
            own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
            inner = own or (list(module.parameters()) if module in whole else [])
            if inner and module is not network:
                add_hook_to_module(module, _Follow(self.place(inner[0])))
        add_hook_to_module(network, _Follow(self.main, back=True))

    def place(self, tensor: Tensor) -> torch.device:
        """Return where a tensor lies; one that came out of a backward pass is taken to be on the main device."""
        return getattr(tensor, "_place", self.main)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        asked = getattr(getattr(func, "__self__", None), "__name__", "") if name == "__get__" else ""
        if asked == "device":
            return self.place(args[0])
        if asked in ("is_cuda", "is_mps", "is_cpu"):
            return self.place(args[0]).type == asked.removeprefix("is_")
        given = list(_tensors((args, kwargs)))
        if name in ("numpy", "__array__") and getattr(given[0], "_place", CPU) != CPU:
            raise TypeError(f"can't convert {self.place(given[0])} device type tensor to numpy")
        if func is torch.autograd.grad:
            return self._gradients(args, kwargs)
        args, kwargs, wanted = self._take_device(name, args, kwargs)
        places = {self.place(t) for t in given if getattr(t, "_place", None) is not None}
        scalar = {CPU} if any(t.dim() == 0 and self.place(t) == CPU for t in given) else set()
        movable = name in MIXED | MOVES or wanted is not None
        if name in INDEXED and len(places) > 1:
            places = {self.place(given[0])} | {p for p in places if p != CPU}
        if len(places) > 1 and all(t.dim() == 0 for t in given if self.place(t) == CPU):
            places -= scalar
        if len(places) > 1 and not movable:
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but found {places} in {resolve_name(func)}"
            )
        if name == "index_put_" or (name == "__setitem__" and next(_tensors(args[1]), None) is not None):
            self._check_assignment(given)
        where = wanted or next(iter(places), None)
        if name in MIXED | INDEXED and given:
            where = getattr(given[0], "_place", None)
        if where is None and not given:
            where = CPU
        generator = kwargs.get("generator")
        if generator is not None and where is not None and where.type != generator.device.type:
            raise RuntimeError(f"Expected a generator of {where.type}, but found {generator.device.type}")
        moves = name in MOVES and where != self.place(given[0])
        made = func(*args, **kwargs)
        if moves and made is given[0]:
            made = made.clone()
        for tensor in _tensors(made if where is not None else ()):
            if where.type == "mps" and tensor.dtype == torch.float64:
                raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support it")
            if not (isinstance(tensor, torch.nn.Parameter) and hasattr(tensor, "_place")):
                tensor._place = where  # type: ignore[attr-defined]
        return made

    def _gradients(self, args: Any, kwargs: Any) -> Any:
        """Return gradients, each on its input's device; what comes in is on that of the output it belongs to."""
        outputs, cotangents = list(_tensors(args[0])), list(_tensors((args[2:], kwargs.get("grad_outputs"))))
        for output, cotangent in zip(outputs, cotangents, strict=False):
            if self.place(output) != self.place(cotangent):
                raise RuntimeError(f"a gradient on {self.place(cotangent)} of what is on {self.place(output)}")
        found = torch.autograd.grad(*args, **kwargs)
        for tensor, source in zip(_tensors(found), _tensors(args[1]), strict=True):
            tensor._place = self.place(source)  # type: ignore[attr-defined]
        return found

    def _check_assignment(self, given: list[Tensor]) -> None:
        into = self.place(given[0])
        for value in given[1:]:
            if value.dim() and self.place(value) != into and value.dtype not in (torch.int64, torch.bool):
                raise RuntimeError(f"assignment of {self.place(value)} into {into}")

    def _take_device(self, name: str, args: Any, kwargs: Any) -> tuple[Any, Any, torch.device | None]:
        """Return the arguments without the device that is asked for, and that device."""
        if name == "cpu":
            return args, kwargs, CPU
        if kwargs.get("device") is not None:
            wanted = self._named(kwargs["device"])
            return args, {**kwargs, "device": "meta" if wanted.type == "meta" else "cpu"}, wanted
        if name == "to":
            rest = []
            found = None
            for arg in args[1:]:
                if isinstance(arg, Tensor):
                    found = self.place(arg)
                    rest.append(arg.dtype)
                elif isinstance(arg, (str, torch.device, int)) and not isinstance(arg, bool):
                    found = self._named(arg)
                else:
                    rest.append(arg)
            if found is not None and found.type != "meta":
                return (args[0], *(rest or [torch.device("cpu")])), kwargs, found
        return args, kwargs, None

    def _named(self, device: Any) -> torch.device:
        named = torch.device(self.main.type, device) if isinstance(device, int) else torch.device(device)
        same = named.type == self.main.type and named.index is None
        return self.main if same else named


class _Follow(ModelHook):
    """Brings a module's inputs to its device and, with `back`, what it returns to theirs."""

    def __init__(self, device: torch.device, *, back: bool = False) -> None:
        self.device, self.back = device, back
        self.execution_device = device

    def pre_forward(self, module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        self.given = find_device([args, kwargs])
        return send_to_device(args, self.device), send_to_device(kwargs, self.device, skip_keys="past_key_values")

    def post_forward(self, module: torch.nn.Module, output: Any) -> Any:
        return send_to_device(output, self.given) if self.back and self.given is not None else output


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
