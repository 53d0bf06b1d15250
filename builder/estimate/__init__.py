"""`estimate()`: what the answers that a site lacks would take: tokens, memory, time by past runs; nothing is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from ..build import Builder
from ..costs import open_costs, text_length
from ..engine import Batch, find_processes, make_batches
from ..model_source import ModelSource
from ..site import Site
from ..sources.sizes import ModelSize, find_folder, find_size, make_counter
from .forecast import Estimate, ModelEstimate, Reader, forecast

__all__ = ["Estimate", "ModelEstimate", "estimate"]


def estimate(site: Site, *, frozen: bool = False, workers: int | None = None) -> Estimate:
    """Return what a build would take now, with as many workers as it would start if nobody says how many.

    Raises `BuildError` for problems that hide a figure.

    Texts are counted by the models' own tokenizers where their files are on this machine. `frozen` asks nobody outside
    it; otherwise the hub is asked how large a model is that was not fetched.
    """
    survey = Builder(site, frozen=frozen).survey()
    missing = {status.address for status in survey.figures if status.state != "fresh"}
    jobs = [job for address, job in survey.plan.jobs.items() if address in missing]

    @cache
    def read(source: ModelSource, fingerprint: str) -> Reader:
        folder = find_folder(source, site.root, fingerprint)
        return Reader(find_size(source, folder, frozen=frozen), *_counter(folder))

    costs = open_costs()
    if workers is None:

        def read_size(batch: Batch) -> ModelSize | None:
            return read(batch.source, batch.jobs[0].question.model).size

        workers = find_processes(make_batches(jobs, site.root), costs, "auto", read_size)
    return replace(forecast(survey.figures, jobs, costs, read, workers=workers), problems=survey.problems)


def _counter(folder: Path | None) -> tuple[Callable[[str], int], bool]:
    """Return what counts a text's tokens, and whether it counts or guesses by characters."""
    counter = make_counter(folder)
    return (text_length, False) if counter is None else (counter, True)
