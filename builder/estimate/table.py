"""An estimate as people read it: a row a model, and in a few lines what it comes to and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from ..spoken import listed
from . import Estimate, ModelEstimate

__all__ = ["HEAD", "amount", "duration", "remarks", "rows", "size"]

HEAD = ("model", "figures", "tokens", "parameters", "memory", "on", "time")


def rows(estimate: Estimate) -> list[tuple[str, ...]]:
    """Return the cells of a table, a row a model, the dearest first, under `HEAD`."""
    return [_row(model) for model in estimate.models]


def _row(model: ModelEstimate) -> tuple[str, ...]:
    about = "" if model.counted else "about "
    memory = " + ".join(size(part) for part in (model.weights, model.activations) if part) or "unknown"
    if memory.count(" GB") == 2:
        memory = memory.replace(" GB", "", 1)
    return (
        model.model,
        str(model.figures),
        f"{about}{model.input_tokens:,} + {model.output_tokens:,}",
        amount(model.parameters) if model.parameters else "unknown",
        memory,
        f"{model.device}, {model.dtype}",
        _time(model.seconds, model.low, model.high, is_known=bool(model.measured)),
    )


def remarks(estimate: Estimate) -> Iterator[str]:
    """Yield what there is to say under the table."""
    left = estimate.figures - estimate.answered
    total = duration(estimate.seconds)
    yield (
        f"{left} of {estimate.figures} figures to compute: about {total} "
        f"({duration(estimate.low)} to {duration(estimate.high)}) in one process"
    )
    if estimate.workers > 1:
        yield f"with {estimate.workers} workers, each as fast as that process: about {duration(estimate.elapsed)}"
    yield "tokens: of prompts + of outputs; memory: weights + what the largest text takes beside them"
    unmeasured = sorted({kind for model in estimate.models for kind in model.unmeasured})
    if not any(model.measured for model in estimate.models):
        yield "nothing like it was measured here: times are what they were elsewhere, in proportion"
    elif unmeasured:
        yield f"never measured here: {listed(unmeasured)}; the time is a guess in proportion to other kinds"
    guessed = [model.model for model in estimate.models if not model.counted]
    if guessed:
        yield f"tokens of {listed(guessed)} are a guess: by characters, or without a chat's template"
    unknown = [model.model for model in estimate.models if not model.parameters]
    if unknown:
        yield f"how large {listed(unknown)} is nobody knows before it is fetched; its time is that of smollm2"


def duration(seconds: float) -> str:
    """Return seconds as people say them: `0.4 s`, `12 s`, `3 min`, `2 h 10 min`, `3 days`."""
    if seconds < 9.5:
        return f"{seconds:.1f} s" if seconds >= 0.05 else "0 s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 10:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"


def amount(number: int) -> str:
    """Return a number of parameters: `135 M`, `1.5 B`, `70 B`."""
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= 0.9995 * unit:
            value = number / unit
            return f"{value:.0f} {letter}" if value >= 9.95 else f"{value:.1f} {letter}"
    return str(number)


def size(n_bytes: int) -> str:
    """Return bytes as `0.5 GB` or, below a tenth of one, as `30 MB`."""
    if n_bytes < 5e7:
        return f"{n_bytes / 1e6:.0f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} KB"
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes < 9.95e9 else f"{n_bytes / 1e9:.0f} GB"


def _time(seconds: float, low: float, high: float, *, is_known: bool) -> str:
    told = f"{duration(seconds)} ({duration(low)} to {duration(high)})"
    return told if is_known else f"never measured; perhaps {told}"
