"""`find_processes()`: in how many processes of this machine a build computes, where nobody has said it.

    find_processes(batches, costs, "auto", lambda batch: fetch_size(batch, tell))

Much of what a model of a hundred million parameters makes torch do is small: one token after another, one layer after
another, with Python between them. So two processes of a core each are done sooner than one of two cores.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..costs import Costs, Task
from ..errors import BuildError
from ..machine import free_memory, usable_cores
from ..model_source import ModelSource
from ..plan import Job
from ..sources import fetch
from ..sources.sizes import ModelSize, find_folder, find_size
from .batch import Batch
from .outcome import Tell, Told

__all__ = ["fetch_size", "find_processes"]

MOST = 4
"""Processes at most, however many cores there are: more are for who asks for them, since each takes memory."""
WORTH_IT = 10.0
"""Seconds of work that a process must have: it takes four until it computes."""
MEMORY = 1 << 30
"""Bytes that a process takes beside its weights, with SmolLM2 and texts of a hundred tokens."""
CARDS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", r"C:\Windows\System32\nvcuda.dll")
"""What is there where torch may find a card: drivers of NVIDIA's, of AMD's, of either under WSL, and Windows'."""


def find_processes(
    batches: Sequence[Batch], costs: Costs, device: str, read_size: Callable[[Batch], ModelSize | None]
) -> int:
    """Return how many processes pay, and 0 where this one does alone.

    It does where there is little to do, or memory would be short, and where a card computes, several devices share a
    model, or nobody knows how large one is. `read_size` of a batch's model is asked where it matters.
    """
    if any(batch.source.device_map for batch in batches) or not _is_processor(device, costs):
        return 0

    def pay(sizes: Mapping[ModelSource, ModelSize]) -> int:
        seconds = sum(_seconds(batch.jobs, sizes.get(batch.source), costs) for batch in batches)
        return min(MOST, usable_cores(), len(batches), int(seconds / WORTH_IT))

    if pay({}) < 2:  # as if models that nobody has measured were as small as ours
        return 0
    sizes: dict[ModelSource, ModelSize] = {}
    for batch in batches:
        if batch.source not in sizes:
            size = read_size(batch)
            if size is None:
                return 0
            sizes[batch.source] = size
    weights = max(size.weights for size in sizes.values())
    if any(job.versus is not None for batch in batches for job in batch.jobs):
        weights *= 2  # of the two that a figure compares
    found = min(pay(sizes), free_memory() // (MEMORY + weights))
    return found if found > 1 else 0


def fetch_size(batch: Batch, tell: Tell) -> ModelSize | None:
    """Return the size of a batch's model, which is fetched where it was not before; None where nobody knows it.

    One that cannot be had is left to the process that needs it, which says why.
    """
    source, fingerprint = batch.source, batch.jobs[0].question.model
    folder = find_folder(source, batch.root, fingerprint)
    if folder is None:
        tell(Told("running", f"fetching {source.name}"))
        with contextlib.suppress(BuildError):
            folder = fetch(source, batch.root).folder
        tell(Told("running", ""))
    return find_size(source, folder, frozen=True)


def _is_processor(device: str, costs: Costs) -> bool:
    """Whether it is a processor that will compute; torch, which knows, takes longer to ask than most builds take."""
    if device != "auto":
        return device == "cpu"
    return costs.device == "cpu" and not any(Path(card).exists() for card in CARDS)


def _seconds(jobs: Sequence[Job], size: ModelSize | None, costs: Costs) -> float:
    """Return what a batch may take, its run and its answers."""
    tasks = [Task.of(jobs[0], step="run"), *map(Task.of, jobs)]
    if size is not None:
        tasks = [replace(task, parameters=size.parameters) for task in tasks]
    return sum(costs.expect(task).seconds for task in tasks)
