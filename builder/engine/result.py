"""An answer becomes a result: its checks are read, and it is said where it comes from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import Problem
from ..figure import Answer, Result
from ..plan import Job

if TYPE_CHECKING:
    from ..model import AnyModel, AnyRun, LanguageModel

__all__ = ["failed_checks", "make_result", "noted"]


def failed_checks(answer: Answer, job: Job, model: AnyModel) -> list[Problem]:
    """Return a problem for each check that does not hold."""
    spec = job.wanted_by[0]
    what = f"{job.kind.name} of {model.name} ({type(model.network).__name__})"
    return [
        Problem(
            f"invalid result: {what} failed its check {name}: {check.value:.3g} is over {check.bound:.3g}, "
            "and is not published",
            spec.path,
            spec.line,
        )
        for name, check in answer.checks.items()
        if not check.holds
    ]


def noted(answer: Answer, run: AnyRun) -> Answer:
    """Return the answer with a warning where a model that should have written something had nothing to say."""
    if not run.ended_at_once:
        return answer
    told = "The model ended the text at once: nothing was generated."
    before = answer.data.get("warning")
    return replace(answer, data={**answer.data, "warning": f"{before} {told}" if before else told})


def make_result(answer: Answer, job: Job, model: LanguageModel) -> Result:
    """Return the result of a job, under its address."""
    origin = _provenance(job, model)
    return Result(job.address, job.kind.name, answer.data, answer.checks, origin, tuple(answer.pieces))


def _provenance(job: Job, model: LanguageModel) -> Mapping[str, Any]:
    """Return where a result comes from, for readers and for whoever wants to compute it again."""
    asked = asdict(job.run)
    return {
        **model.provenance(),
        "fingerprint": job.question.model,
        "license": job.source.license,
        "prompt": asked.pop("prompt"),
        "generation": {name: value for name, value in asked.items() if name != "model"},
        "params": dict(job.question.params),
        "code": job.question.code,
        "fanlight": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
