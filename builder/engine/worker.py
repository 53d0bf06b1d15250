"""What runs on a worker of a cluster: it says who it is, and works on batches, one at a time in a process."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..cache import Shared, open_shared
from ..errors import BuildError, Problem
from ..figure import Result, published
from ..folders import built_in
from ..kind import Kind
from .answering import run_batch
from .batch import Batch
from .loaded_models import LOADED
from .outcome import Outcome
from .sent_kinds import SentKinds, unpack

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["Greeting", "Parcel", "RemoteCall", "greet", "work"]

SITE = "FANLIGHT_SITE"
"""The environment variable that says where a worker sees the site's folder, if not where its author does."""


@dataclass(frozen=True)
class Greeting:
    """Who a worker is."""

    name: str
    fanlight: str
    python: str
    held: tuple[str, ...] = ()
    """The names of the models that it has in memory."""


@dataclass(frozen=True)
class Parcel:
    """A batch on its way to a worker, with what the worker may lack."""

    batch: Batch
    kinds: SentKinds
    topic: str
    """What progress is told under."""
    shared: str = ""
    """Where answers go that both can reach; where it is empty they come back with the outcome."""
    beside: int = 1
    """How many workers there are on a machine."""


@dataclass(frozen=True)
class RemoteCall:
    """A call that happens where this is unpickled: a scheduler, which need not know Fanlight, sees only bytes."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


def greet() -> Greeting:
    """Return who this worker is, and which Fanlight it works with from now on."""
    _is_as_it_was()
    return Greeting(_name(_worker()), __version__, python_version(), LOADED.names)


def python_version() -> str:
    """Return the Python that pickles and digests are read by: `3.12`."""
    return ".".join(platform.python_version_tuple()[:2])


def work(parcel: Parcel) -> Outcome:
    """Work on a batch. Hooks on modules hold for a whole process, so another one waits for its turn."""
    with _ONE_AT_A_TIME:
        worker = _worker()
        key = worker.get_current_task()
        if not _is_wanted(worker, key):
            return Outcome()
        if not _is_as_it_was():
            return Outcome(refused="its Fanlight changed since it started; start it anew")
        try:
            batch = _settle(parcel, worker)
        except BuildError as error:
            return Outcome(refused=str(error))
        store = _Store(parcel, batch)
        outcome = run_batch(
            batch,
            store,
            lambda told: worker.log_event(parcel.topic, {"told": asdict(replace(told, where=_name(worker)))}),
            threads=worker.state.nthreads,
            processes=parcel.beside,
            keep=True,
            is_wanted=lambda: _is_wanted(worker, key),
        )
        if outcome.unloadable:
            outcome = replace(outcome, problems=tuple(_located(one, batch, worker) for one in outcome.problems))
        left = tuple(store.results)
        return replace(outcome, results=left, shared=tuple(store.shared), warnings=tuple(store.warnings))


_ONE_AT_A_TIME = threading.Lock()


def _worker() -> Worker:
    from distributed import get_worker

    return get_worker()


def _name(worker: Worker) -> str:
    return str(worker.name).partition("://")[2] or str(worker.name)


def _is_wanted(worker: Worker, key: Any) -> bool:
    """Whether nobody has cancelled the task meanwhile."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state not in ("cancelled", "released", "forgotten")


def _is_as_it_was() -> bool:
    """Whether the modules of Fanlight that are imported are still what their files say, as of the first look.

    Python does not read them anew; digests of code do.
    """
    now = {str(file): file.stat().st_mtime_ns for file in Path(__file__).parents[1].rglob("*.py")}
    now |= {str(file): file.stat().st_mtime_ns for file in built_in("figures").rglob("*.py")}
    if not _as_it_was:
        _as_it_was.update(now)
    imported = {str(getattr(module, "__file__", None)) for module in list(sys.modules.values())}
    return all(now.get(file) == _as_it_was.get(file) for file in imported & (now.keys() | _as_it_was.keys()))


_as_it_was: dict[str, int] = {}


def _settle(parcel: Parcel, worker: Worker) -> Batch:
    """Return the batch with kinds and folders of this machine. Raises `BuildError` for code that is not the asker's."""
    own = unpack(parcel.kinds, Path(worker.local_directory) / "kinds")
    sent = {name.partition("/")[0] for name in parcel.kinds.files}
    jobs = []
    for job in parcel.batch.jobs:
        name = job.kind.name
        kind = Kind(
            name, (own if name in sent and (own / name / "analysis.py").is_file() else built_in("figures")) / name
        )
        if not (kind.folder / "analysis.py").is_file() or kind.code != job.question.code:
            raise BuildError(f"it has another version of the code of {name}; install the same Fanlight")
        jobs.append(replace(job, kind=kind))
    root = Path(os.environ.get(SITE) or parcel.batch.root)
    return replace(parcel.batch, jobs=tuple(jobs), root=root)


def _located(problem: Problem, batch: Batch, worker: Worker) -> Problem:
    """Return what is wrong with a model with who found it so."""
    where = f"worker {_name(worker)}"
    if batch.source.source.startswith("."):
        where += f" looked in {batch.root}; {SITE} says where it sees the site"
    return replace(problem, message=f"{problem.message} ({where})")


@cache
def _open(shared: str, root: Path) -> Shared | None:
    """Return a shared place, the same one for all batches: it knows whether it was refused a moment ago."""
    return open_shared(shared, root)


class _Store:
    """Puts results where both sides can reach them, or else keeps them for the way back."""

    def __init__(self, parcel: Parcel, batch: Batch) -> None:
        self._shared = _open(parcel.shared, batch.root) if parcel.shared else None
        self.results: list[tuple[Result, Mapping[str, Mapping[str, Any]]]] = []
        self.shared: list[str] = []
        self.warnings: list[Problem] = []

    def __call__(self, result: Result, pieces: Mapping[str, Mapping[str, Any]]) -> None:
        texts = {name: published(piece).encode() for name, piece in pieces.items()}
        whole = result.to_json().encode()  # raises here, where the figure is known, for what JSON cannot hold
        if self._shared is not None:
            if self._shared.put(result.address, whole, texts):
                self.shared.append(result.address)
                return
            self.warnings += self._shared.warnings()
            self._shared = None  # nor does it take the next
        # as JSON has it, without classes whose modules the client would have to import, torch's version among them
        plain = Result.from_json(result.address, whole.decode())
        self.results.append((plain, {name: json.loads(text) for name, text in texts.items()}))
