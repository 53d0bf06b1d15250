"""`Dispatch`: who of a crew gets which batch, what is kept of what comes back, and what becomes of what is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..cache import Cache
from ..costs import Costs, Task
from ..errors import BuildError, Problem
from ..model_source import ModelSource
from ..plan import Job
from ..progress import Listener
from .batch import Batch, describe, share_out
from .crew import Crew, Done, Lost, News, Refused
from .outcome import Outcome, Told

__all__ = ["Dispatch"]

TRIES = 3
"""How many processes may die of one job before it is given up."""


@dataclass
class Dispatch:
    """The batches that wait, those that are being worked on, and what is known of the workers."""

    waiting: list[Batch]
    cache: Cache
    listener: Listener
    costs: Costs
    place: str = ""
    """Where the workers are, if not on this machine: the cluster's address."""
    problems: list[Problem] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    """The addresses of the jobs that are through."""

    _busy: dict[str, Batch] = field(default_factory=dict)
    _doing: dict[str, Told] = field(default_factory=dict)
    _held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _through: set[str] = field(default_factory=set)
    _weights: dict[str, float] = field(default_factory=dict)
    _fruitless: int = 0

    def run(self, crew: Crew) -> None:
        """Have the crew work until nothing is left. Raises what went wrong by nobody's wish, after storing the rest."""
        while self.waiting or self._busy:
            self._deal(crew)
            for news in crew.receive():
                self._take(news, crew)

    def tell(self, told: Told) -> None:
        """Pass progress on to the listener, each job's end once."""
        self._doing[told.where] = told
        if told.what == "running":
            self.listener.running(told.text, told.where)
        elif told.address not in self._through:
            self._through.add(told.address)
            self.listener.finished(told.text, told.where)

    # who gets what

    def _deal(self, crew: Crew) -> None:
        workers = crew.workers()
        idle = [worker for worker in workers if worker not in self._busy]
        if idle and self.waiting and crew.travels:
            self.waiting = share_out(self.waiting, len(idle), self._weigh)
        for worker in idle:
            batch = self._choose(worker) if crew.travels else self._next(worker)
            if batch is None:
                return
            self.waiting = [other for other in self.waiting if other is not batch]
            self._busy[worker] = batch
            crew.send(batch, worker)

    def _next(self, worker: str) -> Batch | None:
        """Return the first batch of the model that the worker holds, else the first: one worker has no use for more."""
        own = (batch for batch in self.waiting if batch.source.name in self._held.get(worker, ()))
        return next(own, next(iter(self.waiting), None))

    def _choose(self, worker: str) -> Batch | None:
        """Return the largest of the batches whose model the worker holds, or else of the model with the most to do.

        What a process has died of comes last, and by itself: it may have been its neighbours who took the memory.
        """
        fresh = [batch for batch in self.waiting if not batch.tries]
        if not fresh:
            return max(self.waiting, key=lambda batch: batch.tries, default=None) if not self._busy else None
        own = [batch for batch in fresh if batch.source.name in self._held.get(worker, ())]
        if not own:
            hands = Counter(batch.source for batch in self._busy.values())
            left: dict[ModelSource, float] = {}
            for batch in fresh:
                left[batch.source] = left.get(batch.source, 0.0) + self._size(batch)
            source = max(left, key=lambda known: left[known] / (1 + hands[known]))
            own = [batch for batch in fresh if batch.source == source]
        return max(own, key=self._size)

    def _weigh(self, batch: Batch) -> tuple[float, tuple[float, ...]]:
        run = self._seconds(batch.jobs[0], "run")
        return run, tuple(self._seconds(job, "answer") for job in batch.jobs)

    def _size(self, batch: Batch) -> float:
        run, rest = self._weigh(batch)
        return run + sum(rest)

    def _seconds(self, job: Job, step: str) -> float:
        key = f"{step} {job.address}"
        if key not in self._weights:
            self._weights[key] = self.costs.expect(Task.of(job, step=step)).seconds  # type: ignore[arg-type]
        return self._weights[key]

    # what comes back

    def _take(self, news: News, crew: Crew) -> None:
        match news:
            case Done(batch, worker, outcome):
                self._free(batch)
                self._keep(batch, worker, outcome, crew)
            case Lost(batch, worker, deaths):
                self._free(batch)
                self._lose(batch, worker, deaths)
            case Refused(worker, why):
                self.listener.message(f"{worker} cannot help: {why}")

    def _free(self, batch: Batch) -> None:
        self._busy = {worker: other for worker, other in self._busy.items() if other is not batch}

    def _keep(self, batch: Batch, worker: str, outcome: Outcome, crew: Crew) -> None:
        """Store what came back, and take note of the rest."""
        try:
            for result, pieces in outcome.results:
                self.cache.put(result, pieces)
            lost = self._bring(batch, outcome, crew)
        except OSError as error:
            raise BuildError(f"broken cache: a result cannot be written: {error.strerror or error}") from error
        self.costs.record(outcome.took, place=self.place)
        if outcome.refused:
            self.waiting.append(batch)
            return
        self._held[worker] = outcome.held
        self.problems += [problem for problem in outcome.problems if problem not in self.problems]
        self.stored |= {*outcome.done} - lost
        for job in batch.jobs:
            if job.address in outcome.done:  # what a worker tells may come after what it has done
                self.tell(Told("finished", describe(job), job.address, worker))
        self._fruitless = 0 if outcome.done else self._fruitless
        if outcome.fault is not None:
            failed = next((job for job in batch.jobs if job.address == outcome.fault.job), None)
            raise outcome.fault.raised(failed) if crew.travels else outcome.fault.error
        if outcome.unloadable:  # nor can it be for the others
            self.waiting = [other for other in self.waiting if other.source != batch.source]
            return
        left = tuple(job for job in batch.jobs if job.address not in outcome.done or job.address in lost)
        if left:
            self.waiting.append(replace(batch, jobs=left))

    def _bring(self, batch: Batch, outcome: Outcome, crew: Crew) -> set[str]:
        """Fetch what a worker has put where both can reach it; return the addresses of what is not there."""
        asked = [job.question for job in batch.jobs if job.address in outcome.shared]
        if not asked:
            return set()
        self.cache.bring(asked)
        lost = {question.address for question in asked if question.address not in self.cache}
        if lost and crew.shared:
            self.listener.message(f"answers that workers put at {crew.shared} are not there; from now on they are sent")
            crew.shared = ""
        return lost

    def _lose(self, batch: Batch, worker: str, deaths: int) -> None:
        """Put what a killed process has not done back among what waits; give up what has killed too many."""
        left = [job for job in batch.jobs if job.address not in self._through]
        told = self._doing.get(worker)
        at = next((job for job in left if told is not None and told.address == job.address), None)
        culprit = at or (left[0] if left else None)
        if culprit is None:
            return
        tries = TRIES if deaths else batch.tries + 1
        if tries < TRIES:
            what = told.text if told is not None and told.what == "running" else describe(culprit)
            self.listener.message(f"a process was killed at {what}; it is tried again")
            again = [replace(batch, jobs=(culprit,), tries=tries)]
            again += [replace(batch, jobs=tuple(rest), tries=0)] if (rest := _without(left, culprit)) else []
            self.waiting += again
            return
        self.problems += _gave_up(left, deaths) if deaths else _gave_up([culprit])
        if not deaths and (rest := _without(left, culprit)):
            self.waiting.append(replace(batch, jobs=tuple(rest), tries=0))
        self._fruitless += 1
        if self._fruitless > 1:  # whatever is tried, processes die
            remaining = [job for other in self.waiting for job in other.jobs]
            self.waiting = []
            if remaining:
                self.problems.append(Problem(f"missing answers: {len(remaining)} more were not tried"))


def _without(jobs: Iterable[Job], one: Job) -> list[Job]:
    return [job for job in jobs if job is not one]


def _gave_up(jobs: Sequence[Job], deaths: int = 0) -> list[Problem]:
    """Return a problem for each figure that processes died of, at its place."""
    hint = "the workers' logs say more" if deaths else "try fewer processes (-j), a shorter text or a smaller dtype"
    return [
        Problem(
            f"broken process: killed {deaths or TRIES} times while computing {describe(job)}; "
            f"did memory run out? {hint[0].upper()}{hint[1:]}",
            job.wanted_by[0].path,
            job.wanted_by[0].line,
        )
        for job in jobs
    ]
