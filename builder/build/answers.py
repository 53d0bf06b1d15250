"""`find_answers`: the results that a plan asks for, out of the cache, or computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..cache import Cache
from ..errors import BuildError, Problem
from ..figure import Result
from ..plan import Job, Plan

__all__ = ["Answers", "bring_answers", "find_answers"]


@dataclass(frozen=True)
class Answers:
    """Results by address, those of them that had to be computed, and what could not be."""

    results: dict[str, Result]
    computed: frozenset[str]
    problems: tuple[Problem, ...]

    def shown_by(self, plan: Plan) -> dict[tuple[str, str], list[Result | None]]:
        """Return the results of each figure's panels, None for those that are not there."""
        return {
            figure: [self.results.get(panel.address) for panel in panels] for figure, panels in plan.figures.items()
        }


def find_answers(
    plan: Plan, cache: Cache, compute: Callable[[Sequence[Job]], None] | None, refresh: frozenset[str]
) -> Answers:
    """Return all answers; without `compute`, as `--frozen` says, those that are stored.

    `compute` puts answers into the cache and raises `BuildError`; `refresh` are the labels of figures that are to be
    computed anew, or `all`. What is not on this machine is looked for at the place that the site shares, if it has one:
    also with `--frozen`, which computes nothing, for what is there was computed.
    """
    stored = _find(plan.jobs.values(), cache)
    problems: list[Problem] = []
    try:
        stored |= bring_answers([job for job in plan.jobs.values() if stored[job.address] is None], cache)
    except BuildError as error:
        problems += error.problems
    wanted = [job for job in plan.jobs.values() if stored[job.address] is None or _is_refreshed(job, refresh)]
    if compute is None:
        problems += [_missing(job) for job in wanted]
    elif not problems:  # else what takes hours could not be kept where the site says
        try:
            compute(wanted)
        except BuildError as error:
            problems += error.problems
        stored |= _find(wanted, cache)
    results = {address: result for address, result in stored.items() if result is not None}
    if len(results) < len(stored) and not problems:
        problems.append(Problem("missing result: one was removed while the build ran; build again"))
    computed = frozenset(job.address for job in wanted if job.address in results)
    return Answers(results, computed, (*problems, *cache.warnings()))


def _find(jobs: Iterable[Job], cache: Cache) -> dict[str, Result | None]:
    return {job.address: cache.find(job.address, job.kind.name) for job in jobs}


def bring_answers(jobs: Sequence[Job], cache: Cache) -> dict[str, Result | None]:
    """Return what the shared place has of the answers to these jobs, after copying it onto this machine.

    Raises `BuildError` where the user's own cache cannot be written, or where there is no client for the place.
    """
    cache.bring(job.question for job in jobs)
    return _find(jobs, cache)


def _is_refreshed(job: Job, refresh: frozenset[str]) -> bool:
    return "all" in refresh or any(spec.anchor in refresh for spec in job.wanted_by)


def _missing(job: Job) -> Problem:
    spec = job.wanted_by[0]
    message = f"missing result: {spec.anchor} is not stored; compute it with `fanlight build --refresh {spec.anchor}`"
    return Problem(message, spec.path, spec.line)
