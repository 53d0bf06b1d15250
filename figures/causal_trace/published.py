"""What a causal trace publishes of its two runs, of the noise, and of the effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.rounding import significant

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Run
    from builder.model.answers import Question

    from .analysis import Params
    from .corruption import Corruption

__all__ = ["about_noise", "about_run", "rows"]


def about_noise(params: Params, corruption: Corruption) -> dict[str, Any] | None:
    """Return what noise there is, None where another prompt is what corrupts."""
    if corruption.sigma is None:
        return None
    return {
        "subject": params.subject,
        "factor": params.noise,
        "sigma": significant(corruption.sigma),
        "samples": corruption.samples,
        "seed": params.seed,
    }


def about_run(run: Run, question: Question, logits: Tensor, value: float) -> dict[str, Any]:
    """Return what a run says: what is measured, the answer, the foil and its first choice; means over samples."""
    logits = logits.cpu().double()
    p, mean = logits.softmax(-1).mean(0), logits.mean(0)

    def said(number: int) -> dict[str, Any]:
        text = run.model.token_text(number)
        entry: dict[str, Any] = {"text": text, "id": number}
        if "\ufffd" in text:
            entry["bytes"] = run.model.pieces[number].hex()
        return {**entry, "logit": round(float(mean[number]), 3), "probability": significant(p[number])}

    return {
        "value": significant(value, 5),
        "answer": said(question.answer),
        "foil": None if question.foil is None else said(question.foil),
        "top": said(int(p.argmax())),
    }


def rows(grid: Tensor, first: int) -> list[list[float]]:
    """Return effects [layer][position], those before the first corrupted position 0."""
    return [[0.0] * first + [round(effect, 4) + 0.0 for effect in row] for row in grid.tolist()]
