"""`run_jobs()`: batches of one model and the jobs that need it, by this process, a pool of them, or a cluster.

A batch is a picklable value and `run_batch` a plain function, so they are the same wherever they run; a `Crew` says who
does. Answers are stored as they are found: a build that is killed has lost at most those that were being worked on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..cache import Cache, remove_parts
from ..costs import Costs
from ..errors import BuildError
from ..plan import Job
from ..progress import Listener
from .answering import run_batch
from .backlog import Backlog
from .batch import Batch, make_batches
from .crew import Crew
from .dispatch import Dispatch
from .in_process import InProcess
from .outcome import Outcome, Tell
from .process_count import fetch_size, find_processes
from .sent_kinds import pack

__all__ = ["Batch", "Outcome", "find_processes", "make_batches", "run_batch", "run_jobs"]


def run_jobs(
    jobs: Sequence[Job],
    root: Path,
    cache: Cache,
    listener: Listener,
    *,
    device: str = "auto",
    processes: int | None = 0,
    scheduler: str = "",
    shared: str = "",
    keep: bool = False,
) -> None:
    """Compute all jobs into the cache: here, in so many `processes`, or on the cluster of a Dask `scheduler`.

    No number of processes is as many as pay, and 0 is this one. `shared` is the site's setting `cache`, by which a
    cluster's workers reach the place that the cache shares. `keep` leaves models in this process's memory for a next
    time. Raises `BuildError` with the problems of all batches, after the last one.
    """
    if not jobs:
        return
    listener.started(len(jobs))
    remove_parts(cache.folder.parent)
    crew: Crew
    batches, costs = make_batches(jobs, root, device), Costs(cache.folder.parent)
    dispatch = Dispatch(Backlog(batches, costs, scheduler), cache, listener)
    if processes is None and not scheduler:
        processes = 0 if keep else find_processes(batches, costs, device, lambda one: fetch_size(one, dispatch.tell))
    if scheduler:
        crew = _reach(scheduler, jobs, shared, dispatch)
    elif processes:
        dispatch.waiting.divide(processes)
        crew = _start(min(processes, len(dispatch.waiting)), cache, dispatch.tell)
    else:
        crew = InProcess(cache, dispatch.tell, keep=keep)
    try:
        with crew:
            dispatch.run(crew)
    except BuildError as error:
        raise BuildError(problems=[*dispatch.problems, *error.problems]) from error
    if dispatch.problems:
        raise BuildError(problems=dispatch.problems)


def _start(processes: int, cache: Cache, tell: Tell) -> Crew:
    from .pool import Pool  # 10 ms, with multiprocessing

    return Pool(processes, cache, tell)


def _reach(scheduler: str, jobs: Sequence[Job], shared: str, dispatch: Dispatch) -> Crew:
    from .cluster import Cluster

    crew = Cluster(scheduler, pack(job.kind for job in jobs), shared, dispatch.tell, dispatch.listener)
    crew.say_how_far = lambda: f"{len(dispatch.stored)} of {len(jobs)} answers are stored"
    return crew
