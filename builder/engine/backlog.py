"""`Backlog`: the batches that nobody has yet, what each may take, and which of them is the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from ..costs import Costs, Task
from ..model_source import ModelSource
from ..plan import Job
from .batch import Batch, share_out

__all__ = ["Backlog"]


@dataclass
class Backlog:
    """Batches in the order of the articles; those that a process was killed at have their number of `tries`."""

    batches: list[Batch]
    costs: Costs
    place: str = ""
    """Where the workers are, if not on this machine: the cluster's address."""
    _seconds: dict[tuple[str, str], float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)

    def add(self, batches: Iterable[Batch]) -> None:
        """Put batches at the end."""
        self.batches += batches

    def drop(self, source: ModelSource) -> None:
        """Give up all that needs a model."""
        self.batches = [batch for batch in self.batches if batch.source != source]

    def divide(self, n: int) -> None:
        """Divide what is large, so that `n` idle workers have as much to do as can be."""
        self.batches = share_out(self.batches, n, self.weigh)

    def take_next(self, held: Collection[str]) -> Batch | None:
        """Take the first batch of a model that is `held`, else the first: where one works, order saves nothing."""
        own = (batch for batch in self.batches if batch.source.name in held)
        return self._take(next(own, next(iter(self.batches), None)))

    def take_best(
        self, held: Collection[str], busy: Collection[Batch], lacking: Collection[ModelSource] = ()
    ) -> Batch | None:
        """Take the largest batch whose model is `held`, or else of the model with the most to do for those at it.

        None is of a model that is `lacking`. What a process has died of comes last, and by itself: it may have been its
        neighbours who took the memory.
        """
        mine = [batch for batch in self.batches if batch.source not in lacking]
        fresh = [batch for batch in mine if not batch.tries]
        if not fresh:
            return None if busy else self._take(max(mine, key=lambda batch: batch.tries, default=None))
        own = [batch for batch in fresh if batch.source.name in held]
        if not own:
            at_work = Counter(batch.source for batch in busy)
            left: dict[ModelSource, float] = {}
            for batch in fresh:
                left[batch.source] = left.get(batch.source, 0.0) + self._size(batch)
            source = max(left, key=lambda known: left[known] / (1 + at_work[known]))
            own = [batch for batch in fresh if batch.source == source]
        return self._take(max(own, key=self._size))

    def shares(self) -> dict[str, float]:
        """Return the seconds that each job may take, by address, each with its part of the run that it shares."""
        found = {}
        for batch in self.batches:
            run, rest = self.weigh(batch)
            for job, seconds in zip(batch.jobs, rest, strict=True):
                found[job.address] = seconds + run / len(batch.jobs)
        return found

    def weigh(self, batch: Batch) -> tuple[float, tuple[float, ...]]:
        """Return the seconds that a batch's run may take, and each of its jobs."""
        run = self._expect(batch.jobs[0], "run")
        return run, tuple(self._expect(job, "answer") for job in batch.jobs)

    def _size(self, batch: Batch) -> float:
        run, rest = self.weigh(batch)
        return run + sum(rest)

    def _expect(self, job: Job, step: str) -> float:
        key = (step, job.address)
        if key not in self._seconds:
            task = Task.of(job, step=step)  # type: ignore[arg-type]
            self._seconds[key] = self.costs.expect(task, self.place).seconds
        return self._seconds[key]

    def _take(self, batch: Batch | None) -> Batch | None:
        self.batches = [other for other in self.batches if other is not batch]
        return batch
