"""`Cluster`: a crew of the workers of a Dask cluster, by the address of its scheduler.

We say which worker gets a batch, one at a time, since a process can do one at a time and knows best what it has loaded.
Dask brings batches there and outcomes back, notices who dies, and sends what they had to others.
"""

from __future__ import annotations

import itertools
import pickle
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from .. import __version__
from ..errors import BuildError
from ..kind import Kind
from ..progress import Listener
from .batch import Batch
from .crew import Done, Lost, News, Refused
from .dask import connect, count_deaths, hush
from .luggage import Luggage
from .outcome import Outcome, Tell, Told
from .station import Call, Greeting, Parcel, greet, python_version, work

__all__ = ["Cluster"]

LOOK = 1.0
"""Seconds between looks at who is there."""
ANSWER = 10.0
"""Seconds in which a scheduler that is there answers."""
PATIENCE, AGAIN = 5.0, 60.0
"""Seconds without a worker after which that is said, and said again."""


@dataclass
class _Sent:
    """A batch on its way, or a greeting."""

    future: Any
    worker: str
    batch: Batch | None = None


class Cluster:
    """The workers that a scheduler knows and that have this Fanlight; others are told of and left alone."""

    travels = True

    def __init__(self, address: str, luggage: Luggage, shared: str, tell: Tell, listener: Listener) -> None:
        self.address = address
        self.shared = shared
        self.say_how_far: Callable[[], str] = lambda: "what was finished is stored"
        self._luggage = luggage
        self._tell = tell
        self._listener = listener
        self._inbox: queue.SimpleQueue[Told | str] = queue.SimpleQueue()
        self._sent: dict[str, _Sent] = {}
        self._names: dict[str, str] = {}  # of those that have greeted, by address
        self._greeted: set[str] = set()
        self._refusals: list[str] = []
        self._numbers = itertools.count(1)
        self._looked = self._seen = 0.0
        self._waits = PATIENCE

    def __enter__(self) -> Self:
        self._client = connect(self.address, ANSWER)
        self._topic = f"fanlight {self._client.id}"
        self._client.subscribe_topic(self._topic, lambda event: self._inbox.put(Told(**event[1]["told"])))
        self._seen = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        with hush():
            if self._client.status == "running" and self._sent:
                self._client.cancel([sent.future for sent in self._sent.values()])  # workers stop after their figure
            self._client.close(timeout=2)

    # who is there

    def workers(self) -> Sequence[str]:
        """Return the names of those that are there and have greeted.

        Raises `BuildError` where all that are there cannot help, and where the scheduler went away.
        """
        now = time.monotonic()
        if now - self._looked > LOOK:
            self._look()
            self._looked = time.monotonic()
        names = list(self._names.values())
        if names:
            self._seen, self._waits = now, PATIENCE
        elif now - self._seen > self._waits:
            self._waits += AGAIN
            self._listener.message(f"no worker at {self.address} yet; waiting for one (Ctrl-C stops)")
        return names

    def _look(self) -> None:
        """Greet those who came, and forget those who left."""
        there = set(self._ask(lambda: self._client.sync(self._client.scheduler.ncores, callback_timeout=ANSWER)))
        for address in there - self._greeted:
            self._submit(Call(greet), address, strict=True)
        self._greeted &= there
        self._greeted |= there
        for address in self._names.keys() - there:
            self._listener.message(f"worker {self._names.pop(address)} went away; others do what it had")
        for key, sent in list(self._sent.items()):
            if sent.batch is None and sent.worker not in there:
                self._forget(key)
        if self._refusals and not self._names and not any(sent.batch is None for sent in self._sent.values()):
            raise BuildError(f"unsupported workers: none of those at {self.address} can help: {self._refusals[0]}")

    def _ask(self, question: Callable[[], Any]) -> Any:
        if self._client.status != "running":
            raise self._gone()
        try:
            with hush():
                return question()
        except (OSError, TimeoutError) as error:
            raise self._gone() from error

    def _gone(self) -> BuildError:
        return BuildError(
            f"broken scheduler: {self.address} went away; {self.say_how_far()}; build again when it is back"
        )

    # what they do

    def send(self, batch: Batch, worker: str) -> None:
        """Send a batch to a worker; if that one dies, Dask sends it to another."""
        address = next(address for address, name in self._names.items() if name == worker)
        hosts = Counter(urlsplit(known).hostname for known in self._names)
        bare = replace(batch, jobs=tuple(replace(job, kind=_bare(job.kind)) for job in batch.jobs))
        parcel = Parcel(bare, self._luggage, self._topic, self.shared, hosts[urlsplit(address).hostname])
        self._submit(Call(work, (parcel,)), address, batch=batch)

    def _submit(self, call: Call, address: str, *, batch: Batch | None = None, strict: bool = False) -> None:
        key = f"fanlight-{self._client.id}-{next(self._numbers)}"
        with hush():
            future = self._client.submit(
                pickle.loads, pickle.dumps(call), key=key, workers=[address], allow_other_workers=not strict, pure=False
            )
        self._sent[key] = _Sent(future, address, batch)
        future.add_done_callback(lambda _: self._inbox.put(key))

    def receive(self) -> Iterable[News]:
        """Pass on what workers tell, and return what is done."""
        if self._client.status != "running":
            raise self._gone()
        news: list[News] = []
        for heard in self._listen():
            if isinstance(heard, Told):
                self._tell(heard)
            elif heard in self._sent:
                news += self._end(self._forget(heard))
        return news

    def _listen(self) -> Iterator[Told | str]:
        try:
            yield self._inbox.get(timeout=0.2)
            while True:
                yield self._inbox.get_nowait()
        except queue.Empty:
            return

    def _forget(self, key: str) -> _Sent:
        return self._sent.pop(key)

    def _end(self, sent: _Sent) -> Iterator[News]:
        """Yield what a future came to; whatever happened to it, its batch is not lost."""
        name = self._names.get(sent.worker, sent.worker.partition("://")[2])
        if sent.future.status in ("cancelled", "lost"):
            if self._client.status != "running":
                raise self._gone()
            if sent.batch is not None:  # somebody has restarted the workers
                yield Lost(sent.batch, name)
            return
        try:
            with hush():
                answer = sent.future.result(timeout=6 * ANSWER)
        except Exception as error:
            if self._client.status != "running":
                raise self._gone() from error
            if sent.batch is None:
                yield self._refuse(sent.worker, name, _reason(error))
            elif deaths := count_deaths(error):
                yield Lost(sent.batch, name, deaths)
            else:
                raise
            return
        if sent.batch is None:
            yield from self._welcome(sent.worker, answer)
        else:
            outcome: Outcome = answer
            if outcome.refused:
                yield self._refuse(sent.worker, name, outcome.refused)
            yield Done(sent.batch, name, outcome)

    def _welcome(self, address: str, greeting: Greeting) -> Iterator[Refused]:
        """Take a worker in that has the same Fanlight and Python."""
        own = Greeting(greeting.name, __version__, python_version())
        if greeting == own:
            self._names[address] = greeting.name
            return
        theirs = f"Fanlight {greeting.fanlight} on Python {greeting.python}"
        ours = f"Fanlight {own.fanlight} on Python {own.python}"
        yield self._refuse(address, greeting.name, f"it has {theirs}, and this is {ours}")

    def _refuse(self, address: str, name: str, why: str) -> Refused:
        self._names.pop(address, None)
        self._refusals.append(f"{name}: {why}")
        self._looked = 0.0
        return Refused(f"worker {name}", why)


def _bare(kind: Kind) -> Kind:
    """Return a kind without the folder it lies in here."""
    return Kind(kind.name, kind.folder.relative_to(kind.folder.parent))


def _reason(error: Exception) -> str:
    """Return why a worker could not even greet."""
    if isinstance(error, ModuleNotFoundError):
        return f"it has no Fanlight ({error}); install the same version there"
    return f"{type(error).__name__}: {error}"
