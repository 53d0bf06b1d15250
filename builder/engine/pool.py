"""`Pool`: a crew of processes on this machine, each with an executor of its own, so that each may die alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.queues import SimpleQueue
from types import TracebackType
from typing import Any, Self

from ..cache import Cache
from ..machine import usable_cores
from .answering import run_batch
from .batch import Batch
from .crew import Done, Lost, News
from .outcome import Outcome, Tell, Told

__all__ = ["Pool"]

SPAWN = get_context("spawn")  # not forked: torch's threads do not survive a fork
PATIENCE = 0.1
"""Seconds between looks at what the processes tell."""
TEXT = 500
"""Characters of a line of progress: a pipe takes 4 KB whole or not at all, even of a process that is killed."""


@dataclass
class _Worker:
    """A process, which starts with its first batch."""

    executor: ProcessPoolExecutor
    told: SimpleQueue[Told]
    future: Future[Outcome] | None = None
    batch: Batch | None = None


class Pool:
    """`n` processes. One that is killed is replaced; its batch is told of as lost."""

    travels = True
    alike = True
    shared = ""

    def __init__(self, n: int, cache: Cache, tell: Tell) -> None:
        self._n = n
        self._cache = cache
        self._tell = tell
        self._workers: dict[str, _Worker] = {}

    def workers(self) -> Sequence[str]:
        """Return their numbers."""
        return [str(number) for number in range(1, self._n + 1)]

    def send(self, batch: Batch, worker: str) -> None:
        """Give a batch to a process, which is started if it is not there."""
        if worker not in self._workers:
            self._workers[worker] = self._hire()
        one = self._workers[worker]
        one.batch, one.future = batch, one.executor.submit(_work, batch)

    def receive(self) -> Iterable[News]:
        """Pass on what the processes tell, and return what is done."""
        busy = {name: one for name, one in self._workers.items() if one.future is not None}
        wait([one.future for one in busy.values() if one.future is not None], PATIENCE, return_when="FIRST_COMPLETED")
        news: list[News] = []
        for name, one in busy.items():
            ended = one.future is not None and one.future.done()  # before its last words are read
            while not one.told.empty():
                self._tell(replace(one.told.get(), where=name))
            if ended and one.future is not None and one.batch is not None:
                news.append(self._end(name, one.batch, one.future))
        return news

    def _end(self, name: str, batch: Batch, future: Future[Outcome]) -> News:
        try:
            outcome = future.result()
        except BrokenExecutor:
            _dismiss(self._workers.pop(name).executor)
            return Lost(batch, name)
        self._workers[name].future = None
        return Done(batch, name, outcome)

    def _hire(self) -> _Worker:
        told: SimpleQueue[Told] = SPAWN.SimpleQueue()
        threads = max(1, usable_cores() // self._n)
        place = (self._cache, told, threads, self._n)
        return _Worker(ProcessPoolExecutor(1, mp_context=SPAWN, initializer=_begin, initargs=place), told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for one in self._workers.values():
            if error is not None:
                _dismiss(one.executor)
            else:
                one.executor.shutdown()


def _dismiss(executor: ProcessPoolExecutor) -> None:
    """End an executor's process in the middle of its work."""
    processes: dict[int, Any] = dict(getattr(executor, "_processes", None) or {})  # 3.14 has kill_workers()
    for process in processes.values():
        process.kill()
    executor.shutdown(wait=False, cancel_futures=True)


# in the process


@dataclass(frozen=True)
class _Place:
    cache: Cache
    told: SimpleQueue[Told]
    threads: int
    processes: int


_place: _Place | None = None


def _begin(cache: Cache, told: SimpleQueue[Told], threads: int, processes: int) -> None:
    """Remember what holds for all batches of this process."""
    global _place
    _place = _Place(cache, told, threads, processes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches all; who gave us work ends us
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End with the process that gave us work, however it ends."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(batch: Batch) -> Outcome:
    place = _place
    assert place is not None

    def tell(told: Told) -> None:
        place.told.put(replace(told, text=told.text[:TEXT]))

    outcome = run_batch(batch, place.cache.put, tell, threads=place.threads, processes=place.processes, keep=True)
    return replace(outcome, warnings=tuple(place.cache.warnings()))
