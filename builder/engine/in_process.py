"""`InProcess`: a crew of this one process. Models stay loaded between builds, and Ctrl-C arrives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from ..cache import Cache
from .answering import run_batch
from .batch import Batch
from .crew import Done, News
from .outcome import Tell

__all__ = ["InProcess"]

NAME = ""


class InProcess:
    """Works on a batch when it is given it, in the thread that gives it."""

    travels = False
    alike = True
    shared = ""

    def __init__(self, cache: Cache, tell: Tell, *, keep: bool = False) -> None:
        self._cache = cache
        self._tell = tell
        self._keep = keep
        self._news: list[News] = []

    def workers(self) -> Sequence[str]:
        """Return the name of the only one."""
        return (NAME,)

    def send(self, batch: Batch, worker: str) -> None:
        """Work on the batch, and come back when it is done."""
        outcome = run_batch(batch, self._cache.put, self._tell, keep=self._keep, travels=False)
        self._news.append(Done(batch, worker, outcome))

    def receive(self) -> Iterable[News]:
        """Return what was done."""
        news, self._news = self._news, []
        return news

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        pass
