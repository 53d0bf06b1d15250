"""`Cluster`: a crew of the workers of a Dask cluster, by the address of its scheduler.

We say which worker gets a batch, one at a time, since a process can do one at a time and knows best what it has loaded.
Dask brings batches there and outcomes back, notices who dies, and sends what they had to others.
"""

from __future__ import annotations

import itertools
import pickle
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from ..errors import BuildError
from ..progress import Listener
from .batch import Batch
from .crew import Done, Joined, Lost, News, Refused
from .dask import connect, count_deaths, hush
from .outcome import Outcome, Tell, Told
from .roster import Roster, reason
from .sent_kinds import SentKinds, bare
from .worker import Parcel, RemoteCall, greet, work

__all__ = ["Cluster"]

LOOK = 1.0
"""Seconds between looks at who is there."""
HELLO = 2.0
"""Seconds in which those who are there say so, before work is shared out: one alone would be given all of it."""
CONNECT = 10.0
"""Seconds to find a scheduler in."""
ANSWER = 30.0
"""Seconds in which one that is there answers, however busy its machine is; a closed connection is noticed at once."""

LIMIT = "it has more in memory than Dask's limit allows; start it with `--memory-limit 0`"
"""Why Dask pauses a worker. A model that stays loaded is all that it needs for that, where the limit is a tight one."""


@dataclass
class _Sent:
    """A batch on its way, or a greeting."""

    future: Any
    worker: str
    batch: Batch | None = None


class Cluster:
    """The workers that a scheduler knows and that have this Fanlight; others are told of and left alone."""

    travels = True
    alike = False

    def __init__(self, address: str, kinds: SentKinds, shared: str, tell: Tell, listener: Listener) -> None:
        self.address = address
        self.shared = shared
        self.say_how_far: Callable[[], str] = lambda: "what was finished is stored"
        self._kinds = kinds
        self._tell = tell
        self._listener = listener
        self._inbox: queue.SimpleQueue[Told | str] = queue.SimpleQueue()
        self._sent: dict[str, _Sent] = {}
        self._roster = Roster()
        self._begun: set[str] = set()  # the workers that have told of the batch that they were sent
        self._first: set[str] = set()  # the greetings of those who were there at the start
        self._until = 0.0
        self._numbers = itertools.count(1)
        self._looked = 0.0

    def __enter__(self) -> Self:
        self._client = connect(self.address, CONNECT)
        self._topic = f"fanlight {self._client.id}"
        self._client.subscribe_topic(self._topic, lambda event: self._inbox.put(Told(**event[1]["told"])))
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
        if time.monotonic() - self._looked > LOOK:
            self._look()
            self._looked = time.monotonic()
        if self._roster.is_missed():
            has = " has answered" if self._roster.greeted else ""  # those who are there may be at another build's batch
            self._listener.message(f"no worker at {self.address}{has} yet; waiting for one (Ctrl-C stops)")
        if self._first and time.monotonic() < self._until:
            return []
        if self._roster.is_stuck() and not self._begun & {self._roster.name(sent.worker) for sent in self._batches()}:
            raise BuildError(f"unsupported workers: all of those at {self.address} are paused: {LIMIT}")
        return self._roster.ready()

    def _batches(self) -> Iterable[_Sent]:
        return (sent for sent in self._sent.values() if sent.batch is not None)

    def _look(self) -> None:
        """Greet those who came, and take leave of those who left."""
        known = self._ask(lambda: self._client.sync(self._client.scheduler.identity, callback_timeout=ANSWER))
        there = {address: worker["status"] for address, worker in known["workers"].items()}
        came, left = self._roster.meet(there)
        for name in self._roster.pause(address for address, status in there.items() if status == "paused"):
            self._listener.message(f"worker {name} is paused: {LIMIT}")
        for address in came:
            self._submit(RemoteCall(greet), address, strict=True)
        if self._until == 0.0:
            self._first, self._until = set(self._sent), time.monotonic() + HELLO
        for name in left:
            self._listener.message(f"worker {name} went away; others do what it had")
            self._listener.running("", name)
        greetings = {key: sent.worker for key, sent in self._sent.items() if sent.batch is None}
        for key in [key for key, worker in greetings.items() if worker not in self._roster.greeted]:
            del self._sent[key], greetings[key]
        if self._roster.refusals and not self._roster.names and not greetings:
            why = self._roster.refusals[0]
            raise BuildError(f"unsupported workers: none of those at {self.address} can help: {why}")

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
        address = self._roster.address(worker)
        self._begun.discard(worker)
        sent = replace(batch, jobs=tuple(replace(job, kind=bare(job.kind)) for job in batch.jobs))
        parcel = Parcel(sent, self._kinds, self._topic, self.shared, self._roster.beside(address))
        self._submit(RemoteCall(work, (parcel,)), address, batch=batch)

    def _submit(self, call: RemoteCall, address: str, *, batch: Batch | None = None, strict: bool = False) -> None:
        key = f"fanlight-{self._client.id}-{next(self._numbers)}"
        where: dict[str, Any] = {"workers": [address], "allow_other_workers": not strict}
        future = self._ask(lambda: self._client.submit(pickle.loads, pickle.dumps(call), key=key, pure=False, **where))
        self._sent[key] = _Sent(future, address, batch)
        future.add_done_callback(lambda _: self._inbox.put(key))

    def receive(self) -> Iterable[News]:
        """Pass on what workers tell, and return what is done."""
        if self._client.status != "running":
            raise self._gone()
        news: list[News] = []
        for heard in self._listen():
            if isinstance(heard, Told):
                self._begun.add(heard.where)
                self._tell(heard)
            elif heard in self._sent:
                self._first.discard(heard)
                news += self._end(self._sent.pop(heard))
        return news

    def _listen(self) -> Iterator[Told | str]:
        try:
            yield self._inbox.get(timeout=0.2)
            while True:
                yield self._inbox.get_nowait()
        except queue.Empty:
            return

    def _end(self, sent: _Sent) -> Iterator[News]:
        """Yield what a future came to; whatever happened to it, its batch is not lost."""
        name = self._roster.name(sent.worker)
        if sent.future.status in ("cancelled", "lost"):
            if self._client.status != "running":
                raise self._gone()
            if sent.batch is not None:  # somebody has restarted the workers
                yield Lost(sent.batch, name)
            return
        try:
            with hush():
                answer = sent.future.result(timeout=2 * ANSWER)
        except Exception as error:
            if self._client.status != "running":
                raise self._gone() from error
            if sent.batch is None:
                yield self._refuse(sent.worker, reason(error))
            elif deaths := count_deaths(error):
                yield Lost(sent.batch, name, deaths)
            elif sent.future.status == "cancelled":
                yield Lost(sent.batch, name)
            else:
                raise
            return
        if sent.batch is None:
            if why := self._roster.welcome(sent.worker, answer):
                yield self._refuse(sent.worker, why, answer.name)
            else:
                yield Joined(self._roster.name(sent.worker), answer.held)
        else:
            outcome: Outcome = answer
            if outcome.refused:
                yield self._refuse(sent.worker, outcome.refused)
            yield Done(sent.batch, name, outcome)

    def _refuse(self, address: str, why: str, name: str = "") -> Refused:
        self._looked = 0.0
        return Refused(f"worker {self._roster.refuse(address, why, name)}", why)
