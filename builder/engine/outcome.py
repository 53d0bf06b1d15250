"""`Outcome`: what comes back of a batch, and `Told`, what is heard while it is worked on."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..costs import Measurement
from ..errors import BuildError, Problem
from ..figure import Result
from ..folders import built_in
from ..plan import Job
from .batch import describe

__all__ = ["Fault", "Outcome", "Store", "Tell", "Told", "fault_of"]

Store = Callable[[Result, Mapping[str, Mapping[str, Any]]], None]
"""Called with a result whose checks hold, and its pieces. Raises `BuildError` where it cannot be stored."""


@dataclass(frozen=True)
class Told:
    """A line of progress: a job, by its address, is being computed or done; no address while a model is loaded."""

    what: Literal["running", "finished"]
    text: str
    address: str = ""
    where: str = ""
    """The worker, where there are several."""


Tell = Callable[[Told], None]


@dataclass(frozen=True)
class Fault:
    """What went wrong by nobody's wish, and the job that it went wrong in; it ends the build."""

    error: Exception
    job: str = ""
    """The job's address."""
    file: str = ""
    """The file of the job's own kind that raised it, relative to the kind's folder, and the line."""
    line: int | None = None

    def raised(self, job: Job | None) -> Exception:
        """Return what to raise in another process than the one it happened in: there the frames are lost."""
        if job is not None and self.file and job.kind.folder.parent != built_in("figures"):
            what = f"{type(self.error).__name__}: {self.error}"
            path = job.kind.folder / self.file
            return BuildError(f"broken kind: {describe(job)} failed with {what}", path, self.line)
        return self.error


@dataclass(frozen=True)
class Outcome:
    """What a batch came to. What it could not do is in it too, so that nothing that was done is lost."""

    problems: tuple[Problem, ...] = ()
    """What authors have to mend."""
    done: tuple[str, ...] = ()
    """The addresses of the jobs that are through, well or not."""
    results: tuple[tuple[Result, Mapping[str, Mapping[str, Any]]], ...] = ()
    """What the one who asked has to store, with pieces; elsewhere the worker has stored it."""
    shared: tuple[str, ...] = ()
    """The addresses of what the worker put where both can find it."""
    took: tuple[Measurement, ...] = ()
    warnings: tuple[Problem, ...] = ()
    """What the shared place of answers refused."""
    held: tuple[str, ...] = ()
    """The names of the models that the worker now has in memory."""
    unloadable: bool = False
    """Whether the model could not be had: `problems` say why."""
    refused: str = ""
    """Why this worker must not do it, where another may."""
    fault: Fault | None = None


def fault_of(error: Exception, job: Job | None, *, travels: bool) -> Fault:
    """Return a fault; a note in it names the figure. One that `travels` is a picklable one."""
    frames = traceback.extract_tb(error.__traceback__)
    folder = job.kind.folder if job is not None else None
    own = [frame for frame in frames if folder is not None and Path(frame.filename).is_relative_to(folder)]
    if job is not None:
        spec = job.wanted_by[0]
        error.add_note(f"while computing {describe(job)} ({spec.path}:{spec.line})")
    if travels:
        if frames:
            error.add_note(f"at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}")
        error = error if _is_picklable(error) else _plain(error)
    file = Path(own[-1].filename).relative_to(folder).as_posix() if own and folder is not None else ""
    return Fault(error, job.address if job is not None else "", file, own[-1].lineno if own else None)


def _is_picklable(error: Exception) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - our own bytes
    except Exception:  # classes of anybody's
        return False


def _plain(error: Exception) -> Exception:
    plain = RuntimeError(f"{type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", ()):
        plain.add_note(note)
    return plain
