"""`find_answers`: the results that a plan asks for, out of the cache, or computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..cache import Cache
from ..errors import BuildError, Problem
from ..figure import Result
from ..plan import Job, Plan

__all__ = ["Answers", "find_answers"]


@dataclass(frozen=True)
class Answers:
    """Results by address, how many of them had to be computed, and what could not be."""

    results: dict[str, Result]
    n_computed: int
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
    computed anew, or `all`.
    """
    stored = {address: cache.find(address, job.kind.name) for address, job in plan.jobs.items()}
    wanted = [job for job in plan.jobs.values() if stored[job.address] is None or _is_refreshed(job, refresh)]
    problems: list[Problem] = []
    if compute is None:
        problems += [_missing(job) for job in wanted]
    else:
        try:
            compute(wanted)
        except BuildError as error:
            problems += error.problems
        stored.update({job.address: cache.find(job.address, job.kind.name) for job in wanted})
    results = {address: result for address, result in stored.items() if result is not None}
    if len(results) < len(stored) and not problems:
        problems.append(Problem("missing result: one was removed while the build ran; build again"))
    return Answers(results, sum(job.address in results for job in wanted), tuple(problems))


def _is_refreshed(job: Job, refresh: frozenset[str]) -> bool:
    return "all" in refresh or any(spec.anchor in refresh for spec in job.wanted_by)


def _missing(job: Job) -> Problem:
    spec = job.wanted_by[0]
    message = f"missing result: {spec.anchor} is not stored; compute it with `fanlight build --refresh {spec.anchor}`"
    return Problem(message, spec.path, spec.line)
