"""Where the weights of a network lie: on one device, or shared out over several, the processor's memory and the disk.

`device_map` and `max_memory` are transformers' own (accelerate carries them out): layers that do not fit a device lie
in the processor's memory or on the disk, and come to the device when they are called, and only then.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock, Timeout

from ..errors import BuildError
from ..folders import cache_folder
from ..model_source import DEVICE_MAPS, size_in_bytes, unknown
from ..sources.weights import stored_bytes
from .memory import available

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn

    from ..model_source import ModelSource
    from ..sources.checkpoint import Checkpoint

__all__ = ["check_memory", "home", "offload_folder", "place", "placement", "present", "processor"]

ROOM = 0.9
"""The share of what is free that weights take; the rest is for what is computed with them. Transformers' own."""


def place(checkpoint: Checkpoint, device: str) -> dict[str, Any]:
    """Return the arguments of `from_pretrained` that put the weights where they should lie.

    Raises `BuildError` for a `device_map` that means nothing, and where the weights do not fit.
    """
    source = checkpoint.source
    if source.device_map is None:
        check_memory(checkpoint, device)
        # straight to the device: by way of the processor's memory they would have to fit that too
        return {} if device == "cpu" else {"device_map": device}
    if source.device_map not in DEVICE_MAPS:
        raise BuildError(unknown("device_map", source.device_map, source.name))
    return {"device_map": source.device_map, "max_memory": _limits(source, torch.device(device))}


def check_memory(checkpoint: Checkpoint, device: str) -> None:
    """Raise `BuildError` where the weights of a checkpoint do not fit a device, before a byte of them is read."""
    source = checkpoint.source
    needed = stored_bytes(source.name, checkpoint.folder, source.dtype)
    free = available(device)
    if needed <= free:
        return
    ways = ['device_map = "auto", which takes what does not fit from other devices or the disk']
    if source.dtype in ("float32", "float64"):
        ways.insert(0, 'dtype = "bfloat16"')
    where = "of memory" if torch.device(device).type == "cpu" else f"on {device}"
    raise BuildError(
        f"missing memory: model {source.name} needs about {_gigabytes(needed)} GB in {source.dtype}, and "
        f"{_gigabytes(free)} GB {where} are free; try {', or '.join(ways)}"
    )


def home(network: Any) -> torch.device:
    """Return the device that a network reads its tokens on, and computes on where its layers lie in many places."""
    hook = getattr(network, "_hf_hook", None)
    hooks = getattr(hook, "hooks", (hook,))  # accelerate puts several in a row
    device = next((own for one in hooks if (own := getattr(one, "execution_device", None)) is not None), None)
    if device is None:
        device = next((p.device for p in network.parameters() if p.device.type != "meta"), "cpu")
    return torch.device("cuda", device) if isinstance(device, int) else torch.device(device)


def placement(network: Any, blocks: Sequence[nn.Module]) -> dict[str, int]:
    """Return how many blocks lie where, `{"cuda:0": 40, "disk": 2}`; empty where all are on one device."""
    places = {
        name: f"{home(network).type}:{where}" if isinstance(where, int) else str(where)
        for name, where in (getattr(network, "hf_device_map", None) or {}).items()
    }
    if len(set(places.values())) < 2 and "disk" not in places.values():
        return {}
    names = {id(module): name for name, module in network.named_modules()}
    found = [_place_of(names[id(block)], places) for block in blocks]
    return dict(Counter(found))


def processor(device: torch.device) -> str:
    """Return what a graphics card is called, `NVIDIA H100 80GB HBM3`; empty for a processor, which has no say."""
    back_end = getattr(torch, device.type, None)
    with contextlib.suppress(AttributeError, RuntimeError, AssertionError):
        return str(back_end.get_device_name(device))  # type: ignore[union-attr]
    return {"mps": "Apple silicon"}.get(device.type, "")


@contextlib.contextmanager
def present(*modules: nn.Module) -> Iterator[None]:
    """Within: the weights of these modules can be read, wherever they lie; those of modules in them cannot.

    with present(structure.head):
        rows = structure.head.weight[ids]
    """
    from accelerate.utils import align_module_device

    with contextlib.ExitStack() as stack:
        for module in modules:
            if hasattr(module, "_hf_hook"):
                stack.enter_context(align_module_device(module))
        yield


def _place_of(name: str, places: dict[str, str]) -> str:
    """Return where a module lies: a map names it, or what it is in, or only what is in it (the slowest place then)."""
    parts = name.split(".")
    for end in range(len(parts), -1, -1):
        if (outer := ".".join(parts[:end])) in places:
            return places[outer]
    inner = {where for part, where in places.items() if part.startswith(f"{name}.")}
    return next((where for where in ("disk", "cpu") if where in inner), min(inner, default="cpu"))


def _limits(source: ModelSource, device: torch.device) -> dict[int | str, int]:
    """Return how many bytes of weights each device takes: what is free, and no more than `max_memory` says."""
    limits: dict[int | str, int] = {}
    if device.type == "mps":
        limits["mps"] = int(ROOM * available(device))
    elif device.type != "cpu":
        back_end = getattr(torch, device.type)
        numbers = range(back_end.device_count()) if device.index is None else [device.index]
        limits |= {number: int(ROOM * available(torch.device(device.type, number))) for number in numbers}
    if device.type != "mps":  # one memory, not to be counted twice
        limits["cpu"] = int(ROOM * available("cpu"))
    for key, size in source.max_memory or ():
        place: int | str = int(key) if key.isdecimal() else key
        wanted = size_in_bytes(size)
        if wanted is not None and place in limits:  # what another machine has is not this one's business
            limits[place] = min(limits[place], wanted)
    return limits


def offload_folder() -> tuple[Path, Callable[[], None]]:
    """Return a folder for weights that must be written anew to lie on the disk, and what removes it.

    They are few (those of a mixture of experts, which transformers stacks): what lies in a checkpoint as it is needed
    is read from there. A folder left by a process that was killed goes here: its lock can be had.
    """
    every = cache_folder() / "offload"
    every.mkdir(parents=True, exist_ok=True)
    with FileLock(every / "lock"):
        for left in every.iterdir():
            if left.is_dir():
                with contextlib.suppress(Timeout, OSError), FileLock(left / "lock", timeout=0):
                    shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=every))
        lock = FileLock(folder / "lock")
        lock.acquire()

    def remove() -> None:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)

    return folder, remove


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.3g}" if size < 1e11 else f"{size / 1e9:.0f}"
