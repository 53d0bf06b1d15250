"""`Batch`: jobs that one process answers in a row, on one text as long as there are others for other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import Problem
from ..figure import RunSpec
from ..model_source import ModelSource
from ..plan import Job

__all__ = ["Batch", "Weigh", "describe", "make_batches", "placed", "share_out"]


@dataclass(frozen=True)
class Batch:
    """Jobs of one model on one text, which is run once for all of them. A picklable value."""

    source: ModelSource
    root: Path
    """The site's folder, which paths of models are relative to."""
    jobs: tuple[Job, ...]
    device: str = "auto"
    tries: int = 0
    """How often a process was killed that was at it."""


Weigh = Callable[[Batch], tuple[float, tuple[float, ...]]]
"""What a batch takes in seconds: the run that its jobs share, and each of the jobs."""


def make_batches(jobs: Iterable[Job], root: Path, device: str = "auto") -> list[Batch]:
    """Return a batch for each text of each model, those of one model after each other, in the order of the jobs."""
    runs: dict[ModelSource, dict[RunSpec, list[Job]]] = {}
    for job in jobs:
        runs.setdefault(job.source, {}).setdefault(job.run, []).append(job)
    return [Batch(source, root, tuple(group), device) for source, found in runs.items() for group in found.values()]


def share_out(batches: Sequence[Batch], n: int, weigh: Weigh) -> list[Batch]:
    """Return the batches with large ones divided, so that `n` processes have as much to do as can be.

    A batch is divided while there are fewer batches than processes, or while it alone takes longer than a process's
    share of it all; and only where that saves time, for each part runs the text again.
    """
    shared = list(batches)
    if n < 2 or not shared:
        return shared
    whole = {id(batch): run + sum(rest) for batch in shared for run, rest in [weigh(batch)]}
    fair = sum(whole.values()) / n
    while divisible := [batch for batch in shared if len(batch.jobs) > 1]:
        largest = max(divisible, key=lambda batch: whole[id(batch)])
        if len(shared) >= n and whole[id(largest)] <= fair:
            break
        run, rest = weigh(largest)
        parts = _halve(largest.jobs, rest)
        longest = run + max(sum(cost for _, cost in part) for part in parts)
        if longest > 0.9 * whole[id(largest)]:  # to save less is not worth the work twice
            break
        at = next(number for number, batch in enumerate(shared) if batch is largest)
        shared[at : at + 1] = [replace(largest, jobs=tuple(job for job, _ in part)) for part in parts]
        for batch, part in zip(shared[at : at + 2], parts, strict=True):
            whole[id(batch)] = run + sum(cost for _, cost in part)
    return shared


def _halve(jobs: Sequence[Job], costs: Sequence[float]) -> list[list[tuple[Job, float]]]:
    """Return two parts that take about as long: each job, the largest first, joins the part that has less."""
    parts: list[list[tuple[Job, float]]] = [[], []]
    for job, cost in sorted(zip(jobs, costs, strict=True), key=lambda found: -found[1]):
        min(parts, key=lambda part: (sum(cost for _, cost in part), len(part))).append((job, cost))
    return parts


def describe(job: Job) -> str:
    """Return a job as progress is told of it: `saliency for fig-eu`."""
    return f"{job.kind.name} for {', '.join(sorted({spec.anchor for spec in job.wanted_by}))}"


def placed(problem: Problem, job: Job, culprit: str = "prompt") -> Problem:
    """Return the problem with a place: that of the option it names, else of the culprit, else of the figure."""
    if problem.path is not None:
        return problem
    spec = job.wanted_by[0]
    name = problem.message.partition(":")[0].rpartition(" ")[2]
    line = job.lines.get(name) or job.lines.get(culprit) or spec.line
    return replace(problem, path=spec.path, line=line)
