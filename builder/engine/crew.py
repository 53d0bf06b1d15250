"""`Crew`: the processes that compute, wherever they are: this one, those of a pool, or a cluster's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from .batch import Batch
from .outcome import Outcome

__all__ = ["Crew", "Done", "Joined", "Lost", "News", "Refused"]


@dataclass(frozen=True)
class Done:
    """A batch is through, and what came of it."""

    batch: Batch
    worker: str
    outcome: Outcome


@dataclass(frozen=True)
class Lost:
    """The process that was at a batch was killed. `deaths`: how many were, if the crew has tried elsewhere, in vain."""

    batch: Batch
    worker: str
    deaths: int = 0


@dataclass(frozen=True)
class Refused:
    """A worker cannot help, and why; it is given nothing more."""

    worker: str
    why: str


@dataclass(frozen=True)
class Joined:
    """A worker is there, with the names of the models that it has in memory."""

    worker: str
    held: tuple[str, ...]


News = Done | Lost | Refused | Joined


class Crew(Protocol):
    """Workers do a batch at a time. Used as a context; who leaves it by an exception leaves no process behind."""

    travels: bool
    """Whether batches leave this process."""
    alike: bool
    """Whether all workers see the same files and networks: a model that one cannot have, none can."""
    shared: str
    """The place, as the site's settings have it, where workers put answers that do not come back by themselves."""

    def workers(self) -> Sequence[str]:
        """Return the names of those that take batches now; there may be more, or fewer, the next time.

        Raises `BuildError` where there never will be any.
        """

    def send(self, batch: Batch, worker: str) -> None:
        """Give a batch to a worker that has none."""

    def receive(self) -> Iterable[News]:
        """Return what has happened, after a short wait for something to happen. Progress is told on the way."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None: ...
