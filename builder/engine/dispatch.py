"""`Dispatch`: gives a crew its batches, keeps what comes back, and decides what becomes of what is lost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..cache import Cache
from ..errors import Problem
from ..model_source import ModelSource
from ..plan import Job
from ..progress import Listener
from .backlog import Backlog
from .batch import Batch, describe
from .crew import Crew, Done, Joined, Lost, News, Refused
from .outcome import Outcome, Told

__all__ = ["Dispatch"]

TRIES = 3
"""How many processes may die of one job before it is given up."""

SOON = 5.0
"""Seconds of work that say how long the rest will take."""


@dataclass
class Dispatch:
    """What waits, who is at what, and what is through."""

    waiting: Backlog
    cache: Cache
    listener: Listener
    problems: list[Problem] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    """The addresses of the jobs that are through, and whose answers are where they belong if they have one."""

    _busy: dict[str, Batch] = field(default_factory=dict)
    _doing: dict[str, Told] = field(default_factory=dict)
    _held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _through: set[str] = field(default_factory=set)
    _lacks: dict[ModelSource, dict[str, tuple[Problem, ...]]] = field(default_factory=dict)
    """The workers that could not have a model, where others may, each with what it says of that."""
    _fruitless: int = 0
    _began: float = 0.0
    _shares: dict[str, float] = field(default_factory=dict)

    def run(self, crew: Crew) -> None:
        """Have the crew work until nothing is left. Raises what went wrong by nobody's wish, after storing the rest."""
        self._began = time.monotonic()
        self._shares = self.waiting.shares()
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
            self._say_how_long()

    def _say_how_long(self) -> None:
        """Tell how long the rest takes, if it goes on as it did; at first there is nothing to go by."""
        done = sum(self._shares.get(address, 0.0) for address in self._through)
        whole = sum(self._shares.values())
        took = time.monotonic() - self._began
        if took > SOON and done > 0.05 * whole:
            self.listener.left(took * (whole - done) / done)

    def _deal(self, crew: Crew) -> None:
        """Give every idle worker a batch."""
        there = crew.workers()
        self._give_up(there)
        idle = [worker for worker in there if worker not in self._busy]
        if idle and crew.travels:
            self.waiting.divide(len(idle))
        wanted = {batch.source.name for batch in self.waiting}
        idle.sort(key=lambda worker: wanted.isdisjoint(self._held.get(worker, ())))  # who has a model goes first
        for worker in idle:
            held = self._held.get(worker, ())
            lacking = [source for source, workers in self._lacks.items() if worker in workers]
            busy = self._busy.values()
            batch = self.waiting.take_best(held, busy, lacking) if crew.travels else self.waiting.take_next(held)
            if batch is not None:
                self._busy[worker] = batch
                crew.send(batch, worker)

    def _give_up(self, workers: Sequence[str]) -> None:
        """Give up what needs a model that none of those who are there can have; the first has said why."""
        for source, lacking in list(self._lacks.items()):
            if workers and lacking.keys() >= set(workers):
                self._note(next(iter(lacking.values())))
                self.waiting.drop(source)
                del self._lacks[source]

    def _take(self, news: News, crew: Crew) -> None:
        match news:
            case Done(batch, worker, outcome):
                self._free(batch)
                self._keep(batch, worker, outcome, crew)
            case Lost(batch, worker, deaths):
                self._free(batch)
                self._lose(batch, worker, deaths)
            case Joined():
                self.welcome(news)
            case Refused(worker, why):
                self.listener.message(f"{worker} cannot help: {why}")

    def welcome(self, joined: Joined) -> None:
        """Take note of what a worker has loaded."""
        self._held[joined.worker] = joined.held

    def _free(self, batch: Batch) -> None:
        self._busy = {worker: other for worker, other in self._busy.items() if other is not batch}

    def _keep(self, batch: Batch, worker: str, outcome: Outcome, crew: Crew) -> None:
        """Store what came back, and take note of the rest."""
        for result, pieces in outcome.results:
            self.cache.put(result, pieces)
        lost = self._bring(batch, outcome, crew)
        self.waiting.costs.record(outcome.took, place=self.waiting.place)
        self.cache.warn(outcome.warnings)
        if outcome.refused:
            self.waiting.add([batch])
            return
        self._held[worker] = outcome.held
        if outcome.unloadable and not crew.alike:
            self._lacks.setdefault(batch.source, {})[worker] = outcome.problems
            self.waiting.add([batch])
            why = outcome.problems[0].message
            self.listener.message(f"worker {worker} cannot have model {batch.source.name}, others may: {why}")
            return
        self._note(outcome.problems)
        self.stored |= {*outcome.done} - lost
        for job in batch.jobs:
            if job.address in outcome.done:  # what a worker tells may come after what it has done
                self.tell(Told("finished", describe(job), job.address, worker))
        self._fruitless = 0 if outcome.done else self._fruitless
        if outcome.fault is not None:
            failed = next((job for job in batch.jobs if job.address == outcome.fault.job), None)
            raise outcome.fault.raised(failed) if crew.travels else outcome.fault.error
        if outcome.unloadable:  # nor can it be for the others
            self.waiting.drop(batch.source)
            return
        left = [job for job in batch.jobs if job.address not in outcome.done or job.address in lost]
        self.waiting.add(_rest(batch, left))

    def _note(self, problems: Iterable[Problem]) -> None:
        self.problems += [problem for problem in problems if problem not in self.problems]

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
        if not left:
            return
        told = self._doing.get(worker)
        culprit = next((job for job in left if told is not None and told.address == job.address), left[0])
        others = [job for job in left if job is not culprit]
        if not deaths and batch.tries + 1 < TRIES:
            what = told.text if told is not None and told.what == "running" else describe(culprit)
            self.listener.message(f"a process was killed at {what}; it is tried again")
            self.waiting.add([replace(batch, jobs=(culprit,), tries=batch.tries + 1), *_rest(batch, others)])
            return
        self.problems += _gave_up(left, deaths) if deaths else _gave_up([culprit])
        self.waiting.add(_rest(batch, [] if deaths else others))
        self._fruitless += 1
        if self._fruitless > 1:  # whatever is tried, processes die
            remaining = sum(len(other.jobs) for other in self.waiting)
            self.waiting.batches = []
            if remaining:
                self.problems.append(Problem(f"missing answers: {remaining} more were not tried"))


def _rest(batch: Batch, jobs: Sequence[Job]) -> Iterable[Batch]:
    return [replace(batch, jobs=tuple(jobs), tries=0)] if jobs else []


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
