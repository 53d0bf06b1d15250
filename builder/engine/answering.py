"""`run_batch()`: a batch's model is loaded, its text run once, and each of its jobs answered and stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..costs import Measurement, Task
from ..errors import BuildError, Problem
from ..figure import Answer
from ..model_source import ModelSource
from ..plan import Job
from ..spoken import listed
from .batch import Batch, describe, placed
from .device import find_device
from .loaded_models import LOADED, LoadedModels
from .outcome import Outcome, Store, Tell, Told, fault_of
from .result import failed_checks, make_result, noted

if TYPE_CHECKING:
    from ..model import AnyModel, AnyRun, Run

__all__ = ["run_batch"]

_FAMILIES = {
    "decoder": "a decoder (a causal language model)",
    "encoder": "an encoder",
    "encoder-decoder": "an encoder-decoder",
}


def run_batch(
    batch: Batch,
    store: Store,
    tell: Tell,
    *,
    threads: int = 0,
    processes: int = 1,
    keep: bool = False,
    travels: bool = True,
    is_wanted: Callable[[], bool] = lambda: True,
    models: LoadedModels = LOADED,
) -> Outcome:
    """Answer a batch's jobs, each stored as soon as it is found, and return what came of it. Raises nothing.

    `threads` of torch, 0 for as many as it likes; `processes` share the machine's memory. `keep` leaves models of other
    batches in memory while there is room. `travels` says that the outcome is pickled. `is_wanted` is asked between
    jobs, for somebody may have given up.
    """
    work = _Work(batch, store, tell, threads, processes, keep, models)
    job: Job | None = None
    fault = None
    try:
        work.load()
        for job in batch.jobs:
            if not is_wanted():
                break
            work.answer(job)
    except _UnloadableError as error:
        problems = tuple(placed(problem, batch.jobs[0], "model") for problem in error.problems)
        return Outcome(problems=problems, held=models.names, unloadable=True)
    except Exception as error:  # whatever it is, what was done before is not lost
        fault = fault_of(error, None if isinstance(error, BuildError) else job, travels=travels)
    return Outcome(tuple(work.problems), tuple(work.done), took=tuple(work.took), held=models.names, fault=fault)


class _UnloadableError(BuildError):
    """The batch's model cannot be had."""


@dataclass
class _Work:
    """A batch that is being worked on."""

    batch: Batch
    store: Store
    tell: Tell
    threads: int
    processes: int
    keep: bool
    models: LoadedModels
    problems: list[Problem] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    took: list[Measurement] = field(default_factory=list)
    run: AnyRun | None = None

    def load(self) -> None:
        """Load the model. Raises `BuildError` for a device that is not there, and `_UnloadableError`."""
        first = self.batch.jobs[0]
        if self.batch.source.name not in self.models.names:
            self.tell(Told("running", f"loading {self.batch.source.name}"))
        self.device = find_device(self.batch.device)
        if self.threads:
            import torch

            from ..model.memory import share_with

            torch.set_num_threads(self.threads)
            share_with(self.processes)
        try:
            self.model: AnyModel = self._load(self.batch.source, first.question.model)
        except BuildError as error:
            raise _UnloadableError(problems=error.problems) from error

    def answer(self, job: Job) -> None:
        """Answer a job. Raises `BuildError` for what no article is to blame for: a cache that is full."""
        where = describe(job)
        try:
            _must_read(job, self.model)
            run = self._make_run(job, where)
            self.tell(Told("running", where, job.address))
            run.versus = self._read_by_other(run, job)
            analysis = job.kind.analysis
            begin = time.perf_counter()
            answer = noted(analysis.analyse(run, analysis.Params(**job.question.params)), run)
            self._measure("answer", begin, job, run)
        except BuildError as error:
            self.problems += [placed(problem, job) for problem in error.problems]
        except (MemoryError, RuntimeError) as error:
            from ..model.memory import is_out_of_memory

            if not is_out_of_memory(error):
                raise
            self.run = None
            message = f"unsupported size: {job.kind.name} needs more memory than there is"
            self.problems.append(placed(Problem(message), job))
        else:
            self.problems += self._keep(answer, job)
        self.done.append(job.address)
        self.tell(Told("finished", where, job.address))

    def _load(self, source: ModelSource, fingerprint: str) -> AnyModel:
        batch = self.batch
        wanted = {batch.source, *(job.versus for job in batch.jobs if job.versus is not None)}
        return self.models.load(source, fingerprint, batch.root, self.device, wanted=wanted, keep=self.keep)

    def _make_run(self, job: Job, where: str) -> AnyRun:
        if self.run is None or self.run.spec != job.run:
            self.run = None  # let go of one run's tensors before the next is made
            self.tell(
                Told("running", f"{self.batch.source.name} on the text of {where.partition(' for ')[2]}", job.address)
            )
            begin, loading = time.perf_counter(), self.models.seconds
            self.run = self.model.run(job.run)
            if self.run.model.family == "decoder":
                self.run.expected = frozenset().union(*(each.kind.needs for each in self.batch.jobs))
            self._measure("run", begin, job, self.run)
            if loading:
                self._measure("load", time.perf_counter() - loading, job, self.run)
                self.models.seconds = 0.0
        return self.run

    def _measure(self, step: Any, begin: float, job: Job, run: AnyRun) -> None:
        task = Task.of(job, run, step=step)
        self.took.append(Measurement(task, time.perf_counter() - begin, threads=self.threads))

    def _read_by_other(self, run: AnyRun, job: Job) -> Run | None:
        """Return the same text, what was generated included, as a second model reads it, where the job has one."""
        if job.versus is None:
            return None
        try:
            other = self._load(job.versus, str(job.question.numerics["versus"]))
            if other.family != "decoder" or run.model.family != "decoder":
                what = _FAMILIES[other.family]
                raise BuildError(f"unsupported versus: {other.name} is {what}, and two decoders compare")
            return other.reread(run)
        except BuildError as error:  # at `versus`, whatever it names: `model` is the first one's
            path, line = job.wanted_by[0].path, job.lines["versus"]
            problems = [p if p.path else replace(p, path=path, line=line) for p in error.problems]
            raise BuildError(problems=problems) from error

    def _keep(self, answer: Answer, job: Job) -> list[Problem]:
        """Store an answer whose checks hold; return what is wrong with one that must not be published."""
        wrong = failed_checks(answer, job, self.model)
        if wrong:
            return wrong
        try:
            self.store(make_result(answer, job, self.model), answer.pieces)
        except ValueError:  # what JSON cannot hold
            spec = job.wanted_by[0]
            message = f"invalid result: {job.kind.name} has a number in it that is none (NaN or infinite)"
            return [Problem(message, spec.path, spec.line)]
        return []


def _must_read(job: Job, model: AnyModel) -> None:
    """Raise `BuildError` where a kind does not take models of that family."""
    if model.family not in job.kind.reads:
        wanted = listed([_FAMILIES[family] for family in job.kind.reads])
        name = f"{model.name} ({type(model.network).__name__})"
        raise BuildError(f"unsupported model: {name} is {_FAMILIES[model.family]}, and {job.kind.name} takes {wanted}")
