"""`forecast()`: of jobs, past costs and the sizes of models, what computing takes. Nothing is read or asked here."""

from __future__ import annotations

import dataclasses
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..costs import Costs, Expected, Task
from ..errors import Problem
from ..figure import RunSpec
from ..model_source import ModelSource
from ..plan import Job
from ..sources.sizes import ModelSize
from ..status import FigureStatus

__all__ = ["Estimate", "ModelEstimate", "Reader", "forecast"]


@dataclass(frozen=True)
class Reader:
    """How a model reads: how large it is, None where nobody knows, and how many tokens a text has for it."""

    size: ModelSize | None
    count: Callable[[str], int]
    is_exact: bool


@dataclass(frozen=True)
class ModelEstimate:
    """What one model's missing answers take; several figures may show one answer, and panels of a gallery count each.

    Tokens are those of the different texts; `counted` is False where they are guessed by their characters. Bytes are 0
    where nothing is known. `unmeasured` are the kinds that never ran on this machine: their seconds are a guess.
    """

    model: str
    source: str
    figures: int
    answers: int
    runs: int
    input_tokens: int
    output_tokens: int
    counted: bool
    parameters: int
    weights: int
    activations: int
    dtype: str
    device: str
    seconds: float
    low: float
    high: float
    measured: tuple[str, ...]
    unmeasured: tuple[str, ...]


@dataclass(frozen=True)
class Estimate:
    """What all missing answers take. Seconds are those of one process; `elapsed` those of `workers` side by side.

    Each worker is taken to be as fast as the process that was measured: one on another machine, or on another card.
    """

    models: tuple[ModelEstimate, ...]
    figures: int
    answered: int
    seconds: float
    low: float
    high: float
    workers: int
    elapsed: float
    problems: tuple[Problem, ...] = ()
    """What is to be told of the site besides."""


@dataclass(frozen=True)
class _Work:
    """Seconds of one text: its run, and the answers that ask about it."""

    load: Expected
    parts: tuple[Expected, ...]

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)


def forecast(
    figures: Sequence[FigureStatus],
    jobs: Iterable[Job],
    costs: Costs,
    read: Callable[[ModelSource, str], Reader],
    *,
    workers: int = 1,
) -> Estimate:
    """Return what the jobs take; `figures` are all of the site, fresh ones too.

    `read` tells of a model, by its source and fingerprint.
    """
    runs: dict[tuple[ModelSource, str], dict[RunSpec, list[Job]]] = defaultdict(lambda: defaultdict(list))
    for job in jobs:
        runs[job.source, job.question.model][job.run].append(job)
    models, works = [], []
    for (source, fingerprint), texts in runs.items():
        reader = read(source, fingerprint)
        work = [_work(reader, costs, run, group) for run, group in texts.items()]
        models.append(_model(source, reader, costs, texts, work, figures))
        works += work
    answered = sum(figure.state == "fresh" for figure in figures)
    seconds, low, high = (sum(getattr(model, name) for model in models) for name in ("seconds", "low", "high"))
    elapsed = seconds if workers < 2 else _makespan(works, workers)
    models.sort(key=lambda model: -model.seconds)
    return Estimate(tuple(models), len(figures), answered, seconds, low, high, max(1, workers), elapsed)


def _tasks(reader: Reader, costs: Costs, run: RunSpec, group: Sequence[Job]) -> tuple[Task, list[Task]]:
    """Return the load, and then the run and the answers of one text, with what is known of model and text."""
    n_input = reader.count(run.prompt) + (reader.count(run.pair) if run.pair else 0)
    n_output = run.generate if run.output is None else reader.count(run.output)
    if reader.size is not None and not reader.size.generates:
        n_output = 0
    size = reader.size.parameters if reader.size is not None else 0
    found = [Task.of(group[0], step="run", device=costs.device)]
    found += [Task.of(job, device=costs.device) for job in group]
    load = dataclasses.replace(Task.of(group[0], step="load", device=costs.device), parameters=size)
    tasks = [dataclasses.replace(task, parameters=size, n_input=n_input, n_output=n_output) for task in found]
    return load, tasks


def _work(reader: Reader, costs: Costs, run: RunSpec, group: Sequence[Job]) -> _Work:
    load, tasks = _tasks(reader, costs, run, group)
    return _Work(costs.expect(load), tuple(costs.expect(task) for task in tasks))


def _model(
    source: ModelSource,
    reader: Reader,
    costs: Costs,
    texts: dict[RunSpec, list[Job]],
    works: Sequence[_Work],
    figures: Sequence[FigureStatus],
) -> ModelEstimate:
    jobs = [job for group in texts.values() for job in group]
    tasks = [_tasks(reader, costs, run, group)[1][0] for run, group in texts.items()]
    expected = [works[0].load, *(part for work in works for part in work.parts)]
    addresses = {job.address for job in jobs}
    kinds: dict[str, bool] = {}
    for work, group in zip(works, texts.values(), strict=True):
        for job, part in zip(group, work.parts[1:], strict=True):
            kinds[job.kind.name] = kinds.get(job.kind.name, True) and part.measured > 0
    memory = [part.memory for part in expected if part.memory]
    if reader.size is not None and not memory:
        memory = [reader.size.activations(task.n_input, task.n_output) for task in tasks]
    return ModelEstimate(
        model=source.name,
        source=source.source,
        figures=sum(figure.address in addresses for figure in figures),
        answers=len(jobs),
        runs=len(texts),
        input_tokens=sum(task.n_input for task in tasks),
        output_tokens=sum(task.n_output for task in tasks),
        counted=reader.is_exact and not any(run.chat for run in texts),
        parameters=reader.size.parameters if reader.size is not None else 0,
        weights=reader.size.weights if reader.size is not None else 0,
        activations=max(memory, default=0),
        dtype=source.dtype,
        device=costs.device,
        seconds=sum(part.seconds for part in expected),
        low=sum(part.low for part in expected),
        high=sum(part.high for part in expected),
        measured=tuple(sorted(kind for kind, known in kinds.items() if known)),
        unmeasured=tuple(sorted(kind for kind, known in kinds.items() if not known)),
    )


def _makespan(works: Sequence[_Work], workers: int) -> float:
    """Return when the last of the workers is done, who take the largest first and load a model each.

    They take whole texts, or else answers by themselves, each with a run of its text, whichever is done earlier: the
    engine divides texts where that helps.
    """
    whole = [work.seconds for work in works]
    single = [work.parts[0].seconds + part.seconds for work in works for part in work.parts[1:]]
    load = max((work.load.seconds for work in works), default=0.0)
    return load + min(_end_of(whole, workers), _end_of(single, workers))


def _end_of(pieces: Sequence[float], workers: int) -> float:
    """Return when `workers` are done with pieces of so many seconds, the largest first."""
    ends = [0.0] * max(1, workers)
    for seconds in sorted(pieces, reverse=True):
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)
